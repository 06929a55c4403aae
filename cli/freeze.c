/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* tenonctl freeze --check: what a freeze that the host asks for would do. It freezes nothing itself. */
#include <stdio.h>

#include "cli/ask.h"
#include "cli/cli.h"
#include "cli/table.h"

static void print_file_systems(const json_t *rows)
{
        const char *headers[] = {"ORDER", "MOUNT POINT", "DEVICE", "TYPE", "VERDICT", "WHY", NULL};
        struct libscols_table *table = tn_table_new(headers);
        json_t *row;
        size_t i;

        json_array_foreach(rows, i, row)
        {
                json_t *order = json_object_get(row, "order");
                g_autofree char *number = order ? g_strdup_printf("%" JSON_INTEGER_FORMAT,
                                                                  json_integer_value(order))
                                                : NULL;
                const char *cells[] = {number,
                                       tn_cli_text(row, "mountpoint"),
                                       tn_cli_text(row, "device"),
                                       tn_cli_text(row, "type"),
                                       tn_cli_text(row, "verdict"),
                                       tn_cli_text(row, "reason")};

                tn_table_add(table, cells);
        }
        tn_table_print(table);
}

static void print_hooks(const json_t *hooks)
{
        json_t *hook;
        size_t i;

        json_array_foreach(hooks, i, hook)
        {
                const char *refused = tn_cli_text(hook, "refused");

                if (i == 0)
                        putchar('\n');
                tn_cli_say("Hook %s%s%s", tn_cli_text(hook, "hook"),
                           *refused ? ": cannot be trusted, so every freeze would fail: it " : "", refused);
        }
}

static void print_check(const json_t *reply)
{
        print_file_systems(json_object_get(reply, "file-systems"));
        print_hooks(json_object_get(reply, "hooks"));
}

static bool trusts_hooks(const json_t *reply)
{
        json_t *hook;
        size_t i;

        json_array_foreach(json_object_get(reply, "hooks"), i,
                           hook) if (*tn_cli_text(hook, "refused")) return false;
        return true;
}

int tn_cli_freeze(int argc, char **argv)
{
        static const struct tn_question question = {"tenon-freeze-check", NULL, NULL, print_check,
                                                    trusts_hooks};
        gboolean check = FALSE, json = FALSE;
        const struct tn_cli_value values[] = {{"check", &check}, {"json", &json}, {NULL}};

        if (!tn_cli_options(&argc, &argv, values))
                return TN_EXIT_USAGE;
        if (!check) {
                fprintf(stderr, "tenonctl freeze: only the host freezes; try tenonctl freeze --check\n");
                return TN_EXIT_USAGE;
        }
        return tn_ask(&question);
}
