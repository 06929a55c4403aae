/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* From the table of verbs to the verb that runs, and to the values of its options. */
#pragma once

#include <glib.h>
#include <stdbool.h>

/* Where the value of an option goes: gboolean *, int *, or char ** for g_free(), as its kind says. */
struct tn_cli_value {
        const char *name; /* of the option; TN_CLI_OPERANDS: char ***, g_strfreev(); NULL ends the array */
        void *to;
};
#define TN_CLI_OPERANDS ""

/* Parses the options of the verb that runs. Prints an error with a hint and returns false on wrong usage;
 * prints the help and exits where it is asked for. */
bool tn_cli_options(int *argc, char ***argv, const struct tn_cli_value *values);

/* Was --json given? Known when the options of the verb that runs were parsed. */
bool tn_cli_wants_json(void);

/* Finds the verb argv[0], and below it argv[1], and runs it; the exit status. */
int tn_cli_run(int argc, char **argv);

/* The help of tenonctl itself. */
char *tn_cli_help(void);
/* One of tn_common_options and its value. */
bool tn_cli_set_common(const char *name, const char *value, GError **error);
