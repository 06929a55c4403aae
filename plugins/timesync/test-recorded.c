/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * Days of the simulated guest on recorded oscillators and recorded timers (tests/clocks/README.md), by the
 * hardware clock and by a PTP clock: the clock converges, comes back from an offset without overshoot, and
 * is never stepped back.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "plugins/timesync/story.h"

#define BEHIND    (80 * MSEC) /* less than a step: it is slewed away */
#define OVERSHOOT 0.12        /* of that, at most, on the other side */
#define PRECISE   (1 * MSEC)
#define STEP      (100 * MSEC) /* what is less is slewed away after a pause, which takes minutes */
#define PAUSE     1e9          /* no recorded clock loses so much in a minute unless its guest stood still */

static const struct {
        const char *file;
        double bound; /* by the hardware clock, from the third hour on */
        bool lie;     /* it goes back by an hour at 15 h, for an hour */
} recordings[] = {
        {"guest-tsc-1.txt", 15 * MSEC, false},
        {"guest-tsc-2.txt", 15 * MSEC, true},
        /* Its guest was starved, and lost what its counter of 24 bits cannot tell: 4.7 s, ten times in ten
           minutes. */
        {"guest-acpi_pm.txt", STEP, false},
        {"guest-hpet-stopped.txt", STEP, false},
};

static void begin_recorded(void **state, const char *file, bool precise)
{
        g_autofree char *oscillator = g_build_filename(g_getenv("TN_CLOCKS"), file, NULL);
        g_autofree char *timers = g_build_filename(g_getenv("TN_CLOCKS"), "timers.txt", NULL);
        struct story *story;

        set_up(state);
        story = *state;
        story->sim->oscillator = sim_recorded_oscillator(oscillator);
        story->sim->timers = sim_recorded_timers(timers);
        if (precise) {
                sim_phc(story->sim, "KVM virtual PTP");
                story->sim->boot_offset -= BEHIND;
        }
        begin(story, TN_KEEPER_AUTO);
}

/* Runs for a minute of the guest's; did the recorded guest stand still meanwhile? */
static bool run_minute(struct story *story)
{
        double before = sim_recorded_ahead(story->sim->oscillator, sim_elapsed(story->sim));

        story->sim->worst_nsec = 0;
        run(story, 60);
        return before - sim_recorded_ahead(story->sim->oscillator, sim_elapsed(story->sim)) > PAUSE;
}

/* By the hardware clock. Right after a pause of the recording's the clock is behind for some seconds; in all
 * other minutes it is right. */
static void check_day(const char *file, double bound, bool lie)
{
        unsigned pauses = 0;
        double worst = 0;
        int calm = 0; /* minutes since the last pause */
        struct story *story;
        void *state;

        begin_recorded(&state, file, false);
        story = state;
        for (int minute = 0; minute < 24 * 60; minute++) {
                if (lie && (minute == 15 * 60 || minute == 16 * 60))
                        story->sim->rtc_late_nsec += (minute == 15 * 60 ? 3600 : -3600) * TN_NSEC_PER_SEC;
                if (run_minute(story)) {
                        pauses += calm > 0; /* one may begin in one minute and end in the next */
                        calm = 0;
                } else {
                        calm++;
                }
                if (minute >= 180 && calm > 1)
                        worst = MAX(worst, story->sim->worst_nsec);
        }
        print_message("%s: %u pauses, %u steps, off by %.3f ms at worst\n", file, pauses, story->sim->steps,
                      worst / MSEC);
        if (worst > bound)
                fail_msg("%s: off by up to %.3f ms", file, worst / MSEC);
        /* Some come within seconds of each other, and the last one may be too late for a step. */
        assert_in_range(story->sim->steps, pauses ? pauses - 1 : 0, pauses * 4);
        assert_int_equal(story->sim->backward_steps, 0);
        tear_down(&state);
}

/* By a PTP clock, from a clock that is behind at the start. */
static void check_convergence(const char *file)
{
        double other_side = 0, late = 0;
        struct story *story;
        void *state;

        begin_recorded(&state, file, true);
        story = state;
        for (int second = 0; second < 10 * 60; second++) { /* no recording has a pause so early */
                run(story, 1);
                other_side = MAX(other_side, -sim_offset(story->sim));
                if (second >= 8 * 60)
                        late = MAX(late, fabs(sim_offset(story->sim)));
        }
        print_message("%s: %.3f ms on the other side, after eight minutes off by %.3f ms\n", file,
                      other_side / MSEC, late / MSEC);
        if (other_side > OVERSHOOT * BEHIND)
                fail_msg("%s: %.3f ms on the other side", file, other_side / MSEC);
        if (late > PRECISE)
                fail_msg("%s: after eight minutes still off by %.3f ms", file, late / MSEC);
        assert_int_equal(story->sim->steps, 0);
        assert_string_equal(story->keeper.source, "ptp_kvm");
        tear_down(&state);
}

static void test_recorded_days(void **state)
{
        (void) state;
        for (size_t i = 0; i < G_N_ELEMENTS(recordings); i++)
                check_day(recordings[i].file, recordings[i].bound, recordings[i].lie);
}

static void test_recorded_convergence(void **state)
{
        (void) state;
        for (size_t i = 0; i < G_N_ELEMENTS(recordings); i++)
                check_convergence(recordings[i].file);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_recorded_days),
                cmocka_unit_test(test_recorded_convergence),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
