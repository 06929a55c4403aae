/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* tenonctl plugins: what the running agent loaded, what it did not, and why. */
#include <stdio.h>

#include "cli/alone.h"
#include "cli/cli.h"
#include "cli/client.h"
#include "cli/table.h"

static char *command_names(const json_t *plugin)
{
        GString *names = g_string_new(NULL);
        json_t *command;
        size_t i;

        json_array_foreach(json_object_get(plugin, "commands"), i, command)
                g_string_append_printf(names, "%s%s", i ? " " : "", tn_cli_text(command, "name"));
        return g_string_free(names, FALSE);
}

static void print_table(const json_t *plugins)
{
        const char *headers[] = {"PLUGIN", "STATE", "COMMANDS", NULL};
        struct libscols_table *table = tn_table_new(headers);
        json_t *plugin;
        size_t i;

        json_array_foreach(plugins, i, plugin)
        {
                g_autofree char *names = command_names(plugin);
                const char *cells[] = {tn_cli_text(plugin, "name"), tn_cli_text(plugin, "state"), names};

                tn_table_add(table, cells);
        }
        tn_table_print(table);
        json_array_foreach(plugins, i, plugin) if (json_object_get(plugin, "reason"))
        {
                g_autofree char *reason = tn_screen_escape(tn_cli_text(plugin, "reason"));

                printf("\n%s (%s): %s\n", tn_cli_text(plugin, "name"), tn_cli_text(plugin, "file"), reason);
        }
}

int tn_cli_plugins(int argc, char **argv)
{
        gboolean json = FALSE;
        const struct tn_cli_value values[] = {{"json", &json}, {NULL}};
        g_autoptr(GError) error = NULL;
        json_auto_t *status = NULL;

        if (!tn_cli_options(&argc, &argv, values))
                return TN_EXIT_USAGE;
        status = tn_client_ask(tn_cli_socket(), "tenon-get-status", &error);
        if (!status)
                return tn_alone(error, json, tn_alone_plugins);
        if (json)
                tn_cli_print_json(json_object_get(status, "plugins"));
        else
                print_table(json_object_get(status, "plugins"));
        return TN_EXIT_OK;
}
