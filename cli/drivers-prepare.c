/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* tenonctl drivers prepare: in the caller's process, as root; the agent is not asked. */
#include "cli/cli.h"
#include "cli/drivers.h"
#include "cli/machine.h"
#include "cli/progress.h"
#include "pvdrivers/install.h"
#include "pvdrivers/leftovers.h"
#include "pvdrivers/plan.h"
#include "pvdrivers/prepare.h"

void tn_cli_drivers_print_lines(const char *head, const json_t *lines)
{
        json_t *line;
        size_t i;

        if (json_array_size(lines))
                tn_cli_say("%s", head);
        json_array_foreach(lines, i, line) tn_cli_say("    %s", json_string_value(line));
}

static void print_changes(const json_t *changes)
{
        json_t *change;
        size_t i;

        json_array_foreach(changes, i, change)
        {
                json_t *detail;
                size_t j;

                tn_cli_say("    %s: %s", tn_cli_text(change, "file"), tn_cli_text(change, "why"));
                json_array_foreach(json_object_get(change, "details"), j, detail)
                        tn_cli_say("        %s", json_string_value(detail));
        }
}

static void print_images(const json_t *images)
{
        json_t *image;
        size_t i;

        json_array_foreach(images, i, image)
        {
                double before = (double) json_integer_value(json_object_get(image, "size-before")) /
                                (1 << 20);
                double after = (double) json_integer_value(json_object_get(image, "size-after")) / (1 << 20);

                if (json_object_get(image, "size-after"))
                        tn_cli_say("    %s: built anew, %.1f MiB (before %.1f MiB)",
                                   tn_cli_text(image, "file"), after, before);
                else
                        tn_cli_say("    %s: to be built by %s", tn_cli_text(image, "file"),
                                   tn_cli_text(image, "builder"));
        }
}

static void print_old_tools(const json_t *tools, const char *target)
{
        json_t *tool;
        size_t i;

        json_array_foreach(tools, i, tool)
        {
                if (i == 0)
                        tn_cli_say("Tools of other hypervisors, to be removed when the guest runs on %s:",
                                   target);
                tn_cli_say("    %s: %s", tn_cli_text(tool, "name"), tn_cli_text(tool, "remove"));
        }
}

/* What is not ready. A check without a remedy has its evidence. */
static void print_plan(const json_t *plan)
{
        json_t *check;
        size_t i;

        json_array_foreach(json_object_get(plan, "checks"), i, check)
        {
                const char *verdict = tn_cli_text(check, "verdict"), *remedy = tn_cli_text(check, "remedy");

                if (g_str_equal(verdict, "ready") || g_str_equal(verdict, "not-applicable"))
                        continue;
                tn_cli_say("    %s (%s): %s", tn_cli_text(check, "id"), verdict,
                           tn_cli_text(check, "evidence"));
                if (*remedy)
                        tn_cli_say("        %s", remedy);
        }
}

static void print_prepared(const json_t *result, int status)
{
        static const char *const verdicts[] = {
                [TN_PLAN_EXIT_READY] = "This guest is ready",
                [TN_PLAN_EXIT_FATAL] = "This guest would not boot",
                [TN_PLAN_EXIT_LOSS] = "This guest boots, but something is lost",
        };
        const char *target = tn_cli_text(result, "target");
        bool dry_run = json_is_true(json_object_get(result, "dry-run"));
        bool idle = !json_array_size(json_object_get(result, "changes")) &&
                    !json_array_size(json_object_get(result, "images"));

        if (idle)
                tn_cli_say("There is nothing to change for %s.", target);
        else
                tn_cli_say("%s for %s:", dry_run ? "Would be changed" : "Changed", target);
        print_changes(json_object_get(result, "changes"));
        print_images(json_object_get(result, "images"));
        tn_cli_drivers_print_lines("Left as it is:", json_object_get(result, "notes"));
        print_old_tools(json_object_get(result, "old-tools"), target);
        tn_cli_say("%s on %s%s.",
                   status <= TN_PLAN_EXIT_LOSS ? verdicts[status] : "It cannot be told how this guest fares",
                   target, dry_run ? " now, before any change" : "");
        print_plan(json_object_get(result, "plan"));
        if (!dry_run && !idle)
                tn_cli_say("`tenonctl drivers undo` takes all of it back.");
}

static int prepare(const struct tn_env *env, const struct tn_prepare_options *options, bool json)
{
        g_autoptr(tn_catalogue_t) catalogue = tn_catalogue_new(env, NULL);
        g_autoptr(GError) error = NULL;
        json_auto_t *result = NULL;
        struct tn_progress progress;
        int status = TN_PLAN_EXIT_NO_VERDICT;

        tn_cli_progress_init(&progress);
        result = tn_prepare_run(env, catalogue, options, &progress, &status, &error);
        tn_cli_progress_end(&progress);
        if (!result)
                return tn_cli_fail_with(error, TN_PLAN_EXIT_NO_VERDICT);
        if (json)
                tn_cli_print_json(result);
        else
                print_prepared(result, status);
        return status;
}

static int remove_tools(const struct tn_env *env, const struct tn_prepare_options *options, bool json)
{
        g_autoptr(GError) error = NULL;
        json_auto_t *result = NULL;
        struct tn_progress progress;
        bool done;

        tn_cli_progress_init(&progress);
        done = tn_leftovers_remove(env, options->target, options->dry_run, NULL, &progress, &result, &error);
        tn_cli_progress_end(&progress);
        if (!done)
                return tn_cli_fail_with(error, TN_PLAN_EXIT_NO_VERDICT);
        if (json) {
                tn_cli_print_json(result);
                return TN_EXIT_OK;
        }
        tn_cli_drivers_print_lines(options->dry_run ? "Packages that would be removed:"
                                                    : "Removed packages:",
                                   json_object_get(result, "removed"));
        tn_cli_drivers_print_lines("To be removed by hand:", json_object_get(result, "left"));
        if (!json_array_size(json_object_get(result, "removed")) &&
            !json_array_size(json_object_get(result, "left")))
                tn_cli_say("There are no tools of other hypervisors.");
        return TN_EXIT_OK;
}

struct request {
        struct tn_prepare_options options;
        gboolean dry_run, tools, json;
};

static int run(const struct tn_env *env, void *data)
{
        const struct request *request = data;

        return request->tools ? remove_tools(env, &request->options, request->json)
                              : prepare(env, &request->options, request->json);
}

int tn_cli_drivers_prepare(int argc, char **argv)
{
        struct request request = {0};
        g_autofree char *target = NULL;
        const struct tn_cli_value values[] = {{"target", &target},
                                              {"dry-run", &request.dry_run},
                                              {"remove-old-tools", &request.tools},
                                              {"json", &request.json},
                                              {NULL}};
        struct tn_install_options parsed = {0};
        g_autoptr(GError) error = NULL;

        if (!tn_cli_options(&argc, &argv, values))
                return TN_PLAN_EXIT_NO_VERDICT;
        if (!tn_install_parse(NULL, target ? target : "", &parsed, &error))
                return tn_cli_fail_with(error, TN_PLAN_EXIT_NO_VERDICT);
        request.options.target = parsed.target;
        request.options.dry_run = request.dry_run;
        if (!request.dry_run &&
            !tn_cli_is_root("only root may change the guest; --dry-run says what would be done",
                            TN_PLAN_EXIT_NO_VERDICT))
                return TN_PLAN_EXIT_NO_VERDICT;
        return tn_cli_on_machine(NULL, run, &request, TN_PLAN_EXIT_NO_VERDICT);
}
