/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* Interval arithmetic. The surprising thing: an interval grows with its age, for no two clocks run alike. */
#include "plugins/timesync/phase.h"

#include <glib.h>

#include "plugins/timesync/sample.h"

#define STEP_MIN_NSEC (200 * TN_NSEC_PER_USEC) /* closer together, readings tell nothing new */

static int64_t drift_nsec(const struct tn_phase *phase, int64_t at_nsec)
{
        return phase->at_nsec ? (at_nsec - phase->at_nsec) / 1000000 * TN_PHASE_DRIFT_PPM : 0;
}

bool tn_phase_add(struct tn_phase *phase, const struct tn_phase_reading *reading)
{
        int64_t low = reading->seconds * TN_NSEC_PER_SEC - reading->after_nsec;
        int64_t high = (reading->seconds + 1) * TN_NSEC_PER_SEC - reading->before_nsec;
        struct tn_phase old = *phase;
        int64_t drift = drift_nsec(&old, reading->after_nsec);

        *phase = (struct tn_phase){.low_nsec = low,
                                   .high_nsec = high,
                                   .at_nsec = reading->after_nsec,
                                   .seconds = reading->seconds};
        if (old.at_nsec == 0)
                return true;
        low = MAX(low, old.low_nsec - drift);
        high = MIN(high, old.high_nsec + drift);
        if (low > high)
                return false;
        phase->low_nsec = low;
        phase->high_nsec = high;
        phase->step_nsec = old.step_nsec;
        phase->turned = old.turned || reading->seconds > old.seconds;
        return true;
}

static int64_t ceil_second(int64_t nsec)
{
        int64_t rest = nsec % TN_NSEC_PER_SEC;

        if (rest < 0)
                rest += TN_NSEC_PER_SEC;
        return rest ? nsec + TN_NSEC_PER_SEC - rest : nsec;
}

/* While the second may turn at any moment from "high" to "low", the readings are spread evenly over the time
 * between; else the next one waits for the first place of the next turn. The distance stays until the turn
 * was seen: made smaller with what is left, the readings would come closer and closer and never arrive. */
int64_t tn_phase_next(struct tn_phase *phase, int64_t from_nsec, unsigned steps)
{
        int64_t width = phase->high_nsec - phase->low_nsec;
        /* The earliest moment of a turn that is not over yet: at the high end of the phase it comes first.
         */
        int64_t turn = ceil_second(from_nsec + phase->low_nsec) - phase->low_nsec - width;
        int64_t next;

        if (phase->step_nsec == 0 || phase->at_nsec <= turn || width < 2 * phase->step_nsec)
                phase->step_nsec = MAX(width / (int64_t) (steps + 1), STEP_MIN_NSEC);
        next = turn + phase->step_nsec;
        if (next <= from_nsec)
                next += ((from_nsec - next) / phase->step_nsec + 1) * phase->step_nsec;
        return next;
}

int64_t tn_phase_early(const struct tn_phase *phase, int64_t from_nsec, int64_t lead_nsec)
{
        int64_t margin = drift_nsec(phase, from_nsec + TN_NSEC_PER_SEC) + lead_nsec;
        int64_t early = ceil_second(from_nsec + phase->high_nsec) - phase->high_nsec - margin;

        return early > from_nsec ? early : early + TN_NSEC_PER_SEC;
}

int64_t tn_phase_misses(const struct tn_phase *phase, int64_t at_nsec)
{
        int64_t shown = at_nsec + tn_phase_middle(phase);

        return ceil_second(shown + 1) - shown;
}
