/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * Arming and giving back. Arming is done whole or not at all: what can be refused is refused before the
 * device is opened, and what the driver refuses after that ends in a magic close at once.
 */
#define _GNU_SOURCE
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "lib/env.h"
#include "lib/error.h"
#include "lib/fd-store.h"
#include "lib/json.h"
#include "lib/log.h"
#include "lib/names.h"
#include "lib/systemd.h"
#include "plugins/watchdog/owner.h"
#include "plugins/watchdog/watchdog.h"

#define LONG_SECONDS 600

static void on_sleep(bool going, void *data)
{
        struct watchdog *watchdog = data;
        g_autoptr(GError) error = NULL;
        bool ok = going ? watchdog_card_pause(&watchdog->card, &error)
                        : watchdog_card_resume(&watchdog->card, &error);

        if (!ok)
                watchdog->host->log(watchdog->host, TN_LOG_WARNING, "the machine %s: %s",
                                    going ? "goes to sleep" : "wakes up", error->message);
        if (going && ok) {
                watchdog_feed_stop(watchdog);
                watchdog_set_state(watchdog, WATCHDOG_ASLEEP, NULL);
        } else if (!going) {
                watchdog_feed_start(watchdog, watchdog->card.timeout * 1000);
                watchdog_set_state(watchdog, WATCHDOG_FED, NULL);
        }
}

/* From here on it is ours: fed, kept over restarts, remembered over a reset. */
static void begin(struct watchdog *watchdog, char *reason)
{
        struct tenon_host *host = watchdog->host;
        struct watchdog_card *card = &watchdog->card;
        json_t *members = watchdog_record_get(watchdog->record);
        json_int_t now = (json_int_t) (host->env->now_usec(host->env, CLOCK_REALTIME) / G_USEC_PER_SEC);

        watchdog_examine(watchdog, true); /* what was armed before is overwritten below */
        watchdog->feed.to_systemd = false;
        watchdog_feed_start(watchdog, card->timeout * 1000);
        watchdog_watch_owner(watchdog->watch, NULL);
        if (!watchdog->sleep && !host->env->recorded)
                watchdog->sleep = watchdog_sleep_new(on_sleep, watchdog);
        json_object_del(members, "disarmed");
        json_object_del(members, "starved");
        json_object_set_new(members, "armed",
                            json_pack("{s:s, s:s, s:o, s:I}", "boot-id",
                                      watchdog_record_boot(watchdog->record), "device", card->name,
                                      "identity", tn_json_text(card->identity), "since", now));
        watchdog_record_save(watchdog->record, NULL, NULL);
        watchdog_set_state(watchdog, WATCHDOG_FED, reason);
}

static bool set_up(struct watchdog *watchdog, const struct watchdog_device *device, GError **error)
{
        const struct watchdog_settings *settings = &watchdog->settings;
        unsigned seconds;

        return watchdog_device_timeout(device, settings->timeout, &seconds, error) &&
               watchdog_card_set_timeout(&watchdog->card, seconds, error) &&
               watchdog_card_set_pretimeout(&watchdog->card, settings->pretimeout, error);
}

static void log_rounded(struct watchdog *watchdog, const char *key, unsigned wanted, unsigned got)
{
        if (wanted && wanted != got)
                watchdog->host->log(watchdog->host, TN_LOG_WARNING,
                                    "%s=%u in [watchdog]: the driver has made %u s of it", key, wanted, got);
}

static void log_armed(struct watchdog *watchdog)
{
        const struct watchdog_card *card = &watchdog->card;

        watchdog->host->log(watchdog->host, TN_LOG_NOTICE, "/dev/%s (%s) is armed, timeout %u s", card->name,
                            card->identity, card->timeout);
        log_rounded(watchdog, "timeout-seconds", watchdog->settings.timeout, card->timeout);
        log_rounded(watchdog, "pretimeout-seconds", watchdog->settings.pretimeout, card->pretimeout);
}

static void owned_by(struct watchdog *watchdog, const char *device, char *owner)
{
        g_free(watchdog->owner);
        watchdog->owner = owner;
        g_free(watchdog->owned);
        watchdog->owned = g_strdup(device);
        watchdog_watch_owner(watchdog->watch, device);
        watchdog_set_state(
                watchdog, WATCHDOG_FOREIGN,
                g_strdup_printf("/dev/%s is owned by %s", device,
                                owner ? owner : "another program (tenonctl, run by root, sees which)"));
}

static void owned_by_systemd(struct watchdog *watchdog)
{
        const char *device = watchdog_manager_get(watchdog->manager)->device;
        g_autofree char *name = g_path_get_basename(device ? device : "watchdog0");

        owned_by(watchdog, name, g_strdup("systemd (pid 1, RuntimeWatchdogSec=)"));
}

static void arm_device(struct watchdog *watchdog, const struct watchdog_device *device)
{
        g_autofree char *name = g_strdup(device->name);
        g_autoptr(GError) error = NULL;
        unsigned seconds;

        if (device->active && !watchdog_record_is_now(watchdog->record, "armed")) {
                owned_by(watchdog, name, watchdog_owner_find(watchdog->host->env, name));
                return;
        }
        if (!watchdog_device_timeout(device, watchdog->settings.timeout, &seconds, &error) ||
            !watchdog_card_open(&watchdog->card, watchdog->host->env, name, &error)) {
                if (g_error_matches(error, TN_ERROR, TN_ERROR_BUSY))
                        owned_by(watchdog, name, watchdog_owner_find(watchdog->host->env, name));
                else
                        watchdog_set_state(watchdog, WATCHDOG_REFUSED, g_strdup(error->message));
                return;
        }
        (void) tn_fd_store_put(TN_FD_WATCHDOG, watchdog->card.fd);
        if (!set_up(watchdog, device, &error)) {
                (void) watchdog_card_disarm(&watchdog->card);
                tn_fd_store_drop(TN_FD_WATCHDOG);
                watchdog_set_state(watchdog, WATCHDOG_REFUSED, g_strdup(error->message));
                return;
        }
        log_armed(watchdog);
        begin(watchdog, NULL);
}

static void feed_systemd(struct watchdog *watchdog)
{
        guint64 usec;

        if (!tn_systemd_watchdog(&usec)) {
                watchdog_set_state(
                        watchdog, WATCHDOG_REFUSED,
                        g_strdup("mode=systemd in [watchdog]: systemd does not watch this service; set "
                                 "WatchdogSec= in its unit"));
                return;
        }
        watchdog_examine(watchdog, true);
        if (json_object_del(watchdog_record_get(watchdog->record), "starved") == 0)
                watchdog_record_save(watchdog->record, NULL, NULL); /* by the agent before this one */
        watchdog->feed.to_systemd = true;
        watchdog_feed_start(watchdog, (unsigned) MIN(usec / 1000, G_MAXINT));
        watchdog_set_state(watchdog, WATCHDOG_FED,
                           g_strdup("systemd watches the agent, and is told only while the "
                                    "guest is healthy"));
}

/* What speaks against looking for a device at all. True: the state is set. */
static bool is_settled(struct watchdog *watchdog)
{
        enum watchdog_mode mode = watchdog->settings.mode;

        if (mode == WATCHDOG_MODE_REFUSED)
                watchdog_set_state(watchdog, WATCHDOG_REFUSED,
                                   g_strdup("there is a mistake in the configuration; see tenonctl config"));
        else if (mode == WATCHDOG_MODE_OFF)
                watchdog_set_state(watchdog, WATCHDOG_OFF, g_strdup("mode=off in [watchdog]"));
        else if (!watchdog->asked && watchdog_record_is_now(watchdog->record, "disarmed"))
                watchdog_set_state(
                        watchdog, WATCHDOG_DISARMED,
                        g_strdup("disarmed by an administrator; tenonctl watchdog arm, or the next boot, "
                                 "arms it again"));
        else if (mode == WATCHDOG_MODE_SYSTEMD)
                feed_systemd(watchdog);
        else if (watchdog_pid1_feeds(watchdog_manager_get(watchdog->manager)))
                owned_by_systemd(watchdog);
        else if (watchdog_feed_fault(watchdog))
                watchdog_set_state(watchdog, WATCHDOG_REFUSED, g_strdup(watchdog_feed_fault(watchdog)));
        else if (mode == WATCHDOG_MODE_AUTO && !watchdog->asked && !tn_fd_store_exists())
                watchdog_set_state(
                        watchdog, WATCHDOG_OFF,
                        g_strdup("not started by systemd, which would keep the device open while the agent "
                                 "restarts; mode=own arms it all the same"));
        else
                return false;
        return true;
}

static void decide(struct watchdog *watchdog)
{
        bool on_purpose = watchdog->settings.mode == WATCHDOG_MODE_AUTO && !watchdog->asked;
        const struct watchdog_device *device;
        char *why = NULL;

        g_clear_pointer(&watchdog->owner, g_free);
        g_ptr_array_unref(watchdog->devices);
        watchdog->devices = watchdog_devices_read(watchdog->host->env);
        watchdog_examine(watchdog, false);
        if (is_settled(watchdog))
                return;
        device = watchdog_devices_choose(watchdog->devices, watchdog->settings.device, on_purpose, &why);
        if (device)
                arm_device(watchdog, device);
        else
                watchdog_set_state(watchdog, WATCHDOG_ABSENT, why);
}

static void answer_calls(struct watchdog *watchdog)
{
        g_autoptr(GPtrArray) calls = g_steal_pointer(&watchdog->calls);

        watchdog->calls = g_ptr_array_new();
        for (guint i = 0; i < calls->len; i++) {
                struct tenon_call *call = g_ptr_array_index(calls, i);

                if (watchdog->state == WATCHDOG_FED)
                        watchdog->host->reply(call, watchdog_report_all(watchdog));
                else
                        watchdog->host->fail(
                                call, g_error_new(TN_ERROR, TN_ERROR_FAILED, "not armed: %s",
                                                  watchdog->reason ? watchdog->reason
                                                                   : watchdog_state_name(watchdog->state)));
        }
}

static void on_pid1(void *data)
{
        struct watchdog *watchdog = data;

        if (watchdog->stopping)
                return;
        if (!watchdog->feed.timer && watchdog->state != WATCHDOG_ASLEEP)
                decide(watchdog);
        answer_calls(watchdog);
}

void watchdog_arm(struct watchdog *watchdog, struct tenon_call *call)
{
        if (call) {
                g_ptr_array_add(watchdog->calls, call);
                watchdog->asked = true;
        }
        watchdog_manager_ask(watchdog->manager, on_pid1, watchdog);
}

static char *node_name(const struct tn_env *env, int fd)
{
        g_autofree char *path = NULL;
        struct stat st;

        if (fstat(fd, &st) < 0 || !S_ISCHR(st.st_mode))
                return NULL;
        path = g_strdup_printf("sys/dev/char/%u:%u", major(st.st_rdev), minor(st.st_rdev));
        return tn_env_readlink_name(env, path);
}

void watchdog_adopt(struct watchdog *watchdog, int fd)
{
        const struct tn_env *env = watchdog->host->env;
        enum watchdog_mode mode = watchdog->settings.mode;
        g_autofree char *name = node_name(env, fd);
        const struct watchdog_device *device = watchdog_devices_find(watchdog->devices, name);
        g_autoptr(GError) error = NULL;

        if (!watchdog_card_adopt(&watchdog->card, fd, name ? name : "watchdog", &error)) {
                watchdog->host->log(watchdog->host, TN_LOG_ERR, "the watchdog of before the restart: %s",
                                    error->message);
                tn_fd_store_drop(TN_FD_WATCHDOG);
                watchdog_arm(watchdog, NULL);
                return;
        }
        if (mode == WATCHDOG_MODE_OFF || mode == WATCHDOG_MODE_SYSTEMD ||
            watchdog_record_is_now(watchdog->record, "disarmed")) {
                bool asked_before = watchdog_record_is_now(watchdog->record, "disarmed");

                if (!watchdog_disarm(watchdog, &error))
                        watchdog->host->log(watchdog->host, TN_LOG_ERR, "%s", error->message);
                if (!asked_before) { /* it was the mode: another mode arms again in this boot */
                        json_object_del(watchdog_record_get(watchdog->record), "disarmed");
                        watchdog_record_save(watchdog->record, NULL, NULL);
                }
                watchdog_arm(watchdog, NULL);
                return;
        }
        watchdog->host->log(watchdog->host, TN_LOG_NOTICE, "/dev/%s was kept armed over the restart",
                            watchdog->card.name);
        if (mode == WATCHDOG_MODE_REFUSED) {
                begin(watchdog,
                      g_strdup("there is a mistake in the configuration, so its timeout is the one of "
                               "before; see tenonctl config"));
                return;
        }
        if (device && !set_up(watchdog, device, &error))
                watchdog->host->log(watchdog->host, TN_LOG_ERR, "%s; it stays at %u s", error->message,
                                    watchdog->card.timeout);
        begin(watchdog, g_strdup(error ? error->message : watchdog_feed_fault(watchdog)));
        watchdog_arm(watchdog, NULL); /* for what systemd will do at the end */
}

/* Nobody feeds it from here on, so it must not be armed. False: it cannot be stopped. */
static bool give_back(struct watchdog *watchdog)
{
        bool ok;

        watchdog_feed_stop(watchdog);
        g_clear_pointer(&watchdog->sleep, watchdog_sleep_free);
        json_object_del(watchdog_record_get(watchdog->record), "armed");
        json_object_del(watchdog_record_get(watchdog->record), "starved");
        ok = watchdog_card_disarm(&watchdog->card);
        tn_fd_store_drop(TN_FD_WATCHDOG);
        return ok;
}

bool watchdog_disarm(struct watchdog *watchdog, GError **error)
{
        const struct watchdog_device *device = watchdog_devices_find(watchdog->devices, watchdog->card.name);

        if (watchdog->feed.to_systemd)
                return tn_error_set(
                        error, TN_ERROR_UNSUPPORTED,
                        "mode=systemd in [watchdog]: systemd watches the agent; set WatchdogSec=0 in its "
                        "unit");
        if (watchdog->card.fd < 0)
                return tn_error_set(error, TN_ERROR_INVALID, "the watchdog is not armed: %s",
                                    watchdog->reason ? watchdog->reason
                                                     : watchdog_state_name(watchdog->state));
        if (device && device->nowayout)
                return tn_error_set(
                        error, TN_ERROR_UNSUPPORTED,
                        "/dev/%s cannot be disarmed before the next reboot: its driver was loaded with "
                        "nowayout",
                        watchdog->card.name);
        (void) give_back(watchdog);
        watchdog->asked = false;
        json_object_set_new(watchdog_record_get(watchdog->record), "disarmed",
                            json_string(watchdog_record_boot(watchdog->record)));
        watchdog_record_save(watchdog->record, NULL, NULL);
        return true;
}

/* A reboot is under way that we asked for ourselves (action=reboot). */
static bool reboots_itself(const struct watchdog *watchdog)
{
        return watchdog->state == WATCHDOG_STARVING && watchdog->feed.until_usec != 0;
}

/* For the way down, where nobody feeds any more. */
static bool set_long(struct watchdog *watchdog, GError **error)
{
        return watchdog_card_set_timeout(&watchdog->card, MAX(watchdog->card.timeout, LONG_SECONDS), error);
}

/*
 * What stops the other services takes its time. Then systemd-shutdown arms the device that it is told of, or
 * the first one, which need not be ours. Where it arms none, ours is left running for so long that nothing
 * that goes in order is cut off; a device that cannot count so far is stopped.
 */
static void hand_over(struct watchdog *watchdog)
{
        const struct watchdog_pid1 *pid1 = watchdog_manager_get(watchdog->manager);
        bool guarded = watchdog_pid1_guards_reboot(pid1, watchdog->host->env);
        g_autoptr(GError) error = NULL;
        bool ok = set_long(watchdog, &error); /* always, for one of nowayout goes on counting */

        if (!ok && !guarded)
                watchdog->host->log(watchdog->host, TN_LOG_WARNING, "no watchdog guards the reboot: %s",
                                    error->message);
        if (!ok || guarded) {
                (void) give_back(watchdog);
                return;
        }
        json_object_del(watchdog_record_get(watchdog->record), "armed");
        json_object_del(watchdog_record_get(watchdog->record), "starved");
        watchdog_card_leave(&watchdog->card);
}

static void leave_for_reboot(struct watchdog *watchdog)
{
        json_t *members = watchdog_record_get(watchdog->record);
        json_t *starved = reboots_itself(watchdog) ? json_incref(json_object_get(members, "starved")) : NULL;

        hand_over(watchdog);
        if (starved) /* the next boot shall tell it */
                json_object_set_new(members, "starved", starved);
}

/* In mode=systemd there is no device to leave. What was recorded is no cause of an end in order. */
static void leave_systemd(struct watchdog *watchdog)
{
        if (watchdog->state != WATCHDOG_STARVING || reboots_itself(watchdog))
                return;
        json_object_del(watchdog_record_get(watchdog->record), "starved");
        watchdog_record_flush(watchdog->record);
}

void watchdog_leave(struct watchdog *watchdog)
{
        enum watchdog_end end;

        if (watchdog->feed.to_systemd)
                leave_systemd(watchdog);
        if (watchdog->card.fd < 0)
                return;
        if (watchdog->state == WATCHDOG_FED)
                (void) watchdog_feed_once(watchdog); /* the whole timeout is there for what comes now */
        end = watchdog_manager_why(watchdog->manager);
        if (end == WATCHDOG_END_RESTART && tn_fd_store_exists()) {
                if (watchdog->state == WATCHDOG_FED)
                        (void) watchdog_feed_once(watchdog);
                watchdog_card_leave(&watchdog->card);
                return;
        }
        if (end == WATCHDOG_END_DOWN)
                (void) set_long(watchdog, NULL); /* for one of nowayout */
        else if (reboots_itself(watchdog))
                end = WATCHDOG_END_REBOOT; /* though systemd may not have said so */
        if (end == WATCHDOG_END_REBOOT)
                leave_for_reboot(watchdog);
        else if (!give_back(watchdog))
                watchdog->host->log(
                        watchdog->host, TN_LOG_WARNING,
                        "the watchdog cannot be stopped (nowayout); it resets this machine unless the "
                        "agent is started again");
        watchdog_record_flush(watchdog->record);
}
