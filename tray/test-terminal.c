/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* Which terminal is taken, and how it is told what to run. */
#include "tray/terminal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static const char *const *installed;

static char *find(const char *name)
{
        return g_strv_contains(installed, name) ? g_strconcat("/bin/", name, NULL) : NULL;
}

static void test_commands(void **state)
{
        static const struct {
                const char *installed[4];
                const char *command;
        } rows[] = {
                {{"xterm"}, "/bin/xterm -e /usr/bin/tenon-tray --show-status"},
                {{"xterm", "gnome-terminal"}, "/bin/gnome-terminal -- /usr/bin/tenon-tray --show-status"},
                {{"konsole", "x-terminal-emulator"},
                 "/bin/x-terminal-emulator -e /usr/bin/tenon-tray --show-status"},
                {{"x-terminal-emulator", "xdg-terminal-exec"},
                 "/bin/xdg-terminal-exec /usr/bin/tenon-tray --show-status"},
        };

        (void) state;
        for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
                g_auto(GStrv) command = NULL;
                g_autofree char *text = NULL;

                installed = rows[i].installed;
                command = tn_tray_terminal_command("/usr/bin/tenon-tray", find);
                assert_non_null(command);
                text = g_strjoinv(" ", command);
                assert_string_equal(text, rows[i].command);
        }
}

static void test_none(void **state)
{
        static const char *const none[] = {NULL};

        (void) state;
        installed = none;
        assert_null(tn_tray_terminal_command("/usr/bin/tenon-tray", find));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_commands),
                cmocka_unit_test(test_none),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
