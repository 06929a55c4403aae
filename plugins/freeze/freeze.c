/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* The plugin: commands, start and stop. See README.md for how the parts play together. */
#include "lib/error.h"
#include "plugins/freeze/hooks.h"
#include "plugins/freeze/plan.h"
#include "plugins/freeze/run.h"
#include "plugins/freeze/settings.h"
#include "plugins/freeze/trim.h"
#include "tenon/plugin.h"

#define TIMEOUT_MAX_SECONDS 3600

struct freeze {
        struct freeze_run *run;
        struct freeze_trim *trim;
};

static json_t *status_run(struct tenon_host *host, json_t *args, GError **error)
{
        const struct freeze *freeze = host->data;

        return json_string(freeze_run_status(freeze->run));
}

static json_t *report_run(struct tenon_host *host, json_t *args, GError **error)
{
        const struct freeze *freeze = host->data;

        return freeze_run_report(freeze->run);
}

static json_t *check_run(struct tenon_host *host, json_t *args, GError **error)
{
        g_auto(GStrv) exclude = freeze_settings_exclude(host);
        g_autoptr(GPtrArray) hooks = freeze_settings_hooks(host);
        g_autoptr(freeze_plan_t)
                plan = freeze_plan_new(host->env, (const char *const *) exclude, NULL, error);

        if (!plan)
                return NULL;
        return json_pack("{s:o, s:o, s:i}", "file-systems", freeze_plan_to_json(plan), "hooks",
                         freeze_hooks_to_json(hooks), "timeout-ms", (int) freeze_settings_timeout_ms(host));
}

/* NULL, or the strings of @list, borrowed; free the array with g_free(). */
static const char **strings(const json_t *list)
{
        const char **all = list ? g_new0(const char *, json_array_size(list) + 1) : NULL;
        json_t *value;
        size_t i;

        json_array_foreach(list, i, value) all[i] = json_string_value(value);
        return all;
}

static void freeze_start(struct tenon_host *host, struct tenon_call *call, json_t *args)
{
        struct freeze *freeze = host->data;
        json_t *timeout = json_object_get(args, "timeout");
        json_int_t seconds = json_integer_value(timeout);
        g_autofree const char **only = strings(json_object_get(args, "mountpoints"));

        if (timeout && (seconds < 1 || seconds > TIMEOUT_MAX_SECONDS)) {
                host->fail(call, g_error_new(TN_ERROR, TN_ERROR_INVALID,
                                             "timeout is to be a number of seconds from 1 to %d",
                                             TIMEOUT_MAX_SECONDS));
                return;
        }
        freeze_run_freeze(freeze->run, call,
                          timeout ? (unsigned) seconds * 1000 : freeze_settings_timeout_ms(host), only);
}

static void thaw_start(struct tenon_host *host, struct tenon_call *call, json_t *args)
{
        struct freeze *freeze = host->data;

        (void) args;
        freeze_run_thaw(freeze->run, call);
}

static void trim_start(struct tenon_host *host, struct tenon_call *call, json_t *args)
{
        struct freeze *freeze = host->data;
        json_int_t minimum = json_integer_value(json_object_get(args, "minimum"));

        if (minimum < 0) {
                host->fail(call, g_error_new(TN_ERROR, TN_ERROR_INVALID, "minimum must not be negative"));
                return;
        }
        freeze_trim_start(freeze->trim, call, (uint64_t) minimum);
}

static bool start(struct tenon_host *host, GError **error)
{
        struct freeze *freeze = g_new0(struct freeze, 1);

        host->data = freeze;
        freeze->run = freeze_run_new(host);
        freeze->trim = freeze_trim_new(host);
        return true;
}

static void stop(struct tenon_host *host)
{
        struct freeze *freeze = host->data;

        freeze_trim_free(freeze->trim);
        freeze_run_free(freeze->run);
        g_free(freeze);
        host->data = NULL;
}

static const struct tenon_command commands[] = {
        {.name = "guest-fsfreeze-status",
         .args = "",
         .summary = "Whether file systems are frozen",
         .category = TENON_CATEGORY_INFO,
         .flags = TENON_COMMAND_WHILE_FROZEN,
         .run = status_run},
        {.name = "guest-fsfreeze-freeze",
         .args = "timeout:int?",
         .summary = "Run the hooks, write out and freeze all file systems, for timeout seconds at most",
         .category = TENON_CATEGORY_FREEZE,
         .flags = TENON_COMMAND_CHANGES,
         .start = freeze_start},
        {.name = "guest-fsfreeze-freeze-list",
         .args = "mountpoints:[str]?,timeout:int?",
         .summary = "The same for some mount points",
         .category = TENON_CATEGORY_FREEZE,
         .flags = TENON_COMMAND_CHANGES,
         .start = freeze_start},
        {.name = "guest-fsfreeze-thaw",
         .args = "",
         .summary = "Thaw what was frozen and run the thaw hooks",
         .category = TENON_CATEGORY_FREEZE,
         .flags = TENON_COMMAND_CHANGES | TENON_COMMAND_WHILE_FROZEN,
         .start = thaw_start},
        {.name = "guest-fstrim",
         .args = "minimum:int?",
         .summary = "Give unused blocks back to the host",
         .category = TENON_CATEGORY_FREEZE,
         .flags = TENON_COMMAND_CHANGES,
         .start = trim_start},
        {.name = "tenon-get-freeze-report",
         .args = "",
         .summary = "The present or last freeze: each file system and hook, durations, why it was thawed",
         .category = TENON_CATEGORY_INFO,
         .flags = TENON_COMMAND_WHILE_FROZEN,
         .run = report_run},
        {.name = "tenon-freeze-check",
         .args = "",
         .summary = "What a freeze would do now, and what not, and why",
         .category = TENON_CATEGORY_INFO,
         .flags = TENON_COMMAND_WHILE_FROZEN,
         .run = check_run},
        {.name = NULL},
};

const struct tenon_plugin tenon_plugin = {
        .abi = TENON_PLUGIN_ABI,
        .name = "freeze",
        .summary = "Consistent snapshots: file systems are frozen for a bounded time; trimming",
        .start = start,
        .stop = stop,
        .commands = commands,
};
