/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * The commands about time. Nanoseconds on the wire, as the QGA schema says; the hardware clock is handled
 * directly, so that hwclock(8) need not be installed or waited for. What keeps the clock right is keeping.h.
 */
#include "lib/env.h"
#include "lib/error.h"
#include "plugins/timesync/keeping.h"
#include "plugins/timesync/rtc.h"
#include "tenon/plugin.h"

#define NSEC_PER_USEC INT64_C(1000)
#define YEAR_1971     INT64_C(31536000)   /* the year 1970 is what a clock shows that nobody has set */
#define YEAR_2020     INT64_C(1577836800) /* a hardware clock that shows less was never set */
#define YEAR_2070     INT64_C(3155760000) /* seconds; the protocol's limit is the end of 2069 */

static json_t *get_time_run(struct tenon_host *host, json_t *args, GError **error)
{
        return json_integer((json_int_t) host->env->now_usec(host->env, CLOCK_REALTIME) * NSEC_PER_USEC);
}

/* Both words of qemu-ga's messages, "Invalid time" and "Invalid argument", are what clients look for. */
static bool check_time(int64_t nsec, GError **error)
{
        if (nsec / NSEC_PER_USEC / G_USEC_PER_SEC < YEAR_1971 ||
            nsec / NSEC_PER_USEC / G_USEC_PER_SEC >= YEAR_2070)
                return tn_error_set(error, TN_ERROR_INVALID,
                                    "Invalid time: Invalid argument: %" G_GINT64_FORMAT
                                    " ns is outside of the years 1971 to 2069; the clock was not changed",
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

/* What the keeper does not believe is not set either. */
static json_t *refuse_rtc(GError **error)
{
        (void) tn_error_set(
                error, TN_ERROR_INVALID,
                "the hardware clock shows a year before 2020 or after 2069; the clock was not changed; "
                "give the time with the command");
        return NULL;
}

static json_t *set_time_run(struct tenon_host *host, json_t *args, GError **error)
{
        json_t *time = json_object_get(args, "time");
        int64_t nsec = json_integer_value(time), seconds;

        if (!time) {
                if (!tn_rtc_read(host->env, &seconds, error))
                        return NULL;
                if (seconds < YEAR_2020 || seconds >= YEAR_2070)
                        return refuse_rtc(error);
                nsec = seconds * G_USEC_PER_SEC * NSEC_PER_USEC;
        }
        if (!check_time(nsec, error) ||
            !host->env->set_realtime(host->env, (uint64_t) (nsec / NSEC_PER_USEC), error))
                return NULL;
        if (time)
                set_rtc(host, nsec);
        tn_keeping_clock_was_set(host->data);
        return json_object();
}

static json_t *status_run(struct tenon_host *host, json_t *args, GError **error)
{
        return tn_keeping_status(host->data);
}

static json_t *exchange_run(struct tenon_host *host, json_t *args, GError **error)
{
        return tn_keeping_exchange(host->data, args);
}

static json_t *adjust_run(struct tenon_host *host, json_t *args, GError **error)
{
        return tn_keeping_adjust(host->data, args, error);
}

static void on_fact(struct tenon_host *host, const char *name, json_t *value)
{
        const char *state = json_string_value(json_object_get(value, "state"));

        if (g_str_equal(name, "sleep") && g_strcmp0(state, "awake") == 0)
                tn_keeping_woke(host->data);
}

static bool plugin_start(struct tenon_host *host, GError **error)
{
        host->data = tn_keeping_new(host, &tn_clock_system, error);
        if (!host->data)
                return false;
        host->fact_watch(host, on_fact);
        return true;
}

static void plugin_stop(struct tenon_host *host)
{
        tn_keeping_free(host->data);
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
        {.name = "tenon-get-time-status",
         .args = "",
         .summary = "How right the clock is, by which source, and who keeps it",
         .category = TENON_CATEGORY_INFO,
         .run = status_run},
        {.name = "tenon-time-exchange",
         .args = "",
         .summary = "The guest's two times of an exchange as in NTP",
         .category = TENON_CATEGORY_INFO,
         .flags = TENON_COMMAND_WHILE_FROZEN,
         .run = exchange_run},
        {.name = "tenon-time-adjust",
         .args = "offset:int,error:int,epoch:int,step:bool?",
         .summary = "Follow the host's clock, by how much the host measured that ours is behind",
         .category = TENON_CATEGORY_TIME,
         .flags = TENON_COMMAND_CHANGES,
         .run = adjust_run},
        {.name = NULL},
};

const struct tenon_plugin tenon_plugin = {
        .abi = TENON_PLUGIN_ABI,
        .name = "timesync",
        .summary = "Keeps the clock right, reads and sets it",
        .start = plugin_start,
        .stop = plugin_stop,
        .commands = commands,
};
