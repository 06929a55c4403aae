/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* The keeper in a simulated guest (sim.h): pauses, daemons, hardware clocks that lie, a day of drift. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <string.h>

#include "lib/error.h"
#include "plugins/timesync/story.h"

static void test_pause_is_corrected(void **state)
{
        static const double pauses[] = {0.3, 1, 10, 60, 600, 86400};
        struct story *story = *state;

        begin(story, TN_KEEPER_AUTO);
        run(story, 60);
        assert_int_equal(story->sim->steps, 0);
        for (size_t i = 0; i < G_N_ELEMENTS(pauses); i++) {
                sim_pause(story->sim, pauses[i]);
                run(story, 15);
                if (fabs(sim_offset(story->sim)) > 10 * MSEC)
                        fail_msg("after a pause of %g s the clock is off by %g ms", pauses[i],
                                 sim_offset(story->sim) / MSEC);
                assert_int_equal(story->sim->steps, i + 1);
                assert_int_equal(story->keeper.jumps, i + 1);
                run(story, 7.3 * (double) i);
        }
        assert_int_equal(story->sim->backward_steps, 0);
        assert_string_equal(story->keeper.last_jump.outcome, "stepped");
}

/* A look that comes after the turn of the second is blind for a jump of less than a second. */
static void test_late_timers(void **state)
{
        static const double late_ms[] = {4, 8, 20, 90, 180};
        struct story *story = *state;

        begin(story, TN_KEEPER_AUTO);
        run(story, 60);
        for (size_t i = 0; i < G_N_ELEMENTS(late_ms); i++) {
                story->sim->timer_late_nsec = (int64_t) (late_ms[i] * MSEC);
                run(story, 25); /* it learns how late they are */
                sim_pause(story->sim, 0.4 + 0.11 * (double) i);
                run(story, 15);
                if (fabs(sim_offset(story->sim)) > 30 * MSEC)
                        fail_msg("with timers that are %g ms late the clock is off by %g ms", late_ms[i],
                                 sim_offset(story->sim) / MSEC);
                assert_int_equal(story->sim->steps, i + 1);
        }
}

/* Readings of 60 to 80 ms: the turn of the second is never known well, but a pause is. */
static void test_slow_readings(void **state)
{
        struct story *story = *state;

        story->sim->rtc_least_nsec = 30 * TN_NSEC_PER_MSEC;
        story->sim->rtc_delay_nsec = 10 * TN_NSEC_PER_MSEC;
        begin(story, TN_KEEPER_AUTO);
        run(story, 120);
        assert_string_equal(story->keeper.source, "rtc");
        sim_pause(story->sim, 12);
        run(story, 60);
        assert_int_equal(story->keeper.jumps, 1);
        assert_int_equal(story->sim->steps, 1);
        if (fabs(sim_offset(story->sim)) > 100 * MSEC)
                fail_msg("off by %g ms", sim_offset(story->sim) / MSEC);
}

/* A reading that was torn is not somebody who sets the clock. */
static void test_busy_processor(void **state)
{
        struct story *story = *state;

        story->sim->preempted = 0.05;
        sim_daemon(story->sim, "chrony.service", true);
        story->sim->synchronized = true;
        begin(story, TN_KEEPER_AUTO);
        for (unsigned i = 1; i <= 20; i++) {
                run(story, 60);
                sim_pause(story->sim, 12);
                run(story, 30);
                assert_int_equal(story->keeper.jumps, i);
                sim_step(story->sim);
                run(story, 60);
                assert_int_equal(story->keeper.epoch, i);
        }
}

/* As after loadvm: the timer that was running comes seconds too late, at any part of a second. */
static void test_one_late_timer(void **state)
{
        struct story *story = *state;

        begin(story, TN_KEEPER_AUTO);
        for (unsigned i = 0; i < 20; i++) {
                run(story, 60);
                story->next += (int64_t) ((2 + 0.1 * i) * 1e9); /* its keeper does not know it */
                sim_pause(story->sim, 0.66);
                run(story, 20);
                if (fabs(sim_offset(story->sim)) > 30 * MSEC)
                        fail_msg("timer late by %g s: the clock is off by %g ms", 2 + 0.1 * i,
                                 sim_offset(story->sim) / MSEC);
        }
        assert_int_equal(story->sim->steps, 20);
}

static void test_daemon_is_left_alone(void **state)
{
        struct story *story = *state;

        sim_daemon(story->sim, "chrony.service", true);
        story->sim->synchronized = true;
        begin(story, TN_KEEPER_AUTO);
        run(story, 60);
        sim_pause(story->sim, 10);
        run(story, 60);
        assert_int_equal(story->sim->steps, 0);
        assert_int_equal(story->sim->frequencies, 0);
        assert_int_equal(story->keeper.jumps, 1);
        assert_true(fabs((double) story->keeper.sample.offset_nsec - 10e9) < 10 * MSEC);
        assert_string_equal(story->keeper.last_jump.outcome, "reported only");
}

static void test_assist_asks_once(void **state)
{
        struct story *story = *state;

        sim_daemon(story->sim, "chrony.service", true);
        story->sim->synchronized = true;
        begin(story, TN_KEEPER_ASSIST);
        run(story, 60);
        sim_pause(story->sim, 60);
        run(story, 120);
        assert_int_equal(story->sim->asked, 1);
        assert_int_equal(story->sim->steps, 0);
        assert_true(llabs(story->keeper.sample.offset_nsec) < 10 * TN_NSEC_PER_MSEC);
}

static void test_somebody_sets_the_clock(void **state)
{
        struct story *story = *state;

        begin(story, TN_KEEPER_AUTO);
        run(story, 60);
        story->sim->boot_offset -= 3600e9; /* date -s, an hour back: it is not put right against his will */
        run(story, 120);
        assert_int_equal(story->sim->steps, 0);
        assert_true(fabs(sim_offset(story->sim) - 3600e9) < 100 * MSEC);
        sim_pause(story->sim, 10);
        run(story, 15);
        assert_int_equal(story->sim->steps, 1);
        assert_true(fabs(sim_offset(story->sim) - 3600e9) < 100 * MSEC);
}

/* An hour, for an hour: the clock is neither stepped nor slewed, and that is told. */
static void test_hardware_clock_goes_back(void **state)
{
        struct story *story = *state;
        unsigned frequencies;
        json_t *summary;

        begin(story, TN_KEEPER_AUTO);
        run(story, 60);
        frequencies = story->sim->frequencies;
        story->sim->rtc_late_nsec += 3600 * TN_NSEC_PER_SEC;
        run(story, 3600);
        assert_int_equal(story->sim->steps, 0);
        assert_int_equal(story->sim->frequencies, frequencies);
        assert_true(fabs(sim_offset(story->sim)) < 10 * MSEC);
        assert_non_null(strstr(story->keeper.last_jump.outcome, "backward-steps=no"));
        summary = tn_keeper_summary(&story->keeper);
        assert_non_null(strstr(json_string_value(json_array_get(json_object_get(summary, "problems"), 0)),
                               "s ahead of rtc, and is not set back"));
        json_decref(summary);
        story->sim->rtc_late_nsec -= 3600 * TN_NSEC_PER_SEC;
        run(story, 60);
        assert_int_equal(story->sim->steps, 0);
        assert_null(story->keeper.refusal);
        assert_true(fabs(sim_offset(story->sim)) < 10 * MSEC);
}

static void test_hardware_clock_makes_no_sense(void **state)
{
        static const int64_t fixed[] = {0, 5, INT64_C(7258118400) /* 2200 */, INT64_C(1790000000)};
        struct story *story = *state;

        for (size_t i = 0; i < G_N_ELEMENTS(fixed); i++) {
                story->sim->rtc_stands_still = true;
                story->sim->rtc_fixed = fixed[i];
                begin(story, TN_KEEPER_AUTO);
                run(story, 100);
                assert_int_equal(story->sim->steps, 0);
                assert_non_null(story->keeper.rtc_problem);
                assert_null(story->keeper.source);
                story->sim->rtc_stands_still = false;
                run(story, 700); /* it is looked at again */
                assert_null(story->keeper.rtc_problem);
                assert_string_equal(story->keeper.source, "rtc");
                tn_keeper_deinit(&story->keeper);
        }
}

static void test_no_hardware_clock(void **state)
{
        struct story *story = *state;

        story->sim->rtc_missing = true;
        begin(story, TN_KEEPER_AUTO);
        run(story, 3600);
        assert_null(story->keeper.source);
        assert_string_equal(story->keeper.rtc_problem, "cannot be read");
}

static unsigned looks_in_an_hour(struct story *story, double late_ms)
{
        int64_t last = 0;
        unsigned looks = 0;

        for (double t = 0; t < 3600; t += 0.5) {
                story->sim->timer_late_nsec = (int64_t) (late_ms * MSEC *
                                                         pow(g_rand_double(story->sim->random), 4));
                run(story, 0.5);
                looks += story->next != last;
                last = story->next;
        }
        return looks;
}

/* However late the timers of a busy machine are: at most one look in ten seconds, and no jump is seen. */
static void test_few_wakeups(void **state)
{
        static const double late_ms[] = {0, 20, 190};
        struct story *story = *state;

        begin(story, TN_KEEPER_AUTO);
        run(story, 30);
        for (size_t i = 0; i < G_N_ELEMENTS(late_ms); i++) {
                assert_in_range(looks_in_an_hour(story, late_ms[i]), 300, 360);
                assert_int_equal(story->keeper.jumps, 0);
                if (fabs(sim_offset(story->sim)) > 15 * MSEC)
                        fail_msg("with timers that are up to %g ms late: off by %g ms", late_ms[i],
                                 sim_offset(story->sim) / MSEC);
        }
}

static void test_day_of_drift(void **state)
{
        struct story *story = *state;

        story->sim->oscillator_ppb = 38000; /* 3.3 s a day, if nobody did anything */
        story->sim->wander_ppb = 20;
        begin(story, TN_KEEPER_AUTO);
        run(story, 3 * 3600);
        story->sim->worst_nsec = 0;
        run(story, 21 * 3600);
        assert_int_equal(story->sim->steps, 0);
        if (story->sim->worst_nsec > 15 * MSEC)
                fail_msg("the clock was off by up to %g ms", story->sim->worst_nsec / MSEC);
}

/* Drift, wander, late timers, a pause of ten minutes at 9 h, a hardware clock that is an hour late from 15 h
 * to 16 h: one step, never back, and never off by more than 25 ms. */
static void test_day_of_everything(void **state)
{
        struct story *story = *state;
        struct sim *sim = story->sim;

        sim->oscillator_ppb = -25000;
        sim->wander_ppb = 15;
        begin(story, TN_KEEPER_AUTO);
        run(story, 3 * 3600);
        for (int minute = 180; minute < 24 * 60; minute++) {
                sim->timer_late_nsec = (int64_t) (40 * MSEC * g_rand_double(sim->random));
                if (minute == 15 * 60 || minute == 16 * 60)
                        sim->rtc_late_nsec += (minute == 15 * 60 ? 3600 : -3600) * TN_NSEC_PER_SEC;
                if (minute == 9 * 60) {
                        sim_pause(sim, 600);
                        run(story, 15);
                }
                sim->worst_nsec = 0;
                run(story, 60);
                if (sim->worst_nsec > 25 * MSEC)
                        fail_msg("at %.2f h the clock is off by %g ms", minute / 60.0,
                                 sim->worst_nsec / MSEC);
        }
        assert_int_equal(sim->steps, 1);
        assert_int_equal(sim->backward_steps, 0);
}

static void test_host_adjusts(void **state)
{
        static const struct {
                int64_t offset, error;
        } absurd[] = {{G_MAXINT64 / 2, 1000}, {G_MAXINT64, 0}, {G_MININT64, 0},         {G_MININT64 + 1, 0},
                      {0, G_MAXINT64},        {0, -1},         {1000000000, G_MININT64}};
        struct story *story = *state;
        g_autoptr(GError) error = NULL;

        begin(story, TN_KEEPER_AUTO);
        run(story, 30);
        story->sim->boot_offset -= 40 * MSEC; /* 40 ms behind: too little for a step of ours */
        run(story, 30);
        assert_false(
                tn_keeper_adjust(&story->keeper, 40000000, 100000, story->keeper.epoch - 1, true, &error));
        assert_true(g_error_matches(error, TN_ERROR, TN_ERROR_INVALID));
        g_clear_error(&error);
        assert_true(tn_keeper_adjust(&story->keeper, (int64_t) sim_offset(story->sim), 100000,
                                     story->keeper.epoch, true, &error));
        assert_true(fabs(sim_offset(story->sim)) < 0.2 * MSEC);
        run(story, 60);
        sim_pause(story->sim, 30);
        run(story, 15);
        assert_true(fabs(sim_offset(story->sim)) < 10 * MSEC);
        assert_false(tn_keeper_adjust(&story->keeper, -3600 * TN_NSEC_PER_SEC, 1000, story->keeper.epoch,
                                      false, &error));
        assert_non_null(strstr(error->message, "backward-steps=no"));
        g_clear_error(&error);
        for (size_t i = 0; i < G_N_ELEMENTS(absurd); i++) {
                assert_false(tn_keeper_adjust(&story->keeper, absurd[i].offset, absurd[i].error,
                                              story->keeper.epoch, true, &error));
                assert_true(g_error_matches(error, TN_ERROR, TN_ERROR_INVALID));
                g_clear_error(&error);
        }
        sim_daemon(story->sim, "chrony.service", true);
        run(story, 30);
        assert_false(tn_keeper_adjust(&story->keeper, 500000000, 1000, story->keeper.epoch, true, &error));
        assert_string_equal(error->message, "chronyd keeps the clock of this guest; it was not changed");
}

/* The host puts the clock right before the keeper has noticed the pause: it is not made up for twice. */
static void test_host_is_faster(void **state)
{
        static const double pauses[] = {7.3, 0.6, 0.15, 600};
        struct story *story = *state;
        unsigned steps = 0;

        begin(story, TN_KEEPER_AUTO);
        for (size_t i = 0; i < G_N_ELEMENTS(pauses); i++)
                for (unsigned way = 0; way < 3;
                     way++) { /* it tells; it sets the time; somebody else sets it */
                        run(story, 60 + 0.37 * (double) i);
                        sim_pause(story->sim, pauses[i]);
                        run(story, 0.2);
                        steps += way == 0;
                        if (way == 0)
                                assert_true(tn_keeper_adjust(&story->keeper,
                                                             (int64_t) sim_offset(story->sim), 100000,
                                                             tn_keeper_epoch(&story->keeper), true, NULL));
                        else
                                sim_step(story->sim);
                        if (way == 1)
                                tn_keeper_clock_was_set(&story->keeper);
                        run(story, 60);
                        if (fabs(sim_offset(story->sim)) > 20 * MSEC)
                                fail_msg("pause of %g s, way %u: the clock is off by %g ms", pauses[i], way,
                                         sim_offset(story->sim) / MSEC);
                        assert_int_equal(story->sim->steps, steps);
                }
}

/* It pauses right after the host has put the clock right: that is another pause, and made up for. */
static void test_pause_after_the_host(void **state)
{
        static const double pauses[] = {10, 2.3, 0.6};
        struct story *story = *state;

        begin(story, TN_KEEPER_AUTO);
        for (size_t i = 0; i < G_N_ELEMENTS(pauses); i++)
                for (unsigned sets = 1; sets < 4; sets++) {
                        run(story, 60 + 0.37 * (double) i);
                        for (unsigned n = 0; n < sets; n++) {
                                sim_pause(story->sim, n == 0 && sets > 1 ? 7.1 : 0.002);
                                run(story, 0.2);
                                assert_true(tn_keeper_adjust(&story->keeper,
                                                             (int64_t) sim_offset(story->sim), 100000,
                                                             tn_keeper_epoch(&story->keeper), true, NULL));
                        }
                        if (sets > 1)
                                run(story, 30); /* what was made up for is noticed, and no step */
                        if (fabs(sim_offset(story->sim)) > 20 * MSEC)
                                fail_msg("%u sets: the clock is off by %g ms", sets,
                                         sim_offset(story->sim) / MSEC);
                        sim_pause(story->sim, pauses[i]);
                        run(story, 20);
                        if (fabs(sim_offset(story->sim)) > 50 * MSEC)
                                fail_msg("pause of %g s after %u sets: the clock is off by %g ms", pauses[i],
                                         sets, sim_offset(story->sim) / MSEC);
                }
}

static void test_off(void **state)
{
        struct story *story = *state;

        begin(story, TN_KEEPER_OFF);
        assert_int_equal(story->next, 0);
        assert_int_equal(story->keeper.samples, 0);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                STORY(test_pause_is_corrected),
                STORY(test_late_timers),
                STORY(test_slow_readings),
                STORY(test_busy_processor),
                STORY(test_one_late_timer),
                STORY(test_daemon_is_left_alone),
                STORY(test_assist_asks_once),
                STORY(test_somebody_sets_the_clock),
                STORY(test_hardware_clock_goes_back),
                STORY(test_hardware_clock_makes_no_sense),
                STORY(test_no_hardware_clock),
                STORY(test_few_wakeups),
                STORY(test_day_of_drift),
                STORY(test_day_of_everything),
                STORY(test_host_adjusts),
                STORY(test_host_is_faster),
                STORY(test_pause_after_the_host),
                STORY(test_off),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
