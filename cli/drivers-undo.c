/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* tenonctl drivers undo: in the caller's process, as root; the agent is not asked. */
#include "pvdrivers/undo.h"

#include <stdio.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/drivers.h"
#include "cli/progress.h"
#include "cli/table.h"

static int fail(const GError *error)
{
        fprintf(stderr, "tenonctl drivers undo: %s\n", error->message);
        return TN_EXIT_USAGE;
}

static void print_undone(const json_t *result, bool dry_run)
{
        json_int_t left = json_integer_value(json_object_get(result, "left"));

        tn_cli_drivers_print_lines(dry_run ? "Would be what it was before:" : "As it was before:",
                                   json_object_get(result, "restored"));
        if (left)
                printf("%lld earlier prepare(s) can be undone, too: tenonctl drivers undo --all\n",
                       (long long) left);
}

static int list_undo(const struct tn_env *env, bool json)
{
        static const char *const headers[] = {"ID", "TARGET", "STATE", "FILES", NULL};
        json_auto_t *list = tn_undo_list(env);
        struct libscols_table *table;
        json_t *row;
        size_t i;

        if (json) {
                tn_cli_print_json(list);
                return TN_EXIT_OK;
        }
        if (!json_array_size(list)) {
                printf("There is nothing to undo.\n");
                return TN_EXIT_OK;
        }
        table = tn_table_new(headers);
        json_array_foreach(list, i, row)
        {
                g_autofree char *files = g_strdup_printf("%zu",
                                                         json_array_size(json_object_get(row, "files")));
                const char *cells[] = {tn_cli_text(row, "id"), tn_cli_text(row, "target"),
                                       tn_cli_text(row, "state"), files};

                tn_table_add(table, cells);
        }
        tn_table_print(table);
        return TN_EXIT_OK;
}

static int run_undo(const struct tn_env *env, const struct tn_undo_options *options, bool json)
{
        g_autoptr(GError) error = NULL;
        json_auto_t *result = NULL;
        struct tn_progress progress;

        tn_cli_progress_init(&progress);
        result = tn_undo_run(env, options, &progress, &error);
        tn_cli_progress_end(&progress);
        if (!result)
                return fail(error);
        if (json)
                tn_cli_print_json(result);
        else
                print_undone(result, options->dry_run);
        return TN_EXIT_OK;
}

int tn_cli_drivers_undo(int argc, char **argv)
{
        gboolean all = FALSE, force = FALSE, dry_run = FALSE, json = FALSE, list = FALSE;
        const struct tn_cli_value values[] = {{"all", &all},         {"force", &force}, {"list", &list},
                                              {"dry-run", &dry_run}, {"json", &json},   {NULL}};
        g_autoptr(GError) error = NULL;
        struct tn_env env;
        int status;

        if (!tn_cli_options(&argc, &argv, values))
                return TN_EXIT_USAGE;
        if (geteuid() != 0) {
                fprintf(stderr,
                        "tenonctl drivers undo: only root may look at the copies and restore them\n");
                return TN_EXIT_USAGE;
        }
        if (!tn_env_init_system(&env, NULL, &error))
                return fail(error);
        status = list ? list_undo(&env, json)
                      : run_undo(&env, &(struct tn_undo_options){all, force, dry_run}, json);
        tn_env_deinit(&env);
        return status;
}
