/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * Terminals differ in how they are told what to run. They all run one program with one option in the same
 * way, so that program is ourselves, and no shell is needed to wait for a key.
 */
#include "tray/terminal.h"

#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "lib/error.h"

/* The user's choice, then the administrator's, then the desktops' own. */
static const struct {
        const char *name, *option; /* option: what stands before the command; NULL: nothing */
} terminals[] = {
        {"xdg-terminal-exec", NULL},
        {"x-terminal-emulator", "-e"},
        {"gnome-terminal", "--"},
        {"kgx", "--"},
        {"konsole", "-e"},
        {"xfce4-terminal", "-x"},
        {"mate-terminal", "-x"},
        {"qterminal", "-e"},
        {"kitty", NULL},
        {"foot", NULL},
        {"alacritty", "-e"},
        {"xterm", "-e"},
};

char **tn_tray_terminal_command(const char *program, char *(*find)(const char *name))
{
        for (size_t i = 0; i < G_N_ELEMENTS(terminals); i++) {
                char *path = find(terminals[i].name);
                GPtrArray *command;

                if (!path)
                        continue;
                command = g_ptr_array_new();
                g_ptr_array_add(command, path);
                if (terminals[i].option)
                        g_ptr_array_add(command, g_strdup(terminals[i].option));
                g_ptr_array_add(command, g_strdup(program));
                g_ptr_array_add(command, g_strdup("--show-status"));
                g_ptr_array_add(command, NULL);
                return (char **) g_ptr_array_free(command, FALSE);
        }
        return NULL;
}

bool tn_tray_terminal_open(const char *program, GError **error)
{
        g_auto(GStrv) command = tn_tray_terminal_command(program, g_find_program_in_path);

        if (!command)
                return tn_error_set(error, TN_ERROR_NOT_FOUND,
                                    "no terminal program was found; open one and run: tenonctl status");
        /* Without DO_NOT_REAP_CHILD it becomes the child of init. */
        return g_spawn_async(NULL, command, NULL, G_SPAWN_STDOUT_TO_DEV_NULL | G_SPAWN_STDERR_TO_DEV_NULL,
                             NULL, NULL, NULL, error);
}

static void wait_for_key(void)
{
        struct termios before, raw;
        char key;

        if (tcgetattr(STDIN_FILENO, &before) < 0)
                return; /* not a terminal: nobody is there to press a key */
        printf("\nPress a key to close this window. ");
        (void) fflush(stdout);
        raw = before;
        raw.c_lflag &= ~(tcflag_t) (ICANON | ECHO);
        (void) tcsetattr(STDIN_FILENO, TCSAFLUSH, &raw);
        (void) !read(STDIN_FILENO, &key, 1);
        (void) tcsetattr(STDIN_FILENO, TCSANOW, &before);
        putchar('\n');
}

int tn_tray_show_status(void)
{
        static const char *const command[] = {"tenonctl", "status", NULL};
        g_autoptr(GError) error = NULL;
        bool ran = g_spawn_sync(NULL, (char **) command, NULL,
                                G_SPAWN_SEARCH_PATH | G_SPAWN_CHILD_INHERITS_STDIN, NULL, NULL, NULL, NULL,
                                NULL, &error);

        if (!ran)
                fprintf(stderr, "tenon-tray: %s; install the package tenon\n", error->message);
        wait_for_key();
        return ran ? 0 : 1;
}
