/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * The PI controller. With an offset o, an interval T between two samples and a time constant C ≥ T, the
 * clock runs at
 *
 *   drift + KP × o / C,   where drift grows by KI × T / C × o / C with each sample.
 *
 * For C = T the offset after the next interval obeys z² - (2 - KP - KI) z + (1 - KP) = 0. With the numbers
 * below the roots are 0.89 and 0.45, both real: what is left of an offset never swings. A coarse source gets
 * a larger C, so that the clock follows where it tends to and not what it says at the moment. Nor is C ever
 * shorter than the usual distance of two samples: after one that came early the next may be as far as ever.
 */
#include "plugins/timesync/servo.h"

#include <glib.h>
#include <math.h>

#include "plugins/timesync/clock.h"

#define BACK_MAX TN_NSEC_PER_SEC /* to slew back so much takes more than half an hour */
#define KP       0.6
#define KI       0.056
#define CALM_PPM 20 /* what an offset as large as the source's error may do to the frequency */

/* Towards zero by @error: what of the offset is certain. */
static int64_t beyond_error(int64_t offset, int64_t error)
{
        if (offset > error)
                return offset - error;
        if (offset < -error)
                return offset + error;
        return 0;
}

static struct tn_servo_decision refuse(const struct tn_servo *servo, const char *reason)
{
        return (struct tn_servo_decision){
                .action = TN_SERVO_REFUSE, .frequency_ppb = servo->frequency_ppb, .reason = reason};
}

static struct tn_servo_decision step(struct tn_servo *servo, int64_t offset_nsec)
{
        servo->frequency_ppb = servo->drift_ppb; /* what was on its way to be slewed away is gone now */
        return (struct tn_servo_decision){.action = TN_SERVO_STEP,
                                          .step_nsec = offset_nsec,
                                          .frequency_ppb = servo->frequency_ppb,
                                          .reason = "the clock has jumped"};
}

static struct tn_servo_decision slew(struct tn_servo *servo, int64_t offset_nsec, int64_t error_nsec,
                                     int64_t interval_nsec)
{
        double interval = (double) interval_nsec;
        double least = (double) MAX(interval_nsec, servo->limits.constant_nsec);
        double constant = MAX(least, (double) error_nsec * 1e6 / CALM_PPM);
        double rate = (double) offset_nsec / constant * 1e9; /* ppb */
        double drift = servo->drift_ppb + KI * interval / constant * rate;
        double frequency = drift + KP * rate;

        if (fabs(frequency) > TN_CLOCK_PPB_MAX)
                frequency = copysign(TN_CLOCK_PPB_MAX, frequency); /* and the integral does not wind up */
        else
                servo->drift_ppb = drift;
        if (frequency == servo->frequency_ppb)
                return (struct tn_servo_decision){.action = TN_SERVO_KEEP, .frequency_ppb = frequency};
        servo->frequency_ppb = frequency;
        return (struct tn_servo_decision){.action = TN_SERVO_SLEW, .frequency_ppb = frequency};
}

struct tn_servo_decision tn_servo_add(struct tn_servo *servo, const struct tn_sample *sample, bool jumped)
{
        const struct tn_servo_limits *limits = &servo->limits;
        int64_t certain = beyond_error(sample->offset_nsec, sample->error_nsec);
        int64_t interval = sample->at_nsec - servo->last_nsec;
        bool first = servo->last_nsec == 0;

        if (!first && interval <= 0)
                return refuse(servo, "the source gave an older sample than before");
        if (limits->offset_max_nsec && llabs(sample->offset_nsec) > limits->offset_max_nsec)
                return refuse(servo, "the offset is larger than is believed of any source");
        servo->last_nsec = sample->at_nsec;
        if ((jumped || first) && llabs(certain) > limits->step_nsec) {
                if (certain > 0 || limits->backward)
                        return step(servo, sample->offset_nsec);
                return refuse(servo, TN_SERVO_AHEAD);
        }
        if (certain < -BACK_MAX && !limits->backward)
                return refuse(servo, TN_SERVO_AHEAD);
        if (first)
                return (struct tn_servo_decision){.action = TN_SERVO_KEEP,
                                                  .frequency_ppb = servo->frequency_ppb};
        return slew(servo, certain, sample->error_nsec, interval);
}
