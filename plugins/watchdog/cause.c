/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* The cause of a reset: the deciding is pure, the reading is below it. */
#define _GNU_SOURCE
#include "plugins/watchdog/cause.h"

#include <fcntl.h>
#include <linux/watchdog.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/env.h"
#include "lib/fd.h"
#include "lib/json.h"

#define RESETS_MAX 32 /* times that are kept */

/* Where panics are: as the kernel shows them, and where systemd-pstore moves them to. */
static const char *const pstore_folders[] = {"sys/fs/pstore", "var/lib/systemd/pstore"};

static json_t *tell(const struct watchdog_evidence *evidence, const char *cause, const char *reason,
                    bool counts)
{
        json_t *told = json_pack("{s:s, s:o, s:I, s:b}", "cause", cause, "reason", tn_json_text(reason),
                                 "time", (json_int_t) evidence->now, "counts", counts);

        tn_json_set_text(told, "device", evidence->device);
        return told;
}

json_t *watchdog_cause_find(const struct watchdog_evidence *evidence)
{
        const json_t *starved = evidence->starved;
        const char *reason = json_string_value(json_object_get(starved, "reason"));

        if (evidence->panic && (evidence->card_reset || evidence->armed))
                return tell(evidence, "panic", evidence->panic, evidence->card_reset);
        if (starved) { /* nothing is armed for systemd's chain, and no more after an orderly reboot */
                bool test = json_is_true(json_object_get(starved, "test"));

                return tell(evidence, test ? "test" : "starved", reason ? reason : "not recorded", !test);
        }
        if (evidence->card_reset)
                return tell(
                        evidence, "hang",
                        "the watchdog reset the machine and nothing was recorded before: the kernel, or the "
                        "agent, hung",
                        true);
        if (evidence->armed)
                return tell(
                        evidence, "unknown",
                        "the machine ended while the watchdog was armed, not by an orderly shutdown: the "
                        "watchdog, a reset or a power cut; this device does not tell which",
                        false);
        return NULL;
}

static const char *panic_line(const char *text)
{
        return strstr(text, "Kernel panic - not syncing");
}

static char *panic_in_file(const struct tn_env *env, const char *path, int64_t since)
{
        tn_autofd int fd = tn_env_open(env, path, O_RDONLY, NULL);
        g_autofree char *text = NULL;
        const char *line;
        struct stat st;

        if (fd < 0 || fstat(fd, &st) < 0 || st.st_mtime < since ||
            !tn_env_read(env, path, &text, NULL, NULL))
                return NULL;
        line = panic_line(text);
        return line ? g_strndup(line, MIN(strcspn(line, "\n"), 200)) : NULL;
}

/* Looks into folders, too: systemd-pstore makes one for each crash. */
static char *panic_in_folder(const struct tn_env *env, const char *folder, int64_t since, unsigned depth)
{
        g_auto(GStrv) names = tn_env_list(env, folder);
        char *found = NULL;

        for (size_t i = 0; !found && names && names[i] && i < 256; i++) {
                g_autofree char *path = g_strdup_printf("%s/%s", folder, names[i]);

                if (g_str_has_prefix(names[i], "dmesg"))
                        found = panic_in_file(env, path, since);
                else if (depth > 0)
                        found = panic_in_folder(env, path, since, depth - 1);
        }
        return found;
}

char *watchdog_cause_read_panic(const struct tn_env *env, int64_t since)
{
        char *found = NULL;

        for (size_t i = 0; !found && i < G_N_ELEMENTS(pstore_folders); i++)
                found = panic_in_folder(env, pstore_folders[i], since, 2);
        return found;
}

void watchdog_cause_count(json_t *members, int64_t now, unsigned brake_resets, unsigned brake_minutes)
{
        json_t *times = json_object_get(members, "resets"), *brake;
        int64_t since = now - (int64_t) brake_minutes * 60;
        unsigned recent = 0;
        json_t *time;
        size_t i;

        if (!json_is_array(times)) {
                times = json_array();
                json_object_set_new(members, "resets", times);
        }
        json_array_append_new(times, json_integer(now));
        while (json_array_size(times) > RESETS_MAX)
                json_array_remove(times, 0);
        json_array_foreach(times, i, time)
                recent += json_integer_value(time) > since && json_integer_value(time) <= now;
        if (brake_resets == 0 || recent < brake_resets || json_object_get(members, "brake"))
                return;
        brake = json_pack("{s:I, s:i, s:i}", "since", (json_int_t) now, "resets", (int) recent, "minutes",
                          (int) brake_minutes);
        json_object_set_new(members, "brake", brake);
}

static void read_devices(struct watchdog_evidence *evidence, const GPtrArray *devices,
                         const char *armed_identity)
{
        for (guint i = 0; i < devices->len; i++) {
                const struct watchdog_device *device = g_ptr_array_index(devices, i);

                if (device->bootstatus == WATCHDOG_UNTOLD || !(device->bootstatus & WDIOF_CARDRESET))
                        continue;
                evidence->card_reset = true;
                evidence->device = device->identity;
        }
        if (!evidence->device)
                evidence->device = armed_identity;
}

static void keep(json_t *members, json_t *cause, unsigned brake_resets, unsigned brake_minutes)
{
        const char *word = json_string_value(json_object_get(cause, "cause"));
        json_int_t total = json_integer_value(json_object_get(members, "total"));

        if (json_is_true(json_object_get(cause, "counts")))
                watchdog_cause_count(members, json_integer_value(json_object_get(cause, "time")),
                                     brake_resets, brake_minutes);
        if (json_is_true(json_object_get(cause, "counts")) || g_str_equal(word, "test"))
                json_object_set_new(members, "total", json_integer(total + 1));
        json_object_set_new(members, "last", cause);
}

static bool has_identity(const GPtrArray *devices, const char *identity)
{
        for (guint i = 0; i < devices->len; i++) {
                const struct watchdog_device *device = g_ptr_array_index(devices, i);

                if (g_strcmp0(device->identity, identity) == 0)
                        return true;
        }
        return false;
}

bool watchdog_cause_is_due(struct watchdog_record *record, const GPtrArray *devices)
{
        json_t *armed = json_object_get(watchdog_record_get(record), "armed");
        const char *identity = json_string_value(json_object_get(armed, "identity"));

        return !identity || watchdog_record_is_now(record, "armed") || has_identity(devices, identity);
}

bool watchdog_cause_examine(struct watchdog_record *record, const struct tn_env *env,
                            const GPtrArray *devices, unsigned brake_resets, unsigned brake_minutes)
{
        json_t *members = watchdog_record_get(record);
        struct watchdog_evidence evidence = {
                .starved = json_object_get(members, "starved"),
                .armed = json_object_get(members, "armed"),
                .now = (int64_t) (env->now_usec(env, CLOCK_REALTIME) / G_USEC_PER_SEC),
        };
        g_autofree char *panic = NULL;
        json_t *cause;

        if (watchdog_record_is_now(record, "examined") || watchdog_record_is_now(record, "armed"))
                return false;
        if (evidence.armed)
                panic = watchdog_cause_read_panic(
                        env, json_integer_value(json_object_get(evidence.armed, "since")));
        evidence.panic = panic;
        read_devices(&evidence, devices, json_string_value(json_object_get(evidence.armed, "identity")));
        cause = watchdog_cause_find(&evidence);
        if (cause) {
                json_object_set_new(cause, "boot-id", json_string(watchdog_record_boot(record)));
                keep(members, cause, brake_resets, brake_minutes);
        }
        json_object_del(members, "starved");
        json_object_del(members, "armed");
        json_object_set_new(members, "examined", json_string(watchdog_record_boot(record)));
        return cause != NULL;
}
