/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* A terminal with `tenonctl status`, and what runs within it. */
#pragma once

#include <glib.h>
#include <stdbool.h>

/* The command that has @program (our own path) show the status in the first terminal that is found; @find is
 * g_find_program_in_path(). NULL: there is none. Free with g_strfreev(). */
char **tn_tray_terminal_command(const char *program, char *(*find)(const char *name));

/* Opens it. TN_ERROR_NOT_FOUND: there is no terminal. */
bool tn_tray_terminal_open(const char *program, GError **error);

/* Within it: prints the status and waits for a key. The exit status for main(). */
int tn_tray_show_status(void);
