/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* guest-get-time, guest-set-time, and the fact "time-jump". Nanoseconds on the wire, as the QGA schema says;
 * the hardware clock is handled directly, so that hwclock(8) need not be installed or waited for. */
#include "lib/env.h"
#include "lib/error.h"
#include "plugins/timesync/jump.h"
#include "plugins/timesync/rtc.h"
#include "tenon/plugin.h"

#define NSEC_PER_USEC INT64_C(1000)
#define YEAR_2070     INT64_C(3155760000) /* seconds; the protocol's limit is the end of 2069 */

static json_t *get_time_run(struct tenon_host *host, json_t *args, GError **error)
{
        return json_integer((json_int_t) host->env->now_usec(host->env, CLOCK_REALTIME) * NSEC_PER_USEC);
}

static bool check_time(int64_t nsec, GError **error)
{
        if (nsec < 0 || nsec / NSEC_PER_USEC / G_USEC_PER_SEC >= YEAR_2070)
                return tn_error_set(error, TN_ERROR_INVALID,
                                    "Time %" G_GINT64_FORMAT
                                    " is outside of the years 1970 to 2069; the clock was not changed",
                                    nsec);
        return true;
}

/* The clock itself is what was asked for; a hardware clock that is missing or refuses is only logged. */
static void set_rtc(struct tenon_host *host, int64_t nsec)
{
        g_autoptr(GError) error = NULL;
        int64_t seconds = (nsec + NSEC_PER_USEC * G_USEC_PER_SEC / 2) / (NSEC_PER_USEC * G_USEC_PER_SEC);

        if (!g_str_equal(host->config(host, "timesync", "write-rtc"), "yes"))
                return;
        if (!tn_rtc_write(host->env, seconds, &error))
                host->log(host, g_error_matches(error, TN_ERROR, TN_ERROR_NOT_FOUND) ? 7 : 4, "%s",
                          error->message);
}

static json_t *set_time_run(struct tenon_host *host, json_t *args, GError **error)
{
        json_t *time = json_object_get(args, "time");
        int64_t nsec = json_integer_value(time), seconds;

        if (!time) {
                if (!tn_rtc_read(host->env, &seconds, error))
                        return NULL;
                nsec = MIN(seconds, YEAR_2070) * G_USEC_PER_SEC * NSEC_PER_USEC; /* later ones may not fit */
        }
        if (!check_time(nsec, error) ||
            !host->env->set_realtime(host->env, (uint64_t) (nsec / NSEC_PER_USEC), error))
                return NULL;
        if (time)
                set_rtc(host, nsec);
        return json_object();
}

static void on_jump(int64_t distance_usec, const struct tn_jump_pair *now, void *data)
{
        struct tenon_host *host = data;

        host->log(host, 6, "the clock was set %s by %.3f s", distance_usec < 0 ? "back" : "forward",
                  (double) ABS(distance_usec) / G_USEC_PER_SEC);
        host->fact_set(host, "time-jump",
                       json_pack("{s:I, s:I, s:I}", "distance-usec", (json_int_t) distance_usec,
                                 "realtime-usec", (json_int_t) now->realtime, "boottime-usec",
                                 (json_int_t) now->boottime));
}

static bool start(struct tenon_host *host, GError **error)
{
        g_autoptr(GError) problem = NULL;

        (void) error; /* the commands work all the same */
        if (host->env->recorded)
                return true;
        host->data = tn_jump_new(host->env, on_jump, host, &problem);
        if (!host->data)
                host->log(host, 7, "jumps of the clock are not seen: %s", problem->message);
        return true;
}

static void stop(struct tenon_host *host)
{
        tn_jump_free(host->data);
        host->data = NULL;
}

static const struct tenon_command commands[] = {
        {.name = "guest-get-time",
         .args = "",
         .summary = "The guest's clock, nanoseconds since 1970",
         .category = TENON_CATEGORY_INFO,
         .run = get_time_run},
        {.name = "guest-set-time",
         .args = "time:int?",
         .summary = "Set the clock to a time, or without one from the hardware clock",
         .category = TENON_CATEGORY_TIME,
         .flags = TENON_COMMAND_CHANGES,
         .run = set_time_run},
        {.name = NULL},
};

const struct tenon_plugin tenon_plugin = {
        .abi = TENON_PLUGIN_ABI,
        .name = "timesync",
        .summary = "Reads and sets the clock, tells when it jumps",
        .start = start,
        .stop = stop,
        .commands = commands,
};
