/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* tenonctl policy: what the host may ask of this guest, and the line that would allow the rest. */
#include <stdio.h>

#include "cli/alone.h"
#include "cli/cli.h"
#include "cli/client.h"
#include "cli/table.h"

static void print_table(const json_t *policy)
{
        const char *headers[] = {"COMMAND", "CATEGORY", "CHANGES", "HOST MAY", "REMEDY", NULL};
        struct libscols_table *table = tn_table_new(headers);
        json_t *row;
        size_t i;

        printf("Preset %s (%s)\n\n", tn_cli_text(policy, "preset"), tn_cli_text(policy, "origin"));
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
        gboolean json = FALSE;
        const struct tn_cli_value values[] = {{"json", &json}, {NULL}};
        g_autoptr(GError) error = NULL;
        json_auto_t *policy = NULL;

        if (!tn_cli_options(&argc, &argv, values))
                return TN_EXIT_USAGE;
        policy = tn_client_ask(tn_cli_socket(), "tenon-get-policy", &error);
        if (!policy)
                return tn_alone(error, json, tn_alone_policy);
        if (json)
                tn_cli_print_json(policy);
        else
                print_table(policy);
        return TN_EXIT_OK;
}
