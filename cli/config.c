/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* tenonctl config: the settings in force, read by the agent's own reader, so that it never says anything
 * else than the agent does. */
#include "agent/config.h"

#include <stdio.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/table.h"
#include "lib/env.h"
#include "lib/json.h"
#include "lib/names.h"

static void add_json(const struct tn_config *config, const char *group, const struct tn_config_key *row,
                     void *data)
{
        const char *origin = tn_config_origin(config, group, row->key);

        json_array_append_new(
                data, json_pack("{s:s, s:s, s:o, s:s, s:o, s:s}", "group", group, "key", row->key, "value",
                                tn_json_text(tn_config_get(config, group, row->key)), "default",
                                row->fallback, "origin", tn_json_text(origin), "doc", row->doc));
}

json_t *tn_cli_config_json(const struct tn_config *config)
{
        json_t *settings = json_array(), *mistakes = json_array();

        tn_config_foreach(config, add_json, settings);
        for (const char *const *mistake = tn_config_mistakes(config); *mistake; mistake++)
                json_array_append_new(mistakes, tn_json_text(*mistake));
        return json_pack("{s:o, s:o}", "settings", settings, "mistakes", mistakes);
}

static void add_line(const struct tn_config *config, const char *group, const struct tn_config_key *row,
                     void *data)
{
        const char *origin = tn_config_origin(config, group, row->key);
        const char *cells[] = {group, row->key, tn_config_get(config, group, row->key),
                               origin ? origin : "default"};

        tn_table_add(data, cells);
}

static void print_table(const struct tn_config *config)
{
        const char *headers[] = {"GROUP", "KEY", "VALUE", "FROM", NULL};
        struct libscols_table *table = tn_table_new(headers);

        tn_config_foreach(config, add_line, table);
        tn_table_print(table);
}

static void complain(const char *mistake)
{
        g_autofree char *clean = tn_screen_escape(mistake);

        fprintf(stderr, "tenonctl: configuration: %s\n", clean);
}

int tn_cli_config(int argc, char **argv)
{
        gboolean json = FALSE;
        g_autofree char *file = NULL, *path = NULL;
        const struct tn_cli_value values[] = {{"json", &json}, {"file", &file}, {NULL}};
        g_autoptr(GError) error = NULL;
        g_autoptr(tn_config_t) config = NULL;
        const char *const *mistakes;
        struct tn_env env = {0};

        if (!tn_cli_options(&argc, &argv, values))
                return TN_EXIT_USAGE;
        path = g_canonicalize_filename(file ? file : TN_PATH_CONFIG, NULL);
        if (!tn_env_init_system(&env, NULL, &error) ||
            !(config = tn_config_new(&env, path, file != NULL, &error))) {
                tn_env_deinit(&env);
                return tn_cli_fail_with(error, TN_EXIT_USAGE);
        }
        if (json) {
                json_auto_t *value = tn_cli_config_json(config);

                tn_cli_print_json(value);
        } else {
                print_table(config);
        }
        mistakes = tn_config_mistakes(config);
        for (const char *const *mistake = mistakes; *mistake; mistake++)
                complain(*mistake);
        tn_env_deinit(&env);
        return *mistakes ? TN_EXIT_NO : TN_EXIT_OK;
}
