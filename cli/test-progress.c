/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* Progress on a terminal, and that what programs print cannot steer it. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include <cmocka.h>

#include "cli/cli.h"
#include "cli/progress.h"

/* What progress.c wants of tenonctl's main.c. */
const char *tn_cli_text(const json_t *object, const char *key)
{
        const char *text = json_string_value(json_object_get(object, key));

        return text ? text : "";
}

/* The near end of a pseudo-terminal whose far end is standard error from now on. */
static int open_terminal(int *ret_before)
{
        int near = posix_openpt(O_RDWR | O_NOCTTY), far;
        struct termios modes;

        assert_true(near >= 0 && grantpt(near) == 0 && unlockpt(near) == 0);
        far = open(ptsname(near), O_RDWR | O_NOCTTY);
        assert_true(far >= 0 && tcgetattr(far, &modes) == 0);
        cfmakeraw(&modes);
        assert_int_equal(tcsetattr(far, TCSANOW, &modes), 0);
        *ret_before = dup(STDERR_FILENO);
        assert_true(dup2(far, STDERR_FILENO) >= 0);
        close(far);
        return near;
}

static char *read_all(int near)
{
        GString *text = g_string_new(NULL);
        struct pollfd ready = {.fd = near, .events = POLLIN};
        char buffer[4096];

        while (poll(&ready, 1, 100) > 0 && (ready.revents & POLLIN)) {
                ssize_t n = read(near, buffer, sizeof buffer);

                if (n <= 0)
                        break;
                g_string_append_len(text, buffer, n);
        }
        return g_string_free(text, FALSE);
}

static void test_terminal(void **state)
{
        struct tn_progress progress;
        int before, near = open_terminal(&before);
        g_autofree char *text = NULL;
        g_auto(GStrv) parts = NULL;

        (void) state;
        tn_cli_progress_init(&progress);
        progress.total = 2;
        tn_progress_step(&progress, "a", "first");
        tn_progress_output(&progress, "apt-get", "x\033]0;owned\a\302\2331m\342\200\256y");
        tn_progress_note(&progress, "n\033[2J");
        tn_cli_progress_end(&progress);
        assert_true(dup2(before, STDERR_FILENO) >= 0);
        close(before);
        text = read_all(near);
        close(near);
        assert_non_null(strstr(text, "[##########          ] first: x\\x1b]0;owned\\x07\\x9b1m<U+202E>y"));
        assert_non_null(strstr(text, "n\\x1b[2J\n"));
        /* Of its own it has one sequence: to the begin of the line, which is emptied. */
        parts = g_strsplit(text, "\r\033[K", -1);
        for (char **part = parts; *part; part++)
                assert_null(strpbrk(*part, "\033\a\r"));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_terminal),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
