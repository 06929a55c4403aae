/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* tenonctl drivers install: in the caller's process, as root. */
#include "pvdrivers/install.h"

#include <stdio.h>

#include "cli/cli.h"
#include "cli/drivers.h"
#include "cli/machine.h"
#include "cli/progress.h"

static void print_missing(const json_t *rows, bool dry_run)
{
        json_t *row;
        size_t i;

        json_array_foreach(rows, i, row)
        {
                g_autoptr(GString) names = g_string_new(NULL);
                json_t *package;
                size_t j;

                json_array_foreach(json_object_get(row, "packages"), j, package)
                        g_string_append_printf(names, " %s", json_string_value(package));
                tn_cli_say("%s for the kernel %s: %s%s", tn_cli_text(row, "module"),
                           tn_cli_text(row, "kernel"), dry_run ? "would come with" : "came with",
                           names->str);
        }
}

static void print_modules(const json_t *modules)
{
        json_t *row;
        size_t i;

        json_array_foreach(modules, i, row)
        {
                const char *module = tn_cli_text(row, "module"), *kernel = tn_cli_text(row, "kernel");

                if (json_is_true(json_object_get(row, "needs-reboot")))
                        tn_cli_say("%s is there for the kernel %s: reboot into it%s", module, kernel,
                                   json_is_true(json_object_get(row, "default"))
                                           ? ""
                                           : ", which the boot loader does not take by itself");
                else if (json_is_true(json_object_get(row, "loaded")))
                        tn_cli_say("%s is loaded", module);
                else
                        tn_cli_say("%s is there, but %s; it was not loaded", module,
                                   tn_cli_text(row, "state"));
        }
}

static void print_result(const json_t *result)
{
        bool dry_run = json_is_true(json_object_get(result, "dry-run"));

        if (!json_array_size(json_object_get(result, "missing")))
                tn_cli_say("No driver that is wanted here is missing.");
        print_missing(json_object_get(result, "missing"), dry_run);
        print_modules(json_object_get(result, "modules"));
}

static int run(const struct tn_env *env, void *data)
{
        g_autoptr(tn_catalogue_t) catalogue = tn_catalogue_new(env, NULL);
        g_autoptr(GError) error = NULL;
        json_auto_t *result = NULL;
        struct tn_progress progress;

        tn_cli_progress_init(&progress);
        result = tn_install_run(env, catalogue, data, &progress, &error);
        tn_cli_progress_end(&progress);
        if (!result)
                return tn_cli_fail_with(error, TN_EXIT_USAGE);
        if (tn_cli_wants_json())
                tn_cli_print_json(result);
        else
                print_result(result);
        return TN_EXIT_OK;
}

int tn_cli_drivers_install(int argc, char **argv)
{
        gboolean dry_run = FALSE, json = FALSE;
        g_autofree char *target = NULL;
        g_auto(GStrv) roles = NULL;
        const struct tn_cli_value values[] = {{"target", &target},
                                              {"dry-run", &dry_run},
                                              {"json", &json},
                                              {TN_CLI_OPERANDS, &roles},
                                              {NULL}};
        struct tn_install_options options = {0};
        g_autoptr(GError) error = NULL;

        if (!tn_cli_options(&argc, &argv, values))
                return TN_EXIT_USAGE;
        if (!tn_install_parse((const char *const *) roles, target, &options, &error))
                return tn_cli_fail_with(error, TN_EXIT_USAGE);
        options.dry_run = dry_run;
        if (!dry_run &&
            !tn_cli_is_root("only root may install; --dry-run says what would be installed", TN_EXIT_USAGE))
                return TN_EXIT_USAGE;
        return tn_cli_on_machine(NULL, run, &options, TN_EXIT_USAGE);
}
