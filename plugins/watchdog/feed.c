/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * Feeding. The timer is one of the main loop, so a loop that hangs does not feed: that is its meaning. Each
 * time, the board is asked whether the guest is healthy (the fact health-gate, of the plugin health). If
 * not, the reason is logged, told to the host and written to the disk, and only then feeding stops.
 */
#include "lib/env.h"
#include "lib/log.h"
#include "lib/names.h"
#include "lib/systemd.h"
#include "plugins/watchdog/watchdog.h"

/* That a feeding may be late before half of the timeout is over. */
#define LATE_MS         3000
/* From this interval on the timer is one of whole seconds, which GLib puts together with others. */
#define SECONDS_FROM_MS 4000
#define REBOOT_SECONDS  120 /* what an orderly reboot may take */

static bool is_frozen(const struct watchdog *watchdog)
{
        static const char *const frozen[] = {"freezing", "frozen", "thawing", NULL};
        const char *state = json_string_value(
                json_object_get(watchdog->host->fact_get(watchdog->host, "freeze"), "state"));

        return state && g_strv_contains(frozen, state);
}

bool watchdog_feed_once(struct watchdog *watchdog)
{
        struct watchdog_feed *feed = &watchdog->feed;
        uint64_t now = tn_env_monotonic_usec(watchdog->host->env);
        g_autoptr(GError) error = NULL;
        bool ok = feed->to_systemd ? tn_systemd_notify("WATCHDOG=1", -1)
                                   : watchdog_card_ping(&watchdog->card, &error);

        if (feed->last_usec && now - feed->last_usec > feed->longest_usec)
                feed->longest_usec = now - feed->last_usec;
        feed->last_usec = now;
        feed->count++;
        if (error)
                watchdog->host->log(watchdog->host, TN_LOG_ERR, "%s", error->message);
        return ok;
}

const char *watchdog_feed_fault(const struct watchdog *watchdog)
{
        return json_string_value(
                json_object_get(watchdog->host->fact_get(watchdog->host, "health-gate"), "fault"));
}

/* NULL: feed. Borrowed. */
static const char *reason_to_starve(const struct watchdog *watchdog)
{
        json_t *gate = watchdog->host->fact_get(watchdog->host, "health-gate");
        const char *reason = json_string_value(json_object_get(gate, "reason"));

        if (watchdog->feed.test)
                return "a test, asked for with tenonctl watchdog test";
        if (!gate || !json_is_false(json_object_get(gate, "feed")) ||
            json_object_get(watchdog_record_get(watchdog->record), "brake"))
                return NULL;
        return reason ? reason : "a required check is critical";
}

static void on_recorded(bool ok, void *data)
{
        struct watchdog *watchdog = data;
        struct watchdog_feed *feed = &watchdog->feed;

        if (watchdog->state != WATCHDOG_STARVING)
                return;
        if (!ok)
                watchdog->host->log(watchdog->host, TN_LOG_WARNING,
                                    "the reason could not be written to the disk");
        feed->recorded = true;
        if (!watchdog->settings.clean_reboot || feed->test || !watchdog_manager_reboot(watchdog->manager))
                return;
        feed->until_usec = tn_env_monotonic_usec(watchdog->host->env) +
                           REBOOT_SECONDS * (uint64_t) G_USEC_PER_SEC;
        watchdog->host->log(watchdog->host, TN_LOG_NOTICE,
                            "an orderly reboot is tried first; the watchdog is fed for %d s more",
                            REBOOT_SECONDS);
}

static void starve(struct watchdog *watchdog, const char *reason)
{
        struct tenon_host *host = watchdog->host;
        json_int_t now = (json_int_t) (host->env->now_usec(host->env, CLOCK_REALTIME) / G_USEC_PER_SEC);
        json_t *starved = json_pack("{s:s, s:s, s:I, s:b}", "boot-id",
                                    watchdog_record_boot(watchdog->record), "reason", reason, "since", now,
                                    "test", watchdog->feed.test);

        tn_log(host->env->log, TN_LOG_ERR,
               TN_FIELDS({TN_F_PLUGIN, "watchdog"}, {TN_F_MESSAGE_ID, TN_MSG_WATCHDOG_STARVED}),
               "the watchdog is fed no more and will reset this machine: %s", reason);
        watchdog->feed.recorded = false;
        watchdog->feed.until_usec = 0;
        json_object_set_new(watchdog_record_get(watchdog->record), "starved", starved);
        watchdog_set_state(watchdog, WATCHDOG_STARVING, g_strdup(reason));
        if (is_frozen(watchdog)) /* writing would wait for the thaw */
                on_recorded(false, watchdog);
        else
                watchdog_record_save(watchdog->record, on_recorded, watchdog);
}

static void recover(struct watchdog *watchdog)
{
        watchdog->host->log(watchdog->host, TN_LOG_NOTICE,
                            "the watchdog is fed again: the guest is healthy");
        json_object_del(watchdog_record_get(watchdog->record), "starved");
        if (!is_frozen(watchdog))
                watchdog_record_save(watchdog->record, NULL, NULL);
        watchdog_set_state(watchdog, WATCHDOG_FED, NULL);
}

void watchdog_feed_check(struct watchdog *watchdog)
{
        const char *reason = reason_to_starve(watchdog);
        struct watchdog_feed *feed = &watchdog->feed;

        if (!feed->timer)
                return;
        if (reason && watchdog->state == WATCHDOG_FED)
                starve(watchdog, reason);
        else if (!reason && watchdog->state == WATCHDOG_STARVING)
                recover(watchdog);
        if (watchdog->state == WATCHDOG_FED || !feed->recorded ||
            tn_env_monotonic_usec(watchdog->host->env) < feed->until_usec)
                (void) watchdog_feed_once(watchdog);
}

static gboolean on_timer(void *data)
{
        watchdog_feed_check(data);
        return G_SOURCE_CONTINUE;
}

/* A third of the timeout, for few wakeups; of a short one less, for a busy machine is late by seconds, not
 * by parts of the timeout. */
static unsigned get_interval_ms(unsigned timeout_ms)
{
        unsigned half_ms = timeout_ms / 2;

        return MAX(MIN(timeout_ms / 3, half_ms > LATE_MS ? half_ms - LATE_MS : 0), MAX(timeout_ms / 5, 100));
}

void watchdog_feed_start(struct watchdog *watchdog, unsigned timeout_ms)
{
        struct watchdog_feed *feed = &watchdog->feed;
        unsigned interval_ms = get_interval_ms(timeout_ms);

        watchdog_feed_stop(watchdog);
        feed->timeout_ms = timeout_ms;
        feed->last_usec = 0;
        (void) watchdog_feed_once(watchdog);
        feed->timer = interval_ms < SECONDS_FROM_MS
                              ? g_timeout_add(interval_ms, on_timer, watchdog)
                              : g_timeout_add_seconds(interval_ms / 1000, on_timer, watchdog);
}

void watchdog_feed_stop(struct watchdog *watchdog)
{
        g_clear_handle_id(&watchdog->feed.timer, g_source_remove);
        watchdog->feed.test = false;
}

void watchdog_feed_test(struct watchdog *watchdog)
{
        watchdog->feed.test = true;
        watchdog_feed_check(watchdog);
}
