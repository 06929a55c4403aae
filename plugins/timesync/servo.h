/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * From measured offsets to what is done about the clock: a step, another frequency, or nothing. A PI
 * controller with a dead zone as wide as the source's error, so that a coarse source never makes the clock
 * worse than it was. Pure: touches no clock.
 */
#pragma once

#include <stdbool.h>

#include "plugins/timesync/sample.h"

/* The reason why a clock that is far ahead is left where it is. */
#define TN_SERVO_AHEAD "the clock is ahead, and backward-steps=no forbids to step it back"

struct tn_servo_limits {
        int64_t step_nsec;       /* offsets above this are stepped, not slewed */
        bool backward;           /* may step backward; else what is ahead by less than a second is slewed */
        int64_t offset_max_nsec; /* offsets above this are not believed */
        int64_t constant_nsec;   /* an offset is slewed away in no shorter time: until the next sample */
};

struct tn_servo {
        struct tn_servo_limits limits;
        double frequency_ppb; /* what the clock runs at now */
        double drift_ppb;     /* the integral: what the oscillator seems to need */
        int64_t last_nsec;    /* CLOCK_MONOTONIC_RAW of the last sample; 0: none */
};

enum tn_servo_action {
        TN_SERVO_KEEP,   /* nothing */
        TN_SERVO_SLEW,   /* run at frequency_ppb */
        TN_SERVO_STEP,   /* add step_nsec, and run at frequency_ppb */
        TN_SERVO_REFUSE, /* nothing, and tell why */
};

struct tn_servo_decision {
        enum tn_servo_action action;
        int64_t step_nsec;
        double frequency_ppb;
        const char *reason; /* static */
};

/* @jumped: something has happened to the clock since the last sample (a pause, a restore), or this is the
 * first one. Only then it is stepped; an offset that grew slowly is slewed away, but for a clock that is
 * ahead by more than a second: that is no drift, and it is left alone unless it may be stepped back. */
struct tn_servo_decision tn_servo_add(struct tn_servo *servo, const struct tn_sample *sample, bool jumped);
