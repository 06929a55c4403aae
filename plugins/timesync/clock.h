/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * The system clock as what can be read, stepped and trimmed: a table of functions, so that the servo and the
 * keeper run on a simulated clock in tests. tn_clock_system is the kernel's: read by clock_gettime(2),
 * changed by clock_adjtime(2), where the sandbox allows it or else in tenon-clock.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

/* What adjtimex(2) says of CLOCK_REALTIME. */
struct tn_clock_state {
        bool synchronized;     /* STA_UNSYNC is off: somebody disciplines it and says that it is right */
        int64_t maxerror_usec; /* as that somebody claims */
        double frequency_ppb;
        int leap;       /* +1, -1: a leap second is to be inserted, deleted at the end of this UTC day; 0 */
        int tai_offset; /* seconds; 0: unknown */
};

struct tn_clock {
        void *data;
        int64_t (*realtime_nsec)(void *data); /* CLOCK_REALTIME */
        int64_t (*boottime_nsec)(void *data); /* CLOCK_BOOTTIME: slewed like CLOCK_REALTIME, never stepped */
        int64_t (*raw_nsec)(void *data); /* CLOCK_MONOTONIC_RAW: what the hardware counts, never slewed */
        bool (*get_state)(void *data, struct tn_clock_state *ret, GError **error);
        /* Adds to CLOCK_REALTIME at once (ADJ_SETOFFSET): nothing is lost between reading and setting. */
        bool (*step)(void *data, int64_t delta_nsec, GError **error);
        /* How much faster than the hardware the clock shall run; at most TN_CLOCK_PPB_MAX either way. */
        bool (*set_frequency)(void *data, double ppb, GError **error);
};

#define TN_CLOCK_PPB_MAX 500000.0 /* the kernel's limit, MAXFREQ in include/linux/timex.h */

extern const struct tn_clock tn_clock_system;
