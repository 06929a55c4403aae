/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * The hardware clock by ioctl. struct rtc_time has the fields of struct tm (months from 0, years from 1900;
 * include/uapi/linux/rtc.h), always in the Gregorian calendar.
 */
#include "plugins/timesync/rtc.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>

#include "lib/clock-call.h"
#include "lib/error.h"
#include "lib/fd.h"

bool tn_rtc_to_seconds(const struct rtc_time *rtc, int64_t *ret_seconds)
{
        struct tm tm = {
                .tm_sec = rtc->tm_sec,
                .tm_min = rtc->tm_min,
                .tm_hour = rtc->tm_hour,
                .tm_mday = rtc->tm_mday,
                .tm_mon = rtc->tm_mon,
                .tm_year = rtc->tm_year,
        };
        struct tm given = tm;
        time_t seconds = timegm(&tm);

        /* timegm() normalises: 31 April would become 1 May. */
        if (seconds < 0 || tm.tm_sec != given.tm_sec || tm.tm_min != given.tm_min ||
            tm.tm_hour != given.tm_hour || tm.tm_mday != given.tm_mday || tm.tm_mon != given.tm_mon ||
            tm.tm_year != given.tm_year)
                return false;
        *ret_seconds = seconds;
        return true;
}

static void from_tm(const struct tm *tm, struct rtc_time *ret)
{
        *ret = (struct rtc_time){
                .tm_sec = tm->tm_sec,
                .tm_min = tm->tm_min,
                .tm_hour = tm->tm_hour,
                .tm_mday = tm->tm_mday,
                .tm_mon = tm->tm_mon,
                .tm_year = tm->tm_year,
                .tm_wday = tm->tm_wday,
                .tm_yday = tm->tm_yday,
        };
}

void tn_rtc_from_seconds(int64_t seconds, struct rtc_time *ret)
{
        time_t when = seconds;
        struct tm tm;

        from_tm(gmtime_r(&when, &tm), ret);
}

bool tn_rtc_keeps_local_time(const struct tn_env *env)
{
        g_autofree char *text = NULL;
        g_auto(GStrv) lines = NULL;

        if (!tn_env_read(env, "etc/adjtime", &text, NULL, NULL))
                return false;
        lines = g_strsplit(text, "\n", 4);
        return g_strv_length(lines) >= 3 && g_str_equal(g_strstrip(lines[2]), "LOCAL");
}

static int open_rtc(const struct tn_env *env, int flags, GError **error)
{
        int fd = tn_env_open(env, TN_RTC_DEVICE, flags, error);

        if (fd < 0)
                g_prefix_error(error, "hardware clock: ");
        return fd;
}

int64_t tn_rtc_local_to_utc(int64_t seconds)
{
        time_t when = seconds;
        struct tm tm;

        gmtime_r(&when, &tm);
        tm.tm_isdst = -1;
        tzset();
        return mktime(&tm);
}

bool tn_rtc_read(const struct tn_env *env, int64_t *ret_seconds, GError **error)
{
        tn_autofd int fd = open_rtc(env, O_RDONLY, error);
        struct rtc_time rtc;
        int64_t seconds;

        if (fd < 0)
                return false;
        if (ioctl(fd, RTC_RD_TIME, &rtc) < 0)
                return tn_error_errno(error, errno, "read the hardware clock");
        if (!tn_rtc_to_seconds(&rtc, &seconds))
                return tn_error_set(error, TN_ERROR_INVALID, "the hardware clock shows no valid date");
        *ret_seconds = tn_rtc_keeps_local_time(env) ? tn_rtc_local_to_utc(seconds) : seconds;
        return true;
}

/* Outside of the sandbox, where the kernel lets nobody set it from within. */
static bool write_elsewhere(const struct rtc_time *rtc, GError **error)
{
        struct tn_clock_answer answer;
        int64_t shown;
        int errnum = tn_rtc_to_seconds(rtc, &shown) ? tn_clock_ask(TN_CLOCK_SET_RTC, shown, &answer)
                                                    : ERANGE;

        return errnum == 0 || tn_error_errno(error, errnum, "set the hardware clock");
}

bool tn_rtc_write(const struct tn_env *env, int64_t seconds, GError **error)
{
        tn_autofd int fd = -1;
        struct rtc_time rtc;

        if (tn_rtc_keeps_local_time(env)) {
                time_t when = seconds;
                struct tm tm;

                tzset();
                from_tm(localtime_r(&when, &tm), &rtc);
        } else {
                tn_rtc_from_seconds(seconds, &rtc);
        }
        if (!env->recorded && tn_clock_is_elsewhere()) /* the device can be open only once */
                return write_elsewhere(&rtc, error);
        fd = open_rtc(env, O_RDONLY, error);
        if (fd < 0)
                return false;
        if (ioctl(fd, RTC_SET_TIME, &rtc) < 0)
                return tn_error_errno(error, errno, "set the hardware clock");
        return true;
}
