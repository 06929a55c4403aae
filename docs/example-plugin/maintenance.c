/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * A complete plugin: the host tells the guest that maintenance begins or ends, a program of the
 * administrator's is run for it, and all who look at the agent see it. docs/plugins.md goes through it line
 * by line. Nothing here but the header, GLib and jansson.
 */
#include <syslog.h>
#include <tenon/plugin.h>

#define HOOK_PATIENCE_MS 30000

/* All of the plugin's state; tenon_host.data points to it. */
struct maintenance {
        gint64 since; /* seconds since the epoch; 0: none */
        char *reason;
};

/* What a callback of tenon_host.run needs to know. */
struct change {
        struct tenon_call *call;
        bool begin;
        char *reason;
};

/* The fact "maintenance". A member "problems" makes it part of the agent's health. */
static void publish(struct tenon_host *host)
{
        const struct maintenance *maintenance = host->data;
        json_t *value = json_pack("{s:b}", "active", maintenance->since != 0);

        if (maintenance->since != 0) {
                json_object_set_new(value, "since", json_integer(maintenance->since));
                json_object_set_new(
                        value, "problems",
                        json_pack("[o]", json_sprintf("under maintenance: %s", maintenance->reason)));
                json_object_set_new(value, "remedies",
                                    json_pack("[s]", "the host ends it: example-maintenance"));
        }
        host->fact_set(host, "maintenance", value);
}

static void use_change(struct tenon_host *host, const struct change *change)
{
        struct maintenance *maintenance = host->data;

        g_free(maintenance->reason);
        maintenance->reason = change->begin ? g_strdup(change->reason) : NULL;
        maintenance->since = change->begin ? g_get_real_time() / G_USEC_PER_SEC : 0;
        host->log(host, LOG_NOTICE, "maintenance %s", change->begin ? "begins" : "ends");
        publish(host);
}

static void change_free(struct change *change)
{
        g_free(change->reason);
        g_free(change);
}

/* The hook has ended: only now is the host answered. */
static void on_hook_done(struct tenon_host *host, const struct tenon_child_result *result, void *data)
{
        struct change *change = data;

        if (result->exit_status == 0) {
                use_change(host, change);
                host->reply(change->call, json_object());
        } else {
                host->fail(change->call,
                           g_error_new(G_IO_CHANNEL_ERROR, G_IO_CHANNEL_ERROR_FAILED, "the hook %s: %.200s",
                                       result->timed_out ? "took too long" : "failed", result->output));
        }
        change_free(change);
}

/* example-maintenance: answers later, when there is a hook. */
static void change_start(struct tenon_host *host, struct tenon_call *call, json_t *args)
{
        const char *hook = host->config(host, "plugin maintenance", "hook"); /* an absolute path */
        const char *reason = json_string_value(json_object_get(args, "reason"));
        struct change *change = g_new0(struct change, 1);
        const char *argv[] = {hook, NULL, NULL};
        GError *error = NULL;

        change->call = call;
        change->begin = json_is_true(json_object_get(args, "begin"));
        change->reason = g_strdup(reason ? reason : "no reason given");
        argv[1] = change->begin ? "begin" : "end";
        if (hook && host->run(host, argv, HOOK_PATIENCE_MS, on_hook_done, change, &error))
                return;
        if (error) {
                host->fail(call, error);
        } else {
                use_change(host, change);
                host->reply(call, json_object());
        }
        change_free(change);
}

/* example-get-maintenance: answers at once, with the fact as it is. */
static json_t *get_run(struct tenon_host *host, json_t *args, GError **error)
{
        (void) args;
        (void) error;
        return json_incref(host->fact_get(host, "maintenance"));
}

static bool start(struct tenon_host *host, GError **error)
{
        (void) error;
        host->data = g_new0(struct maintenance, 1);
        publish(host);
        return true;
}

static void stop(struct tenon_host *host)
{
        struct maintenance *maintenance = host->data;

        g_free(maintenance->reason);
        g_free(maintenance);
}

static const struct tenon_command commands[] = {
        {.name = "example-maintenance",
         .args = "begin:bool,reason:str?",
         .summary = "Maintenance of this guest begins or ends",
         .category = TENON_CATEGORY_POWER,
         .flags = TENON_COMMAND_CHANGES,
         .start = change_start},
        {.name = "example-get-maintenance",
         .args = "",
         .summary = "Is this guest under maintenance, and since when",
         .category = TENON_CATEGORY_INFO,
         .run = get_run},
        {.name = NULL},
};

const struct tenon_plugin tenon_plugin = {
        .abi = TENON_PLUGIN_ABI,
        .name = "maintenance",
        .summary = "the host tells of maintenance",
        .start = start,
        .stop = stop,
        .commands = commands,
};
