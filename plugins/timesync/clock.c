/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* The kernel's clock, through lib/clock-call.h. The surprising thing: frequencies are in units of 2^-16 ppm
 * there (adjtimex(2)). */
#include "plugins/timesync/clock.h"

#include <sys/timex.h>
#include <time.h>

#include "lib/clock-call.h"
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
        struct tn_clock_answer answer;
        int errnum = tn_clock_ask(TN_CLOCK_LOOK, 0, &answer);

        (void) data;
        if (errnum != 0)
                return tn_error_errno(error, errnum, "read the state of the clock");
        *ret = (struct tn_clock_state){
                .synchronized = !(answer.status & STA_UNSYNC) && answer.state != TIME_ERROR,
                .maxerror_usec = answer.maxerror,
                .frequency_ppb = (double) answer.freq * PPB_PER_UNIT,
                .leap = answer.state == TIME_INS   ? 1
                        : answer.state == TIME_DEL ? -1
                                                   : 0,
                .tai_offset = answer.tai,
        };
        return true;
}

static bool step(void *data, int64_t delta_nsec, GError **error)
{
        struct tn_clock_answer answer;
        int errnum = tn_clock_ask(TN_CLOCK_STEP, delta_nsec, &answer);

        (void) data;
        if (errnum != 0)
                return tn_error_errno(error, errnum, "step the clock by %.3f s", (double) delta_nsec / 1e9);
        return true;
}

static bool set_frequency(void *data, double ppb, GError **error)
{
        struct tn_clock_answer answer;
        int errnum = tn_clock_ask(TN_CLOCK_FREQUENCY, (int64_t) (ppb / PPB_PER_UNIT), &answer);

        (void) data;
        if (errnum != 0)
                return tn_error_errno(error, errnum, "set the frequency of the clock to %+.0f ppb", ppb);
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
