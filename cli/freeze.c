/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* tenonctl freeze --check: what a freeze that the host asks for would do. It freezes nothing itself. */
#include <stdio.h>

#include "cli/cli.h"
#include "cli/client.h"
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

static bool print_hooks(const json_t *hooks)
{
        bool good = true;
        json_t *hook;
        size_t i;

        json_array_foreach(hooks, i, hook)
        {
                const char *refused = tn_cli_text(hook, "refused");

                printf("%sHook %s%s%s\n", i ? "" : "\n", tn_cli_text(hook, "hook"),
                       *refused ? ": cannot be trusted, so every freeze would fail: it " : "", refused);
                good &= !*refused;
        }
        return good;
}

int tn_cli_freeze(int argc, char **argv)
{
        gboolean check = FALSE, json = FALSE;
        const struct tn_cli_value values[] = {{"check", &check}, {"json", &json}, {NULL}};
        g_autoptr(GError) error = NULL;
        json_auto_t *reply = NULL;

        if (!tn_cli_options(&argc, &argv, values))
                return TN_EXIT_USAGE;
        if (!check) {
                fprintf(stderr, "tenonctl freeze: only the host freezes; try tenonctl freeze --check\n");
                return TN_EXIT_USAGE;
        }
        reply = tn_client_ask(tn_cli_socket(), "tenon-freeze-check", &error);
        if (!reply)
                return tn_cli_fail(error);
        if (json) {
                tn_cli_print_json(reply);
                return TN_EXIT_OK;
        }
        print_file_systems(json_object_get(reply, "file-systems"));
        return print_hooks(json_object_get(reply, "hooks")) ? TN_EXIT_OK : TN_EXIT_NO;
}
