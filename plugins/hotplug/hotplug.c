/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * CPUs and memory blocks on- and offline at the host's wish. The work is done by tenon-system-helper(8): the
 * kernel may take seconds for one write, and the agent's sandbox has /sys read-only. What can be read
 * (guest-get-vcpus, guest-get-memory-blocks) is the plugin guestinfo's.
 */
#include "lib/error.h"
#include "lib/names.h"
#include "lib/outside.h"
#include "tenon/plugin.h"

#define TIMEOUT_MS                                                                                          \
        60000 /* offlining a block moves its pages; the kernel gives up only when it is killed              \
               */

struct hotplug {
        struct tn_outside *outside;
};

/* One call under way. */
struct request {
        struct tenon_host *host;
        struct tenon_call *call;
};

/* Takes @reply; NULL: @error tells. */
static void end(struct request *request, json_t *reply, const GError *error)
{
        if (error)
                request->host->fail(request->call, g_error_copy(error));
        else
                request->host->reply(request->call, reply);
        g_free(request);
}

/* As the QEMU guest agent has it: how many were done; why no more, only the log says. */
static void on_vcpus_set(json_t *value, const GError *error, void *data)
{
        struct request *request = data;
        const char *stopped_by = json_string_value(json_object_get(value, "stopped-by"));

        if (stopped_by)
                request->host->log(request->host, 4, "guest-set-vcpus: not all were set: %s", stopped_by);
        end(request, json_incref(json_object_get(value, "processed")), error);
}

static void on_blocks_set(json_t *value, const GError *error, void *data)
{
        end(data, json_incref(value), error);
}

static void ask_helper(struct tenon_host *host, struct tenon_call *call, const char *operation, json_t *args,
                       tn_outside_answered answered)
{
        struct hotplug *hotplug = host->data;
        const char *helper = host->config(host, "agent", "helper");
        struct request *request = g_new0(struct request, 1);
        json_auto_t *question = json_pack("{s:s}", "op", operation);

        *request = (struct request){.host = host, .call = call};
        (void) json_object_update(question, args);
        tn_outside_ask(hotplug->outside, helper ? helper : TN_PATH_HELPER, question, TIMEOUT_MS, answered,
                       request);
}

static void vcpus_start(struct tenon_host *host, struct tenon_call *call, json_t *args)
{
        ask_helper(host, call, "set-vcpus", args, on_vcpus_set);
}

static void blocks_start(struct tenon_host *host, struct tenon_call *call, json_t *args)
{
        ask_helper(host, call, "set-memory-blocks", args, on_blocks_set);
}

static bool hotplug_start(struct tenon_host *host, GError **error)
{
        struct hotplug *hotplug = g_new0(struct hotplug, 1);

        (void) error;
        hotplug->outside = tn_outside_new(host->env);
        host->data = hotplug;
        return true;
}

static void hotplug_stop(struct tenon_host *host)
{
        struct hotplug *hotplug = host->data;

        tn_outside_free(hotplug->outside);
        g_free(hotplug);
        host->data = NULL;
}

static const struct tenon_command commands[] = {
        {.name = "guest-set-vcpus",
         .args = "vcpus:[{logical-id:int,online:bool,can-offline:bool?}]",
         .summary = "CPUs on- and offline",
         .category = TENON_CATEGORY_HOTPLUG,
         .flags = TENON_COMMAND_CHANGES,
         .start = vcpus_start},
        {.name = "guest-set-memory-blocks",
         .args = "mem-blks:[{phys-index:int,online:bool,can-offline:bool?}]",
         .summary = "Memory blocks on- and offline",
         .category = TENON_CATEGORY_HOTPLUG,
         .flags = TENON_COMMAND_CHANGES,
         .start = blocks_start},
        {.name = NULL},
};

const struct tenon_plugin tenon_plugin = {
        .abi = TENON_PLUGIN_ABI,
        .name = "hotplug",
        .summary = "CPUs and memory on- and offline",
        .start = hotplug_start,
        .stop = hotplug_stop,
        .commands = commands,
};
