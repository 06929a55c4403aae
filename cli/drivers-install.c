/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* tenonctl drivers install: in the caller's process, as root. */
#include "pvdrivers/install.h"

#include <stdio.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/drivers.h"
#include "cli/progress.h"

static void print_missing(const json_t *rows, bool dry_run)
{
        json_t *row;
        size_t i;

        json_array_foreach(rows, i, row)
        {
                json_t *package;
                size_t j;

                printf("%s for the kernel %s: %s", tn_cli_text(row, "module"), tn_cli_text(row, "kernel"),
                       dry_run ? "would come with" : "came with");
                json_array_foreach(json_object_get(row, "packages"), j, package)
                        printf(" %s", json_string_value(package));
                printf("\n");
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
                        printf("%s is there for the kernel %s: reboot into it%s\n", module, kernel,
                               json_is_true(json_object_get(row, "default"))
                                       ? ""
                                       : ", which the boot loader does not take by itself");
                else if (json_is_true(json_object_get(row, "loaded")))
                        printf("%s is loaded\n", module);
                else
                        printf("%s is there, but %s; it was not loaded\n", module,
                               tn_cli_text(row, "state"));
        }
}

static void print_result(const json_t *result)
{
        bool dry_run = json_is_true(json_object_get(result, "dry-run"));

        if (!json_array_size(json_object_get(result, "missing")))
                printf("No driver that is wanted here is missing.\n");
        print_missing(json_object_get(result, "missing"), dry_run);
        print_modules(json_object_get(result, "modules"));
}

static int fail(const GError *error)
{
        fprintf(stderr, "tenonctl drivers install: %s\n", error->message);
        return TN_EXIT_USAGE;
}

static int run(const struct tn_install_options *options, bool json)
{
        g_autoptr(tn_catalogue_t) catalogue = NULL;
        g_autoptr(GError) error = NULL;
        json_auto_t *result = NULL;
        struct tn_progress progress;
        struct tn_env env;

        if (!tn_env_init_system(&env, NULL, &error))
                return fail(error);
        catalogue = tn_catalogue_new(&env, NULL);
        tn_cli_progress_init(&progress);
        result = tn_install_run(&env, catalogue, options, &progress, &error);
        tn_cli_progress_end(&progress);
        if (result && json)
                tn_cli_print_json(result);
        else if (result)
                print_result(result);
        tn_env_deinit(&env);
        return result ? TN_EXIT_OK : fail(error);
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
                return fail(error);
        options.dry_run = dry_run;
        if (!dry_run && geteuid() != 0) {
                fprintf(stderr,
                        "tenonctl drivers install: only root may install; --dry-run says what would be "
                        "installed\n");
                return TN_EXIT_USAGE;
        }
        return run(&options, json);
}
