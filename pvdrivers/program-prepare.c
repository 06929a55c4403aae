/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * tenon-drivers prepare, undo, install: what the agent runs for the host. Events as they come, one line of
 * JSON each; the last line is {"event": "result", …} or {"event": "error", "code", "message"}.
 */
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "lib/error.h"
#include "lib/json.h"
#include "pvdrivers/install.h"
#include "pvdrivers/leftovers.h"
#include "pvdrivers/prepare.h"
#include "pvdrivers/program.h"
#include "pvdrivers/undo.h"

static void tell(const json_t *event, void *data)
{
        (void) data;
        tn_program_print_json(event);
        (void) fflush(stdout);
}

static int finish(json_t *result, int status, const GError *error)
{
        json_auto_t *event = NULL;

        if (result)
                event = json_pack("{s:s, s:o, s:i}", "event", "result", "result", result, "exit-status",
                                  status);
        else
                event = json_pack("{s:s, s:s, s:o}", "event", "error", "code", tn_error_name(error->code),
                                  "message", tn_json_text(error->message));
        tell(event, NULL);
        return result ? status : TN_PROGRAM_FAILED;
}

/* From here on nobody's end of our output is a reason to stop half-way. */
static bool check_root(const char *verb)
{
        (void) signal(SIGPIPE, SIG_IGN);
        if (geteuid() == 0)
                return true;
        fprintf(stderr, "tenon-drivers %s: only root may do this\n", verb);
        return false;
}

static int run_prepare(const struct tn_env *env, const struct tn_prepare_options *options, bool remove_tools)
{
        g_autoptr(tn_catalogue_t) catalogue = tn_catalogue_new(env, NULL);
        struct tn_progress progress = {.tell = tell};
        g_autoptr(GError) error = NULL;
        json_t *result = NULL;
        int status = 0;

        if (remove_tools)
                (void) tn_leftovers_remove(env, options->target, options->dry_run, NULL, &progress, &result,
                                           &error);
        else
                result = tn_prepare_run(env, catalogue, options, &progress, &status, &error);
        return finish(result, status, error);
}

int tn_program_prepare(const struct tn_env *env, int argc, char **argv)
{
        gboolean dry_run = FALSE, json = FALSE, remove_tools = FALSE;
        g_autofree char *target = NULL;
        const GOptionEntry entries[] = {
                {"target", 0, 0, G_OPTION_ARG_STRING, &target, "Where the guest goes to", "PLATFORM"},
                {"dry-run", 0, 0, G_OPTION_ARG_NONE, &dry_run, "Say what would be done, and do nothing",
                 NULL},
                {"remove-old-tools", 0, 0, G_OPTION_ARG_NONE, &remove_tools,
                 "After the move: remove other hypervisors' guest tools", NULL},
                {"json", 0, 0, G_OPTION_ARG_NONE, &json, "Print JSON, which it does anyway", NULL},
                {NULL},
        };
        struct tn_prepare_options options = {0};
        struct tn_install_options parsed = {0};
        g_autoptr(GError) error = NULL;

        if (!tn_program_options(&argc, &argv, entries, "Makes this guest ready for another hypervisor."))
                return TN_PROGRAM_USAGE;
        if (!tn_install_parse(NULL, target ? target : "", &parsed, &error))
                return finish(NULL, 0, error);
        options.target = parsed.target;
        options.dry_run = dry_run;
        if (!dry_run && !check_root("prepare"))
                return TN_PROGRAM_FAILED;
        return run_prepare(env, &options, remove_tools);
}

int tn_program_undo(const struct tn_env *env, int argc, char **argv)
{
        gboolean all = FALSE, force = FALSE, dry_run = FALSE, json = FALSE;
        const GOptionEntry entries[] = {
                {"all", 0, 0, G_OPTION_ARG_NONE, &all, "Every prepare, not only the last one", NULL},
                {"force", 0, 0, G_OPTION_ARG_NONE, &force, "Also files that somebody changed since", NULL},
                {"dry-run", 0, 0, G_OPTION_ARG_NONE, &dry_run, "Say what would be done, and do nothing",
                 NULL},
                {"json", 0, 0, G_OPTION_ARG_NONE, &json, "Print JSON, which it does anyway", NULL},
                {NULL},
        };
        struct tn_progress progress = {.tell = tell};
        struct tn_undo_options options = {0};
        g_autoptr(GError) error = NULL;

        if (!tn_program_options(&argc, &argv, entries, "Takes back what prepare did."))
                return TN_PROGRAM_USAGE;
        if (!check_root("undo"))
                return TN_PROGRAM_FAILED;
        options = (struct tn_undo_options){.all = all, .force = force, .dry_run = dry_run};
        return finish(tn_undo_run(env, &options, &progress, &error), 0, error);
}

int tn_program_install(const struct tn_env *env, int argc, char **argv)
{
        gboolean dry_run = FALSE, json = FALSE;
        g_autofree char *target = NULL;
        g_auto(GStrv) roles = NULL;
        const GOptionEntry entries[] = {
                {"target", 0, 0, G_OPTION_ARG_STRING, &target, "For another hypervisor's devices",
                 "PLATFORM"},
                {"dry-run", 0, 0, G_OPTION_ARG_NONE, &dry_run, "Say what would be done, and do nothing",
                 NULL},
                {"json", 0, 0, G_OPTION_ARG_NONE, &json, "Print JSON, which it does anyway", NULL},
                {G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_STRING_ARRAY, &roles, NULL, "[ROLE…]"},
                {NULL},
        };
        struct tn_progress progress = {.tell = tell};
        g_autoptr(tn_catalogue_t) catalogue = tn_catalogue_new(env, NULL);
        struct tn_install_options options = {.target = _TN_PV_PLATFORM_MAX};
        g_autoptr(GError) error = NULL;

        if (!tn_program_options(&argc, &argv, entries, "Installs drivers that the kernels here lack."))
                return TN_PROGRAM_USAGE;
        options.dry_run = dry_run;
        if (!tn_install_parse((const char *const *) roles, target, &options, &error)) {
                fprintf(stderr, "tenon-drivers install: %s\n", error->message);
                return TN_PROGRAM_USAGE;
        }
        if (!dry_run && !check_root("install"))
                return TN_PROGRAM_FAILED;
        return finish(tn_install_run(env, catalogue, &options, &progress, &error), 0, error);
}
