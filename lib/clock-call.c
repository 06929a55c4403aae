/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * The calls themselves. The surprising thing: no GLib, since this half is nearly all of tenon-clock, which
 * stays in memory.
 */
#define _GNU_SOURCE
#include "lib/clock-call.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/rtc.h>
#include <sys/ioctl.h>
#include <sys/timex.h>
#include <time.h>
#include <unistd.h>

#define RTC_DEVICE    "/dev/rtc0"
#define NSEC_PER_SEC  INT64_C(1000000000)
#define USEC_PER_SEC  INT64_C(1000000)
#define SECONDS_LIMIT INT64_C(3155760000) /* the end of 2069, as guest-set-time */

static int in_range(int64_t seconds)
{
        return seconds >= 0 && seconds < SECONDS_LIMIT;
}

static int64_t now_nsec(clockid_t clock)
{
        struct timespec ts = {0};

        (void) clock_gettime(clock, &ts); /* fails only for a clock that does not exist */
        return ts.tv_sec * NSEC_PER_SEC + ts.tv_nsec;
}

static int look(int64_t value, struct tn_clock_answer *ret)
{
        struct timex tx = {.modes = 0};

        (void) value;
        ret->state = adjtimex(&tx);
        if (ret->state < 0)
                return -1;
        ret->status = tx.status;
        ret->tai = tx.tai;
        ret->maxerror = tx.maxerror;
        ret->freq = tx.freq;
        return 0;
}

/* By ADJ_SETOFFSET: nothing is lost between reading and setting. */
static int step(int64_t value, struct tn_clock_answer *ret)
{
        struct timex tx = {.modes = ADJ_SETOFFSET | ADJ_NANO};
        int64_t sum;

        (void) ret;
        if (__builtin_add_overflow(now_nsec(CLOCK_REALTIME), value, &sum) || sum < 0 ||
            !in_range(sum / NSEC_PER_SEC)) {
                errno = ERANGE;
                return -1;
        }
        tx.time.tv_sec = value / NSEC_PER_SEC;
        tx.time.tv_usec = value % NSEC_PER_SEC; /* nanoseconds, because of ADJ_NANO */
        if (tx.time.tv_usec < 0) {
                tx.time.tv_sec--;
                tx.time.tv_usec += NSEC_PER_SEC;
        }
        return clock_adjtime(CLOCK_REALTIME, &tx) < 0 ? -1 : 0;
}

static int set_frequency(int64_t value, struct tn_clock_answer *ret)
{
        struct timex tx = {.modes = ADJ_FREQUENCY, .freq = (long) value};

        (void) ret;
        return clock_adjtime(CLOCK_REALTIME, &tx) < 0 ? -1 : 0;
}

static int set(int64_t value, struct tn_clock_answer *ret)
{
        struct timespec ts = {.tv_sec = value / USEC_PER_SEC,
                              .tv_nsec = (long) (value % USEC_PER_SEC * 1000)};

        (void) ret;
        if (value < 0 || !in_range(ts.tv_sec)) {
                errno = ERANGE;
                return -1;
        }
        return clock_settime(CLOCK_REALTIME, &ts);
}

static int set_rtc(int64_t value, struct tn_clock_answer *ret)
{
        time_t when = value;
        struct tm tm;
        struct rtc_time rtc;
        int fd, status, errnum;

        (void) ret;
        if (!in_range(value) || !gmtime_r(&when, &tm)) {
                errno = ERANGE;
                return -1;
        }
        rtc = (struct rtc_time){.tm_sec = tm.tm_sec,
                                .tm_min = tm.tm_min,
                                .tm_hour = tm.tm_hour,
                                .tm_mday = tm.tm_mday,
                                .tm_mon = tm.tm_mon,
                                .tm_year = tm.tm_year,
                                .tm_wday = tm.tm_wday,
                                .tm_yday = tm.tm_yday};
        fd = open(RTC_DEVICE, O_RDONLY | O_CLOEXEC);
        if (fd < 0)
                return -1;
        status = ioctl(fd, RTC_SET_TIME, &rtc);
        errnum = errno;
        close(fd);
        errno = errnum;
        return status;
}

void tn_clock_call_do(const struct tn_clock_call *call, struct tn_clock_answer *ret)
{
        static int (*const verbs[])(int64_t value, struct tn_clock_answer * ret) = {
                [TN_CLOCK_LOOK] = look, [TN_CLOCK_STEP] = step,       [TN_CLOCK_FREQUENCY] = set_frequency,
                [TN_CLOCK_SET] = set,   [TN_CLOCK_SET_RTC] = set_rtc,
        };

        *ret = (struct tn_clock_answer){0};
        if (call->version != TN_CLOCK_CALL_VERSION || call->verb >= sizeof verbs / sizeof *verbs)
                ret->errnum = EPROTO;
        else if (now_nsec(CLOCK_MONOTONIC) > call->until_nsec)
                ret->errnum = ETIMEDOUT;
        else if (verbs[call->verb](call->value, ret) < 0)
                ret->errnum = errno;
}
