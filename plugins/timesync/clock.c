/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* The kernel's clock. The surprising thing: frequencies are in units of 2^-16 ppm there (adjtimex(2)). */
#define _GNU_SOURCE
#include "plugins/timesync/clock.h"

#include <errno.h>
#include <sys/timex.h>
#include <time.h>

#include "lib/error.h"
#include "plugins/timesync/sample.h"

#define PPB_PER_UNIT (1000.0 / 65536.0)

static int64_t now_nsec(clockid_t clock)
{
        struct timespec ts;

        clock_gettime(clock, &ts);
        return ts.tv_sec * TN_NSEC_PER_SEC + ts.tv_nsec;
}

static int64_t realtime_nsec(void *data)
{
        (void) data;
        return now_nsec(CLOCK_REALTIME);
}

static int64_t boottime_nsec(void *data)
{
        (void) data;
        return now_nsec(CLOCK_BOOTTIME);
}

static int64_t raw_nsec(void *data)
{
        (void) data;
        return now_nsec(CLOCK_MONOTONIC_RAW);
}

static bool get_state(void *data, struct tn_clock_state *ret, GError **error)
{
        struct timex tx = {.modes = 0};
        int state = adjtimex(&tx);

        (void) data;
        if (state < 0)
                return tn_error_errno(error, errno, "read the state of the clock");
        *ret = (struct tn_clock_state){
                .synchronized = !(tx.status & STA_UNSYNC) && state != TIME_ERROR,
                .maxerror_usec = tx.maxerror,
                .frequency_ppb = (double) tx.freq * PPB_PER_UNIT,
                .leap = state == TIME_INS   ? 1
                        : state == TIME_DEL ? -1
                                            : 0,
                .tai_offset = tx.tai,
        };
        return true;
}

static bool step(void *data, int64_t delta_nsec, GError **error)
{
        struct timex tx = {.modes = ADJ_SETOFFSET | ADJ_NANO};

        (void) data;
        tx.time.tv_sec = delta_nsec / TN_NSEC_PER_SEC;
        tx.time.tv_usec = delta_nsec % TN_NSEC_PER_SEC; /* nanoseconds, because of ADJ_NANO */
        if (tx.time.tv_usec < 0) {
                tx.time.tv_sec--;
                tx.time.tv_usec += TN_NSEC_PER_SEC;
        }
        if (clock_adjtime(CLOCK_REALTIME, &tx) < 0)
                return tn_error_errno(error, errno, "step the clock by %.3f s", (double) delta_nsec / 1e9);
        return true;
}

static bool set_frequency(void *data, double ppb, GError **error)
{
        struct timex tx = {.modes = ADJ_FREQUENCY, .freq = (long) (ppb / PPB_PER_UNIT)};

        (void) data;
        if (clock_adjtime(CLOCK_REALTIME, &tx) < 0)
                return tn_error_errno(error, errno, "set the frequency of the clock to %+.0f ppb", ppb);
        return true;
}

const struct tn_clock tn_clock_system = {
        .realtime_nsec = realtime_nsec,
        .boottime_nsec = boottime_nsec,
        .raw_nsec = raw_nsec,
        .get_state = get_state,
        .step = step,
        .set_frequency = set_frequency,
};
