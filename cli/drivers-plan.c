/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * tenonctl drivers plan: the answer in one line, the findings as a table, then what to do. Reads only, with
 * the caller's rights.
 */
#include "cli/drivers-plan.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/progress.h"
#include "cli/table.h"
#include "lib/json.h"
#include "pvdrivers/plan-request.h"

struct options {
        gboolean json;
        char *target, *devices, *root;
};

static const char *conclusion(const char *verdict)
{
        static const struct {
                const char *verdict, *text;
        } texts[] = {
                {"ready", "is ready for"},
                {"fatal", "would not boot on"},
                {"loss", "would boot with a loss on"},
                {"unknown", "may or may not boot, which could not be told, on"},
        };

        for (size_t i = 0; i < G_N_ELEMENTS(texts); i++)
                if (strcmp(texts[i].verdict, verdict) == 0)
                        return texts[i].text;
        return verdict;
}

static void print_kernel(const json_t *kernel)
{
        const json_t *images = json_object_get(kernel, "initramfs");
        g_autoptr(GString) text = g_string_new(NULL);
        json_t *image;
        size_t i;

        json_array_foreach(images, i, image) g_string_append_printf(
                text, "; /%s (%s, %d modules)", tn_cli_text(image, "path"), tn_cli_text(image, "compressor"),
                (int) json_integer_value(json_object_get(image, "modules")));
        tn_cli_say("Kernel %s%s%s%s", tn_cli_text(kernel, "release"),
                   json_is_true(json_object_get(kernel, "default")) ? ", which boots" : ", a fallback",
                   json_is_true(json_object_get(kernel, "running")) ? ", running" : "", text->str);
}

static void print_head(const json_t *plan)
{
        g_autoptr(GString) devices = g_string_new(NULL);
        json_t *item;
        size_t i;

        tn_cli_say("This guest %s %s.", conclusion(tn_cli_text(plan, "verdict")),
                   tn_cli_text(plan, "target"));
        json_array_foreach(json_object_get(plan, "devices"), i, item)
                g_string_append_printf(devices, " %s", json_string_value(item));
        putchar('\n');
        tn_cli_say("Devices assumed there:%s; --devices names others", devices->str);
        json_array_foreach(json_object_get(plan, "kernels"), i, item) print_kernel(item);
        putchar('\n');
}

static void print_findings(const json_t *checks)
{
        static const char *const headers[] = {"VERDICT", "CHECK", "KERNEL", "EVIDENCE", NULL};
        struct libscols_table *table = tn_table_new(headers);
        json_t *check;
        size_t i;

        json_array_foreach(checks, i, check)
        {
                const char *cells[] = {tn_cli_text(check, "verdict"), tn_cli_text(check, "id"),
                                       tn_cli_text(check, "kernel"), tn_cli_text(check, "evidence")};

                tn_table_add(table, cells);
        }
        tn_table_print(table);
}

static bool is_bad(const json_t *check)
{
        const char *verdict = tn_cli_text(check, "verdict");

        return strcmp(verdict, "ready") != 0 && strcmp(verdict, "not-applicable") != 0;
}

/* @bad: remedies of what is wrong; else advice about what is not. */
static bool print_remedies(const json_t *checks, bool bad, const char *title)
{
        bool fixable = false, first = true;
        json_t *check;
        size_t i;

        json_array_foreach(checks, i, check)
        {
                const char *kernel = tn_cli_text(check, "kernel");

                if (is_bad(check) != bad || !json_is_string(json_object_get(check, "remedy")))
                        continue;
                if (first)
                        printf("\n%s\n", title);
                first = false;
                tn_cli_say("  %s%s%s: %s", tn_cli_text(check, "id"), *kernel ? " " : "", kernel,
                           tn_cli_text(check, "remedy"));
                fixable |= json_is_true(json_object_get(check, "fixable"));
        }
        return fixable;
}

static void print_plan(const json_t *plan)
{
        const json_t *checks = json_object_get(plan, "checks");

        print_head(plan);
        print_findings(checks);
        if (print_remedies(checks, true, "To do:"))
                tn_cli_say("  Much of it at once: tenonctl drivers prepare --target %s",
                           tn_cli_text(plan, "target"));
        print_remedies(checks, false, "To bear in mind:");
}

/* Reading the images takes seconds; in a pipe nobody watches, and who wants JSON wants nothing beside it. */
static tn_plan_t *make_plan(const struct tn_env *env, const struct options *options, GPtrArray *mistakes,
                            GError **error)
{
        struct tn_progress progress;
        tn_plan_t *plan;

        tn_cli_progress_init(&progress);
        progress.total = 1;
        if (!options->json && isatty(STDERR_FILENO))
                tn_progress_step(&progress, "plan", "reading kernels and initramfs images");
        plan = tn_plan_request(env, options->target, options->devices, mistakes, error);
        tn_cli_progress_end(&progress);
        return plan;
}

static int show(const struct tn_env *env, const struct options *options)
{
        g_autoptr(GPtrArray) mistakes = g_ptr_array_new_with_free_func(g_free);
        g_autoptr(GError) error = NULL;
        g_autoptr(tn_plan_t) plan = make_plan(env, options, mistakes, &error);
        json_auto_t *value = NULL;

        for (guint i = 0; i < mistakes->len; i++)
                tn_cli_warn(mistakes->pdata[i]);
        if (!plan)
                return tn_cli_fail_with(error, TN_PLAN_EXIT_NO_VERDICT);
        value = tn_plan_to_json(plan);
        if (options->json)
                tn_cli_print_json(value);
        else
                print_plan(value);
        if (fflush(stdout) != 0) {
                perror("tenonctl drivers plan: write the answer to stdout");
                return TN_PLAN_EXIT_NO_VERDICT;
        }
        return tn_plan_exit_status(plan);
}

static int run(const struct options *options)
{
        g_autoptr(GError) error = NULL;
        struct tn_env env;
        int status;

        if (options->root ? !tn_env_init_root(&env, options->root, &error)
                          : !tn_env_init_system(&env, NULL, &error))
                return tn_cli_fail_with(error, TN_PLAN_EXIT_NO_VERDICT);
        status = show(&env, options);
        tn_env_deinit(&env);
        return status;
}

int tn_cli_drivers_plan(int argc, char **argv)
{
        struct options options = {0};
        const struct tn_cli_value values[] = {{"target", &options.target},
                                              {"devices", &options.devices},
                                              {"json", &options.json},
                                              {"root", &options.root},
                                              {NULL}};
        int status = TN_PLAN_EXIT_NO_VERDICT;

        if (tn_cli_options(&argc, &argv, values))
                status = run(&options);
        g_free(options.target);
        g_free(options.devices);
        g_free(options.root);
        return status;
}
