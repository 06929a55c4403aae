/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * The plugin: a hardware watchdog that resets this machine when nobody feeds it, fed while the guest is
 * well. This file has its life and its commands; arm.c decides and arms, feed.c feeds or starves.
 */
#include "plugins/watchdog/watchdog.h"

#include <unistd.h>

#include "lib/env.h"
#include "lib/error.h"
#include "lib/fd-store.h"
#include "lib/log.h"
#include "lib/names.h"
#include "plugins/watchdog/cause.h"

#define LATE_SECONDS 60

void watchdog_set_state(struct watchdog *watchdog, enum watchdog_state state, char *reason)
{
        static const bool is_trouble[_WATCHDOG_STATE_MAX] = {[WATCHDOG_REFUSED] = true};

        if (is_trouble[state] && g_strcmp0(reason, watchdog->reason) != 0)
                watchdog->host->log(watchdog->host, TN_LOG_ERR, "the watchdog is not armed: %s", reason);
        g_free(watchdog->reason);
        watchdog->reason = reason;
        watchdog->state = state;
        if (watchdog->stopping)
                return;
        g_ptr_array_unref(watchdog->devices);
        watchdog->devices = watchdog_devices_read(watchdog->host->env);
        watchdog->host->fact_set(watchdog->host, "watchdog", watchdog_report_fact(watchdog));
}

static void log_cause(struct watchdog *watchdog)
{
        json_t *members = watchdog_record_get(watchdog->record), *last = json_object_get(members, "last");
        struct tenon_host *host = watchdog->host;

        tn_log(host->env->log, TN_LOG_WARNING,
               TN_FIELDS({TN_F_PLUGIN, "watchdog"}, {TN_F_MESSAGE_ID, TN_MSG_WATCHDOG_RESET}),
               "the machine was reset before this boot: %s: %s",
               json_string_value(json_object_get(last, "cause")),
               json_string_value(json_object_get(last, "reason")));
        if (json_object_get(members, "brake"))
                host->log(host, TN_LOG_ERR,
                          "too many resets: from now on the watchdog is armed, but no check stops the "
                          "feeding any "
                          "more; tenonctl watchdog arm releases this brake");
}

static gboolean on_device_is_late(void *data)
{
        struct watchdog *watchdog = data;

        watchdog->examine_source = 0;
        watchdog_examine(watchdog, true);
        return G_SOURCE_REMOVE;
}

void watchdog_examine(struct watchdog *watchdog, bool now)
{
        const struct watchdog_settings *settings = &watchdog->settings;

        if (!now && !watchdog_cause_is_due(watchdog->record, watchdog->devices)) {
                if (!watchdog->examine_source)
                        watchdog->examine_source = g_timeout_add_seconds(LATE_SECONDS, on_device_is_late,
                                                                         watchdog);
                return;
        }
        g_clear_handle_id(&watchdog->examine_source, g_source_remove);
        if (!watchdog_cause_examine(watchdog->record, watchdog->host->env, watchdog->devices,
                                    settings->brake_resets, settings->brake_minutes))
                return;
        log_cause(watchdog);
        watchdog_record_save(watchdog->record, NULL, NULL);
        watchdog_set_state(watchdog, watchdog->state, g_strdup(watchdog->reason));
}

static void on_change(void *data)
{
        struct watchdog *watchdog = data;

        if (watchdog->card.fd < 0 && !watchdog->feed.timer)
                watchdog_arm(watchdog, NULL);
}

/* What kept it from being armed may be mended now. */
static void on_fact(struct tenon_host *host, const char *name, json_t *value)
{
        struct watchdog *watchdog = host->data;

        if (watchdog->stopping || !g_str_equal(name, "health-gate") || json_object_get(value, "fault"))
                return;
        if (watchdog->state == WATCHDOG_REFUSED)
                on_change(watchdog);
}

static bool start(struct tenon_host *host, GError **error)
{
        struct watchdog *watchdog = g_new0(struct watchdog, 1);
        int fd = host->env->recorded ? -1 : tn_fd_store_find(TN_FD_WATCHDOG);

        host->data = watchdog;
        watchdog->host = host;
        watchdog_settings_read(&watchdog->settings, host);
        watchdog_card_init(&watchdog->card);
        watchdog->calls = g_ptr_array_new();
        watchdog->devices = watchdog_devices_read(host->env);
        watchdog->manager = watchdog_manager_new(host->env);
        watchdog->record = watchdog_record_new(host->env, host->config(host, "agent", "statedir"));
        watchdog->watch = watchdog_watch_new(host->env, on_change, watchdog);
        host->fact_watch(host, on_fact);
        watchdog_examine(watchdog, false);
        watchdog_set_state(watchdog, WATCHDOG_ASKING, NULL);
        if (fd >= 0)
                watchdog_adopt(watchdog, fd);
        else
                watchdog_arm(watchdog, NULL);
        return true;
}

static void fail_calls(struct watchdog *watchdog)
{
        for (guint i = 0; i < watchdog->calls->len; i++)
                watchdog->host->fail(g_ptr_array_index(watchdog->calls, i),
                                     g_error_new(TN_ERROR, TN_ERROR_FAILED, "the agent is stopping"));
        g_ptr_array_unref(watchdog->calls);
}

static void stop(struct tenon_host *host)
{
        struct watchdog *watchdog = host->data;

        watchdog->stopping = true;
        g_clear_handle_id(&watchdog->examine_source, g_source_remove);
        watchdog_leave(watchdog);
        watchdog_feed_stop(watchdog);
        fail_calls(watchdog);
        watchdog_watch_free(watchdog->watch);
        watchdog_sleep_free(watchdog->sleep);
        watchdog_manager_free(watchdog->manager);
        watchdog_record_free(watchdog->record);
        g_ptr_array_unref(watchdog->devices);
        g_free(watchdog->owner);
        g_free(watchdog->owned);
        g_free(watchdog->reason);
        g_free(watchdog);
        host->data = NULL;
}

/* One call of tenon-get-watchdog, which waits for systemd's answer. */
struct query {
        struct watchdog *watchdog;
        struct tenon_call *call;
};

static void on_asked(void *data)
{
        g_autofree struct query *query = data;

        query->watchdog->host->reply(query->call, watchdog_report_all(query->watchdog));
}

static void start_get(struct tenon_host *host, struct tenon_call *call, json_t *args)
{
        struct query *query = g_new(struct query, 1);

        *query = (struct query){.watchdog = host->data, .call = call};
        watchdog_manager_ask(query->watchdog->manager, on_asked, query);
}

static void start_arm(struct tenon_host *host, struct tenon_call *call, json_t *args)
{
        struct watchdog *watchdog = host->data;
        json_t *members = watchdog_record_get(watchdog->record);
        bool braked = json_object_del(members, "brake") == 0;

        json_object_set_new(members, "resets", json_array()); /* counting begins anew */
        if (watchdog->feed.test) {
                watchdog->feed.test = false;
                host->log(host, TN_LOG_NOTICE, "the test of the watchdog was called off");
        }
        if (braked)
                host->log(host, TN_LOG_NOTICE, "the watchdog's brake was released");
        watchdog_feed_check(watchdog);
        if (watchdog->feed.timer)
                watchdog_set_state(watchdog, watchdog->state, g_strdup(watchdog->reason));
        watchdog_record_save(watchdog->record, NULL, NULL);
        watchdog_arm(watchdog, call);
}

static json_t *run_disarm(struct tenon_host *host, json_t *args, GError **error)
{
        struct watchdog *watchdog = host->data;

        if (!watchdog_disarm(watchdog, error))
                return NULL;
        host->log(host, TN_LOG_NOTICE, "the watchdog was disarmed by an administrator");
        watchdog_set_state(
                watchdog, WATCHDOG_DISARMED,
                g_strdup("disarmed by an administrator; tenonctl watchdog arm, or the next boot, arms it "
                         "again"));
        return watchdog_report_fact(watchdog);
}

static json_t *run_test(struct tenon_host *host, json_t *args, GError **error)
{
        struct watchdog *watchdog = host->data;

        if (!watchdog->feed.timer) {
                (void) tn_error_set(
                        error, TN_ERROR_INVALID, "there is nothing to test, the watchdog is not armed: %s",
                        watchdog->reason ? watchdog->reason : watchdog_state_name(watchdog->state));
                return NULL;
        }
        watchdog_feed_test(watchdog);
        return watchdog_report_fact(watchdog);
}

static const struct tenon_command commands[] = {
        {.name = "tenon-get-watchdog",
         .args = "",
         .summary = "Watchdog devices, who feeds which, and why the machine was last reset",
         .category = TENON_CATEGORY_INFO,
         .flags = TENON_COMMAND_WHILE_FROZEN,
         .start = start_get},
        {.name = "tenon-watchdog-arm",
         .args = "",
         .summary = "Arm the watchdog, call off a test, release the brake",
         .category = TENON_CATEGORY_WATCHDOG,
         .flags = TENON_COMMAND_CHANGES,
         .start = start_arm},
        {.name = "tenon-watchdog-disarm",
         .args = "",
         .summary = "Disarm the watchdog until the next boot",
         .category = TENON_CATEGORY_WATCHDOG,
         .flags = TENON_COMMAND_CHANGES,
         .run = run_disarm},
        {.name = "tenon-watchdog-test",
         .args = "",
         .summary = "Stop feeding the watchdog, so that it resets the machine",
         .category = TENON_CATEGORY_WATCHDOG,
         .flags = TENON_COMMAND_CHANGES,
         .run = run_test},
        {.name = NULL},
};

const struct tenon_plugin tenon_plugin = {
        .abi = TENON_PLUGIN_ABI,
        .name = "watchdog",
        .summary = "Arms a hardware watchdog and feeds it while the guest is well",
        .start = start,
        .stop = stop,
        .commands = commands,
};
