/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * For tests: a guest whose clocks are numbers. The host's time goes on always; the guest's boot time only
 * while the guest runs, at the rate of an oscillator that is off; the hardware clock shows the host's time
 * in whole seconds, late by a part of a second.
 */
#pragma once

#include "plugins/timesync/keeper.h"
#include "plugins/timesync/sim-recorded.h"

struct sim {
        struct tn_env env;
        struct tn_clock clock;
        char *dir;
        int64_t host_nsec;     /* true time */
        double raw_nsec;       /* CLOCK_MONOTONIC_RAW */
        double boot_nsec;      /* CLOCK_BOOTTIME */
        double boot_offset;    /* CLOCK_REALTIME - CLOCK_BOOTTIME */
        double oscillator_ppb; /* how much too fast the guest's hardware runs */
        double wander_ppb;     /* random walk of it, for each second */
        double frequency_ppb;  /* what the kernel was told */
        int64_t rtc_late_nsec;
        int64_t rtc_delay_nsec; /* a reading takes up to twice as long */
        int64_t rtc_least_nsec; /* … and at least twice as long as this */
        double preempted; /* how often the processor is away for 30 ms between two readings of a clock */
        int64_t timer_late_nsec; /* a look comes so late, and by up to a millisecond more */
        bool rtc_missing, rtc_stands_still, synchronized;
        int64_t rtc_fixed;      /* what a clock that stands still shows */
        int64_t phc_ahead_nsec; /* the PTP clock that sim_phc() made, against the host's time */
        int leap;
        int phc_errno; /* it fails */
        unsigned steps, backward_steps, frequencies, asked;
        GString *told;
        GRand *random;
        GArray *oscillator; /* a recorded one, beside the two numbers above; NULL: none */
        GArray *timers;     /* recorded lateness of looks, instead of the number above; NULL: none */
        guint timers_at;
        double worst_nsec; /* largest offset since it was set to 0 */
};

struct sim *sim_new(void);
void sim_free(struct sim *sim);
struct tn_keeper_world sim_world(struct sim *sim);
/* Host minus guest. */
double sim_offset(const struct sim *sim);
/* True time since the start, in nanoseconds. */
double sim_elapsed(const struct sim *sim);
/* The guest runs for so long, the keeper looking when it wants to; *next is its next time. */
void sim_run(struct sim *sim, struct tn_keeper *keeper, int64_t *next, double seconds);
/* The guest stands still for so long. */
void sim_pause(struct sim *sim, double seconds);
/* There is a PTP clock from now on. It is a stand-in: no kernel answers. */
void sim_phc(struct sim *sim, const char *clock_name);
/* The page of a vmclock from now on, or what it says from now on. A stand-in: a file, no kernel's device. */
struct sim_vmclock {
        uint64_t marker, generation;
        uint8_t status;
        uint32_t size; /* 0: the whole page */
        bool being_changed;
};
void sim_vmclock(struct sim *sim, const struct sim_vmclock *page);
/* The daemon makes the clock right. */
void sim_step(struct sim *sim);
void sim_daemon(struct sim *sim, const char *unit, bool runs);
