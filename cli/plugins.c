/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* tenonctl plugins: what the running agent loaded, what it did not, and why. */
#include <stdio.h>

#include "cli/ask.h"
#include "cli/cli.h"
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
                putchar('\n');
                tn_cli_say("%s (%s): %s", tn_cli_text(plugin, "name"), tn_cli_text(plugin, "file"),
                           tn_cli_text(plugin, "reason"));
        }
}

int tn_cli_plugins(int argc, char **argv)
{
        static const struct tn_question question = {"tenon-get-status", "plugins", tn_alone_plugins,
                                                    print_table, NULL};

        return tn_ask_verb(argc, argv, &question);
}
