/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* tenonctl drivers undo: in the caller's process, as root; the agent is not asked. */
#include "pvdrivers/undo.h"

#include <stdio.h>

#include "cli/cli.h"
#include "cli/drivers.h"
#include "cli/machine.h"
#include "cli/progress.h"
#include "cli/table.h"

static void print_undone(const json_t *result, bool dry_run)
{
        json_int_t left = json_integer_value(json_object_get(result, "left"));

        tn_cli_drivers_print_lines(dry_run ? "Would be what it was before:" : "As it was before:",
                                   json_object_get(result, "restored"));
        if (left)
                tn_cli_say("%" JSON_INTEGER_FORMAT
                           " earlier prepare(s) can be undone, too: tenonctl drivers undo --all",
                           left);
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
                tn_cli_say("There is nothing to undo.");
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

static int undo(const struct tn_env *env, const struct tn_undo_options *options)
{
        g_autoptr(GError) error = NULL;
        json_auto_t *result = NULL;
        struct tn_progress progress;

        tn_cli_progress_init(&progress);
        result = tn_undo_run(env, options, &progress, &error);
        tn_cli_progress_end(&progress);
        if (!result)
                return tn_cli_fail_with(error, TN_EXIT_USAGE);
        if (tn_cli_wants_json())
                tn_cli_print_json(result);
        else
                print_undone(result, options->dry_run);
        return TN_EXIT_OK;
}

struct request {
        gboolean all, force, list, dry_run, json;
};

static int run(const struct tn_env *env, void *data)
{
        const struct request *request = data;

        return request->list ? list_undo(env, request->json)
                             : undo(env, &(struct tn_undo_options){.all = request->all,
                                                                   .force = request->force,
                                                                   .dry_run = request->dry_run});
}

int tn_cli_drivers_undo(int argc, char **argv)
{
        struct request request = {0};
        const struct tn_cli_value values[] = {{"all", &request.all},   {"force", &request.force},
                                              {"list", &request.list}, {"dry-run", &request.dry_run},
                                              {"json", &request.json}, {NULL}};

        if (!tn_cli_options(&argc, &argv, values))
                return TN_EXIT_USAGE;
        if (!tn_cli_is_root("only root may look at the copies and restore them", TN_EXIT_USAGE))
                return TN_EXIT_USAGE;
        return tn_cli_on_machine(NULL, run, &request, TN_EXIT_USAGE);
}
