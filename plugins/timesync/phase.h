/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * A clock that shows whole seconds, such as a hardware clock, located to a fraction of a second by reading
 * it often enough at the right moments. Its phase is what it shows minus CLOCK_MONOTONIC_RAW, in
 * nanoseconds.
 *
 * Each reading confines the phase: it showed S some time between the two looks at the raw clock, so its
 * phase is above S - after and below S + 1 - before. The intersection of such intervals is all that is kept.
 * When it is empty, one of the two clocks has jumped: the guest stood still, was restored, or somebody set
 * the clock. Pure: reads nothing.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct tn_phase {
        int64_t low_nsec, high_nsec; /* the phase is between these two */
        int64_t at_nsec;             /* CLOCK_MONOTONIC_RAW of the last reading; 0: none yet */
        int64_t step_nsec;           /* between the readings of the pass that is under way; 0: none is */
        int64_t seconds;             /* what the last reading showed */
        bool turned;                 /* it was seen to go on: a clock that stands still never is */
};

/* One reading. */
struct tn_phase_reading {
        int64_t seconds;     /* what the clock showed */
        int64_t before_nsec; /* CLOCK_MONOTONIC_RAW before and after it was read */
        int64_t after_nsec;
};

/* How fast either clock may run differently from the other, in parts per million. */
#define TN_PHASE_DRIFT_PPM 100 /* nobody slews the raw clock; this is for the oscillators */

/* False: this reading contradicts the earlier ones. Then @phase knows this reading only. */
bool tn_phase_add(struct tn_phase *phase, const struct tn_phase_reading *reading);

static inline int64_t tn_phase_middle(const struct tn_phase *phase)
{
        return phase->low_nsec + (phase->high_nsec - phase->low_nsec) / 2;
}
static inline int64_t tn_phase_error(const struct tn_phase *phase)
{
        return (phase->high_nsec - phase->low_nsec + 1) / 2;
}

/* The next time after @from_nsec, in CLOCK_MONOTONIC_RAW, at which a reading tells most: @steps of them cut
 * the place where the second turns into as many parts. */
int64_t tn_phase_next(struct tn_phase *phase, int64_t from_nsec, unsigned steps);
/* A moment after @from_nsec, at least @lead_nsec before a turn, at which it surely has not turned yet. A
 * reading then tells little, but that the guest did not stand still for a part of a second. */
int64_t tn_phase_early(const struct tn_phase *phase, int64_t from_nsec, int64_t lead_nsec);
/* Standing still for less than this would not show in a reading at that moment. */
int64_t tn_phase_misses(const struct tn_phase *phase, int64_t at_nsec);
