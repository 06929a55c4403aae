/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * The system calls about the clock that the agent's sandbox forbids, as one packet each way: it asks
 * tenon-clock (8), which is allowed nothing else. Without a sandbox the same call is made here. What is
 * asked for is relative (a step) or has been computed before (a frequency), so nothing is lost on the way.
 */
#pragma once

#include <stdint.h>

#define TN_CLOCK_CALL_VERSION 1

enum tn_clock_verb {
        TN_CLOCK_LOOK,      /* what adjtimex(2) says; anybody may, but seccomp knows no such difference */
        TN_CLOCK_STEP,      /* add @value nanoseconds to CLOCK_REALTIME at once */
        TN_CLOCK_FREQUENCY, /* @value is struct timex' freq: 2^-16 ppm */
        TN_CLOCK_SET,       /* @value is microseconds since 1970 */
        TN_CLOCK_SET_RTC,   /* the hardware clock shall show @value, seconds since 1970 */
};

struct tn_clock_call {
        uint32_t version;
        uint32_t verb;
        int64_t value;
        int64_t until_nsec; /* CLOCK_MONOTONIC: a call that nobody waits for any more is not made */
};

struct tn_clock_answer {
        int32_t errnum; /* 0: done, and for TN_CLOCK_LOOK the rest is true */
        int32_t state;  /* what adjtimex() returned */
        int32_t status; /* the rest as in struct timex */
        int32_t tai;
        int64_t maxerror;
        int64_t freq;
};

/* Makes the call in this process. Refuses a time outside of the years 1970 to 2069. */
void tn_clock_call_do(const struct tn_clock_call *call, struct tn_clock_answer *ret);

/* Makes it where it is allowed: here, or in tenon-clock, for which it waits a second at most, and for five
 * when the host sets a clock. Zero, or an errno. */
int tn_clock_ask(enum tn_clock_verb verb, int64_t value, struct tn_clock_answer *ret);

/* Is this process forbidden to set the clock, whoever runs it? */
int tn_clock_is_elsewhere(void);
