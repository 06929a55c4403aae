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
#define BOUND     (15 * MSEC) /* by the hardware clock, in the middle of a day */
#define PRECISE   (0.5 * MSEC)
#define PAUSE     5e9 /* no recorded clock loses so much in a minute unless its guest stood still */

static const char *const recordings[] = {"guest-tsc-1.txt", "guest-tsc-2.txt", "guest-acpi_pm.txt",
                                         "guest-hpet-stopped.txt"};

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

/* Did the recorded guest stand still in this minute? */
static bool paused_in(const struct story *story, int minute)
{
        const GArray *oscillator = story->sim->oscillator;

        return sim_recorded_ahead(oscillator, minute * 60e9) -
                       sim_recorded_ahead(oscillator, (minute + 1) * 60e9) >
               PAUSE;
}

/* By the hardware clock, which goes back by an hour from 15 h to 16 h. Right after a pause of the
 * recording's the clock is behind for some seconds; in all other minutes it is right. */
static void check_day(const char *file)
{
        unsigned pauses = 0;
        double worst = 0;
        int calm = 0; /* minutes since the last pause */
        struct story *story;
        void *state;

        begin_recorded(&state, file, false);
        story = state;
        for (int minute = 0; minute < 24 * 60; minute++) {
                if (minute == 15 * 60 || minute == 16 * 60)
                        story->sim->rtc_late_nsec += (minute == 15 * 60 ? 3600 : -3600) * TN_NSEC_PER_SEC;
                story->sim->worst_nsec = 0;
                run(story, 60);
                if (paused_in(story, minute)) {
                        pauses += calm > 1;
                        calm = 0;
                } else {
                        calm++;
                }
                if (minute >= 180 && calm > 2)
                        worst = MAX(worst, story->sim->worst_nsec);
        }
        print_message("%s: %u pauses, %u steps, off by %.3f ms at worst\n", file, pauses, story->sim->steps,
                      worst / MSEC);
        if (worst > BOUND)
                fail_msg("%s: off by up to %.3f ms", file, worst / MSEC);
        assert_int_equal(story->sim->steps, pauses);
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
        for (int second = 0; second < 15 * 60; second++) { /* no recording has a pause so early */
                run(story, 1);
                other_side = MAX(other_side, -sim_offset(story->sim));
                if (second >= 10 * 60)
                        late = MAX(late, fabs(sim_offset(story->sim)));
        }
        print_message("%s: %.3f ms on the other side, after ten minutes off by %.3f ms\n", file,
                      other_side / MSEC, late / MSEC);
        if (other_side > OVERSHOOT * BEHIND)
                fail_msg("%s: %.3f ms on the other side", file, other_side / MSEC);
        if (late > PRECISE)
                fail_msg("%s: after ten minutes still off by %.3f ms", file, late / MSEC);
        assert_int_equal(story->sim->steps, 0);
        assert_string_equal(story->keeper.source, "ptp_kvm");
        tear_down(&state);
}

static void test_recorded_days(void **state)
{
        (void) state;
        for (size_t i = 0; i < G_N_ELEMENTS(recordings); i++)
                check_day(recordings[i]);
}

static void test_recorded_convergence(void **state)
{
        (void) state;
        for (size_t i = 0; i < G_N_ELEMENTS(recordings); i++)
                check_convergence(recordings[i]);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_recorded_days),
                cmocka_unit_test(test_recorded_convergence),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
