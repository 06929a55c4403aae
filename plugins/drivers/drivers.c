/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * The plugin "drivers": devices, drivers and advice for the host, and what the guest uses of its memory. The
 * agent's sandbox hides the folder of modules, so the inventory is made by tenon-drivers(8) outside of it.
 */
#include "lib/env.h"
#include "lib/error.h"
#include "lib/log.h"
#include "lib/names.h"
#include "lib/outside.h"
#include "plugins/drivers/memory.h"
#include "plugins/drivers/prepare.h"
#include "plugins/drivers/pressure.h"
#include "tenon/plugin.h"

#define INVENTORY_TIMEOUT_MS 30000  /* reads lists of modules from a disk that may be slow */
#define PLAN_TIMEOUT_MS      120000 /* unpacks the initramfs of each kernel */

struct drivers {
        struct tn_outside *outside;
        struct tn_pressure *pressure; /* NULL: this kernel lets us not watch */
        struct drivers_prepare *prepare;
};

/* One call under way. */
struct request {
        struct tenon_host *host;
        struct tenon_call *call;
        const char *verb; /* of tenon-drivers; static */
};

/* The program's last line, or NULL with @error. */
static json_t *read_reply(const char *verb, const struct tn_child_result *result, GError **error)
{
        json_t *value = result->exit_status == 0 ? json_loads(result->output, 0, NULL) : NULL;
        g_autofree char *ending = NULL, *output = NULL;

        if (json_is_object(value))
                return value;
        json_decref(value);
        ending = tn_child_describe(result);
        output = g_strchomp(g_strndup(result->output, 200));
        (void) tn_error_set(error, result->timed_out ? TN_ERROR_TIMEOUT : TN_ERROR_FAILED,
                            "tenon-drivers %s %s%s%s", verb, ending, *output ? ": " : "", output);
        return NULL;
}

static void on_answer(const struct tn_child_result *result, const GError *not_run, void *data)
{
        struct request *request = data;
        GError *error = not_run ? g_error_copy(not_run) : NULL;
        json_t *value = result ? read_reply(request->verb, result, &error) : NULL;

        if (value)
                request->host->reply(request->call, value);
        else
                request->host->fail(request->call, error);
        g_free(request);
}

/* Runs tenon-drivers with @args, the first of which is the verb, at most two more. */
static void ask(struct tenon_host *host, struct tenon_call *call, const char *const *args,
                unsigned deadline_ms)
{
        struct drivers *drivers = host->data;
        const char *program = host->config(host, "drivers", "program");
        const char *argv[] = {program ? program : TN_PATH_DRIVERS, args[0], args[1],
                              args[1] ? args[2] : NULL, NULL};
        struct request *request = g_new0(struct request, 1);

        *request = (struct request){host, call, args[0]};
        tn_outside_run(drivers->outside, argv, NULL, 0, deadline_ms, on_answer, request);
}

static void get_drivers_start(struct tenon_host *host, struct tenon_call *call, json_t *args)
{
        (void) args;
        ask(host, call, (const char *const[]){"inventory", NULL}, INVENTORY_TIMEOUT_MS);
}

static void plan_start(struct tenon_host *host, struct tenon_call *call, json_t *args)
{
        const char *name = json_string_value(json_object_get(args, "devices"));
        g_autofree char *target = g_strdup_printf("--target=%s",
                                                  json_string_value(json_object_get(args, "target")));
        g_autofree char *devices = name ? g_strdup_printf("--devices=%s", name) : NULL;

        ask(host, call, (const char *const[]){"plan", target, devices, NULL}, PLAN_TIMEOUT_MS);
}

static json_t *prepare_run(struct tenon_host *host, json_t *args, GError **error)
{
        struct drivers *drivers = host->data;

        return drivers_prepare_begin(drivers->prepare, args, error);
}

static json_t *undo_run(struct tenon_host *host, json_t *args, GError **error)
{
        struct drivers *drivers = host->data;

        return drivers_prepare_undo(drivers->prepare, args, error);
}

static json_t *get_prepare_run(struct tenon_host *host, json_t *args, GError **error)
{
        struct drivers *drivers = host->data;

        (void) args;
        (void) error;
        return drivers_prepare_state(drivers->prepare);
}

static json_t *get_memory_run(struct tenon_host *host, json_t *args, GError **error)
{
        (void) args;
        return tn_memory_read(host->env, error);
}

static void renew_memory(void *data)
{
        struct tenon_host *host = data;
        json_t *value = tn_memory_read(host->env, NULL);

        if (value)
                host->fact_set(host, "memory", value);
}

static void watch_memory(struct tenon_host *host, struct drivers *drivers)
{
        g_autoptr(GError) error = NULL;

        drivers->pressure = host->env->recorded ? NULL
                                                : tn_pressure_new(host->env, renew_memory, host, &error);
        if (error)
                host->log(host, TN_LOG_DEBUG, "pressure on the memory is not seen: %s", error->message);
}

static bool start(struct tenon_host *host, GError **error)
{
        struct drivers *drivers = g_new0(struct drivers, 1);

        (void) error;
        drivers->outside = tn_outside_new(host->env);
        drivers->prepare = drivers_prepare_new(host);
        host->data = drivers;
        watch_memory(host, drivers);
        renew_memory(host);
        return true;
}

static void stop(struct tenon_host *host)
{
        struct drivers *drivers = host->data;

        tn_pressure_free(drivers->pressure);
        drivers_prepare_free(drivers->prepare);
        tn_outside_free(drivers->outside);
        g_free(drivers);
        host->data = NULL;
}

static const struct tenon_command commands[] = {
        {.name = "tenon-get-drivers",
         .args = "",
         .summary = "Devices, their drivers, and what would be better on this host",
         .category = TENON_CATEGORY_INFO,
         .start = get_drivers_start},
        {.name = "tenon-drivers-plan",
         .args = "target:str,devices:str?",
         .summary = "Would this guest boot on another hypervisor, and what would it lose there",
         .category = TENON_CATEGORY_INFO,
         .start = plan_start},
        {.name = "tenon-get-memory",
         .args = "",
         .summary = "What the guest uses of its memory, the balloon, and how much tasks wait",
         .category = TENON_CATEGORY_INFO,
         .run = get_memory_run},
        {.name = "tenon-drivers-prepare",
         .args = "target:str,dry-run:bool?",
         .summary = "Make the guest ready for another hypervisor; answers when it has begun",
         .category = TENON_CATEGORY_EXEC,
         .flags = TENON_COMMAND_CHANGES,
         .run = prepare_run},
        {.name = "tenon-drivers-undo",
         .args = "all:bool?,force:bool?",
         .summary = "Take back what tenon-drivers-prepare did; answers when it has begun",
         .category = TENON_CATEGORY_EXEC,
         .flags = TENON_COMMAND_CHANGES,
         .run = undo_run},
        {.name = "tenon-get-drivers-prepare",
         .args = "",
         .summary = "How far tenon-drivers-prepare or -undo is, and what came of it",
         .category = TENON_CATEGORY_INFO,
         .run = get_prepare_run},
        {.name = NULL},
};

const struct tenon_plugin tenon_plugin = {
        .abi = TENON_PLUGIN_ABI,
        .name = "drivers",
        .summary = "paravirtual drivers and advice; what the guest uses of its memory",
        .start = start,
        .stop = stop,
        .commands = commands,
};
