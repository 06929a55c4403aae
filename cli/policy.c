/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* tenonctl policy: what the host may ask of this guest, and the line that would allow the rest. */
#include <stdio.h>

#include "cli/ask.h"
#include "cli/cli.h"
#include "cli/table.h"

static void print_table(const json_t *policy)
{
        const char *headers[] = {"COMMAND", "CATEGORY", "CHANGES", "HOST MAY", "REMEDY", NULL};
        struct libscols_table *table = tn_table_new(headers);
        json_t *row;
        size_t i;

        tn_cli_say("Preset %s (%s)", tn_cli_text(policy, "preset"), tn_cli_text(policy, "origin"));
        putchar('\n');
        json_array_foreach(json_object_get(policy, "commands"), i, row)
        {
                const char *cells[] = {tn_cli_text(row, "name"), tn_cli_text(row, "category"),
                                       json_is_true(json_object_get(row, "changes")) ? "yes" : "",
                                       json_is_true(json_object_get(row, "allowed")) ? "yes" : "no",
                                       tn_cli_text(row, "remedy")};

                tn_table_add(table, cells);
        }
        tn_table_print(table);
}

int tn_cli_policy(int argc, char **argv)
{
        static const struct tn_question question = {"tenon-get-policy", NULL, tn_alone_policy, print_table,
                                                    NULL};

        return tn_ask_verb(argc, argv, &question);
}
