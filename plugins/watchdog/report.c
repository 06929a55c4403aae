/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* The state as JSON: what stands on the board, and what tenon-get-watchdog adds to it. */
#include <time.h>

#include "lib/env.h"
#include "lib/json.h"
#include "plugins/watchdog/panic.h"
#include "plugins/watchdog/watchdog.h"

static const char *const state_names[_WATCHDOG_STATE_MAX] = {
        [WATCHDOG_ASKING] = "asking",   [WATCHDOG_ABSENT] = "absent",     [WATCHDOG_OFF] = "off",
        [WATCHDOG_REFUSED] = "refused", [WATCHDOG_FOREIGN] = "foreign",   [WATCHDOG_DISARMED] = "disarmed",
        [WATCHDOG_FED] = "fed",         [WATCHDOG_STARVING] = "starving", [WATCHDOG_ASLEEP] = "asleep",
};

const char *watchdog_state_name(enum watchdog_state state)
{
        return state_names[state];
}

/* What the driver has made another number of; also that of before a mistake in the configuration. */
static void set_wanted(json_t *fact, const char *key, unsigned wanted, unsigned got)
{
        if (wanted && wanted != got)
                json_object_set_new(fact, key, json_integer(wanted));
}

static void add_card(json_t *fact, const struct watchdog *watchdog)
{
        const struct watchdog_card *card = &watchdog->card;
        const struct watchdog_driver *driver = watchdog_driver_find(card->identity);

        if (card->fd < 0)
                return;
        json_object_set_new(fact, "device", tn_json_text(card->name));
        json_object_set_new(fact, "identity", tn_json_text(card->identity));
        json_object_set_new(fact, "timeout-seconds", json_integer(card->timeout));
        set_wanted(fact, "timeout-wanted-seconds", watchdog->settings.timeout, card->timeout);
        if (card->pretimeout)
                json_object_set_new(fact, "pretimeout-seconds", json_integer(card->pretimeout));
        set_wanted(fact, "pretimeout-wanted-seconds", watchdog->settings.pretimeout, card->pretimeout);
        if (driver && driver->software)
                json_object_set_new(fact, "last-resort", tn_json_text(driver->why));
        if (driver && driver->expiries > 1)
                json_object_set_new(fact, "resets-after-seconds",
                                    json_integer(card->timeout * driver->expiries));
}

static json_t *last_reset(struct watchdog_record *record)
{
        json_t *last = json_deep_copy(json_object_get(watchdog_record_get(record), "last"));

        json_object_del(last, "boot-id");
        json_object_set_new(last, "this-boot", json_boolean(watchdog_record_is_now(record, "last")));
        return last;
}

static void add_history(json_t *fact, struct watchdog_record *record)
{
        json_t *members = watchdog_record_get(record);
        json_t *last = json_object_get(members, "last"), *brake = json_object_get(members, "brake");

        json_object_set_new(fact, "resets",
                            json_integer(json_integer_value(json_object_get(members, "total"))));
        if (last)
                json_object_set_new(fact, "last-reset", last_reset(record));
        if (brake)
                json_object_set_new(fact, "brake", json_deep_copy(brake));
}

json_t *watchdog_report_fact(struct watchdog *watchdog)
{
        json_t *fact = json_pack("{s:s, s:s}", "mode", watchdog_settings_mode_name(watchdog->settings.mode),
                                 "state", watchdog_state_name(watchdog->state));

        tn_json_set_text(fact, "reason", watchdog->reason);
        tn_json_set_text(fact, "owner", watchdog->state == WATCHDOG_FOREIGN ? watchdog->owner : NULL);
        tn_json_set_text(fact, "owned-device", watchdog->state == WATCHDOG_FOREIGN ? watchdog->owned : NULL);
        if (watchdog->feed.to_systemd && watchdog->feed.timer)
                json_object_set_new(fact, "feeds-systemd", json_true());
        add_card(fact, watchdog);
        add_history(fact, watchdog->record);
        json_object_set_new(fact, "devices", watchdog_devices_to_json(watchdog->devices, false));
        return fact;
}

static void add_feed(json_t *reply, const struct watchdog *watchdog)
{
        const struct watchdog_feed *feed = &watchdog->feed;
        uint64_t now = tn_env_monotonic_usec(watchdog->host->env);

        if (!feed->timer)
                return;
        json_object_set_new(reply, "feed",
                            json_pack("{s:I, s:I, s:I}", "count", (json_int_t) feed->count, "last-ms-ago",
                                      (json_int_t) ((now - feed->last_usec) / 1000), "longest-gap-ms",
                                      (json_int_t) (feed->longest_usec / 1000)));
}

/* systemd's own feeding, so that somebody watches that one, too. */
static void add_pid1(json_t *reply, const struct watchdog *watchdog)
{
        const struct watchdog_pid1 *pid1 = watchdog_manager_get(watchdog->manager);
        uint64_t now = watchdog->host->env->now_usec(watchdog->host->env, CLOCK_REALTIME);
        json_t *systemd;

        if (!pid1->known)
                return;
        systemd = json_pack(
                "{s:I, s:I}", "runtime-watchdog-seconds",
                (json_int_t) (pid1->runtime_usec == G_MAXUINT64 ? 0 : pid1->runtime_usec / G_USEC_PER_SEC),
                "reboot-watchdog-seconds",
                (json_int_t) (pid1->reboot_usec == G_MAXUINT64 ? 0 : pid1->reboot_usec / G_USEC_PER_SEC));
        tn_json_set_text(systemd, "device", pid1->device);
        if (pid1->last_ping_usec && pid1->last_ping_usec <= now)
                json_object_set_new(
                        systemd, "last-ping-seconds-ago",
                        json_integer((json_int_t) ((now - pid1->last_ping_usec) / G_USEC_PER_SEC)));
        if (watchdog_pid1_is_overdue(pid1, now))
                json_object_set_new(systemd, "overdue", json_true());
        json_object_set_new(reply, "systemd", systemd);
}

json_t *watchdog_report_all(struct watchdog *watchdog)
{
        GPtrArray *devices = watchdog_devices_read(watchdog->host->env);
        json_t *reply = watchdog_report_fact(watchdog);

        json_object_set_new(reply, "devices", watchdog_devices_to_json(devices, true));
        json_object_set_new(reply, "pvpanic", watchdog_panic_to_json(watchdog->host->env));
        add_feed(reply, watchdog);
        add_pid1(reply, watchdog);
        g_ptr_array_unref(devices);
        return reply;
}
