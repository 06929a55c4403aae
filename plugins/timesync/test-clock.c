/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * The parts of the keeper on their own: the phase of a clock of whole seconds, the servo, who owns the
 * clock, and PTP clocks. The PTP clocks are a stand-in: ioctl(2) is a function of this file, for no such
 * clock is to be had in an emulated guest.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <linux/ptp_clock.h>
#include <math.h>
#include <string.h>

#include "lib/error.h"
#include "plugins/timesync/sim.h"

#define SEC  TN_NSEC_PER_SEC
#define MSEC TN_NSEC_PER_MSEC

/* The phase */

/* A clock whose true phase is @phase, read at @at; reading it takes 100 µs. */
static bool read_at(struct tn_phase *phase, int64_t truth, int64_t at)
{
        struct tn_phase_reading reading = {
                .seconds = (at + 50000 + truth) / SEC, .before_nsec = at, .after_nsec = at + 100000};

        return tn_phase_add(phase, &reading);
}

static void test_phase_is_found(void **state)
{
        static const int64_t truths[] = {0,          1,         123456789,
                                         500 * MSEC, 999999999, 1790000000 * SEC + 37 * MSEC};

        (void) state;
        for (size_t i = 0; i < G_N_ELEMENTS(truths); i++) {
                struct tn_phase phase = {0};
                int64_t now = 20 * SEC + 7 * MSEC;
                unsigned readings = 0;

                for (; tn_phase_error(&phase) > 2 * MSEC || !phase.turned; readings++) {
                        assert_true(read_at(&phase, truths[i], now));
                        assert_true(phase.low_nsec <= truths[i] && truths[i] <= phase.high_nsec);
                        now = tn_phase_next(&phase, now + 100000, 16);
                        assert_true(readings < 60);
                }
                assert_true(now < 24 * SEC);
        }
}

static void test_phase_notices_jumps(void **state)
{
        static const int64_t jumps[] = {2 * SEC, 10 * SEC, -2 * SEC, 86400 * SEC};

        (void) state;
        for (size_t i = 0; i < G_N_ELEMENTS(jumps); i++) {
                struct tn_phase phase = {0};
                int64_t now = 20 * SEC;

                for (unsigned n = 0; n < 60; n++) {
                        (void) read_at(&phase, 0, now);
                        now = tn_phase_next(&phase, now + 100000, 16);
                }
                assert_false(read_at(&phase, jumps[i], now));
                assert_true(phase.low_nsec <= jumps[i] && jumps[i] <= phase.high_nsec);
        }
}

static void test_phase_early_look(void **state)
{
        struct tn_phase phase = {0};
        int64_t now = 20 * SEC;

        (void) state;
        for (unsigned n = 0; n < 60; n++) {
                (void) read_at(&phase, 0, now);
                now = tn_phase_next(&phase, now + 100000, 16);
        }
        now = tn_phase_early(&phase, now + 10 * SEC, 5 * MSEC);
        assert_true(read_at(&phase, 0, now));
        assert_in_range(tn_phase_misses(&phase, now), 5 * MSEC, 20 * MSEC);
        assert_in_range(tn_phase_misses(&phase, now + 100 * MSEC), 900 * MSEC, 930 * MSEC);
        now = tn_phase_early(&phase, now + 10 * SEC, 100 * MSEC);
        assert_in_range(tn_phase_misses(&phase, now), 100 * MSEC, 115 * MSEC);
        assert_false(read_at(&phase, 150 * MSEC, now)); /* stood still for 150 ms */
}

static void test_phase_of_a_clock_that_stands_still(void **state)
{
        struct tn_phase phase = {0};
        bool consistent = true;

        (void) state;
        for (int64_t now = 20 * SEC; now < 22 * SEC; now += 50 * MSEC) {
                struct tn_phase_reading reading = {
                        .seconds = 1000, .before_nsec = now, .after_nsec = now + 100000};

                consistent = tn_phase_add(&phase, &reading) && consistent;
                assert_false(phase.turned);
        }
        assert_false(consistent);
}

/* The servo */

static struct tn_servo servo_with(bool backward)
{
        return (struct tn_servo){
                .limits = {.step_nsec = 100 * MSEC, .backward = backward, .offset_max_nsec = 3600 * SEC}};
}

static void test_servo_decisions(void **state)
{
        static const struct {
                int64_t offset, error;
                bool first, jumped, backward;
                enum tn_servo_action action;
        } rows[] = {
                {10 * SEC, MSEC, true, false, false, TN_SERVO_STEP},  /* at the start */
                {50 * MSEC, MSEC, true, false, false, TN_SERVO_KEEP}, /* too little for a step */
                {10 * SEC, MSEC, false, true, false, TN_SERVO_STEP},  /* stood still */
                {10 * SEC, MSEC, false, false, false, TN_SERVO_SLEW}, /* never a step without a jump */
                {-10 * SEC, MSEC, false, true, false, TN_SERVO_REFUSE},
                {-10 * SEC, MSEC, false, true, true, TN_SERVO_STEP},
                {-10 * SEC, MSEC, false, false, false, TN_SERVO_REFUSE}, /* nor slewed for hours */
                {-10 * SEC, MSEC, false, false, true, TN_SERVO_SLEW},
                {-SEC / 2, MSEC, false, false, false, TN_SERVO_SLEW},
                {-10 * SEC, MSEC, true, true, false, TN_SERVO_REFUSE},
                {MSEC, 2 * MSEC, false, false, false, TN_SERVO_KEEP}, /* within the source's error */
                {-MSEC, 2 * MSEC, false, false, false, TN_SERVO_KEEP},
                {10 * SEC, 10 * SEC, false, true, false, TN_SERVO_KEEP}, /* a source that knows nothing */
                {7200 * SEC, MSEC, false, true, false, TN_SERVO_REFUSE}, /* absurd */
        };

        (void) state;
        for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
                struct tn_servo servo = servo_with(rows[i].backward);
                struct tn_sample sample = {rows[i].offset, rows[i].error, 100 * SEC};
                struct tn_servo_decision decision;

                servo.last_nsec = rows[i].first ? 0 : 90 * SEC;
                decision = tn_servo_add(&servo, &sample, rows[i].jumped);
                if (decision.action != rows[i].action)
                        fail_msg("row %zu: action %d instead of %d", i, decision.action, rows[i].action);
                assert_true((decision.action == TN_SERVO_REFUSE) == (decision.reason != NULL) ||
                            decision.action == TN_SERVO_STEP);
        }
}

static void test_servo_refuses_time_that_runs_back(void **state)
{
        struct tn_servo servo = servo_with(false);
        struct tn_sample sample = {MSEC, 0, 100 * SEC};

        (void) state;
        (void) tn_servo_add(&servo, &sample, false);
        sample.at_nsec = 50 * SEC;
        assert_int_equal(tn_servo_add(&servo, &sample, false).action, TN_SERVO_REFUSE);
        assert_true(servo.last_nsec == 100 * SEC);
}

/* A precise source each 10 s: of an offset no more than 12 % come back on the other side. */
static void test_servo_converges_without_overshoot(void **state)
{
        static const double oscillators[] = {0, 50000, -200000};

        (void) state;
        for (size_t i = 0; i < G_N_ELEMENTS(oscillators); i++) {
                struct tn_servo servo = servo_with(false);
                double offset = 80e6, frequency = 0, lowest = 0, at = 10e9;

                servo.drift_ppb = servo.frequency_ppb = frequency = -oscillators[i];
                for (unsigned n = 0; n < 200; n++) {
                        struct tn_sample sample = {(int64_t) offset, 100, (int64_t) at};

                        frequency = tn_servo_add(&servo, &sample, false).frequency_ppb;
                        offset -= (frequency + oscillators[i]) * 10;
                        at += 10e9;
                        lowest = MIN(lowest, offset);
                        assert_true(fabs(frequency) <= TN_CLOCK_PPB_MAX);
                }
                assert_true(fabs(offset) < 2000);
                if (lowest < -0.12 * 80e6)
                        fail_msg("overshoot of %g ms with an oscillator at %g ppb", -lowest / 1e6,
                                 oscillators[i]);
        }
}

/* PTP clocks, stood in for. */

static struct {
        int precise, extended, plain; /* errno of each request; 0: works */
        bool backward;
} phc_machine;

static int fake_ioctl(int fd, unsigned long request, void *argument)
{
        int result = request == PTP_SYS_OFFSET_PRECISE2    ? phc_machine.precise
                     : request == PTP_SYS_OFFSET_EXTENDED2 ? phc_machine.extended
                                                           : phc_machine.plain;

        assert_true(fd >= 0);
        if (result) {
                errno = result;
                return -1;
        }
        if (request == PTP_SYS_OFFSET_PRECISE2) {
                struct ptp_sys_offset_precise *both = argument;

                both->sys_realtime = (struct ptp_clock_time){.sec = 100, .nsec = 999999999};
                both->device = (struct ptp_clock_time){.sec = 101, .nsec = 4};
        } else if (request == PTP_SYS_OFFSET_EXTENDED2) {
                struct ptp_sys_offset_extended *series = argument;

                for (unsigned i = 0; i < series->n_samples; i++) { /* the third has the smallest window */
                        unsigned width = i == 2 ? 1000 : 50000;

                        series->ts[i][0] = (struct ptp_clock_time){.sec = 100, .nsec = 10000};
                        series->ts[i][1] = (struct ptp_clock_time){.sec = 100,
                                                                   .nsec = i == 2 ? 15500 : 90000};
                        series->ts[i][2] = (struct ptp_clock_time){.sec = 100, .nsec = 10000 + width};
                        if (phc_machine.backward)
                                series->ts[i][2].nsec = 0;
                }
        } else {
                struct ptp_sys_offset *series = argument;

                for (unsigned i = 0; i <= 2 * series->n_samples; i++)
                        series->ts[i] = (struct ptp_clock_time){.sec = 100, .nsec = 1000 * i};
        }
        return 0;
}

static void add_file(struct sim *sim, const char *name, const char *text)
{
        g_autofree char *path = g_build_filename(sim->dir, name, NULL), *folder = g_path_get_dirname(path);

        assert_int_equal(g_mkdir_with_parents(folder, 0755), 0);
        assert_true(g_file_set_contents(path, text, -1, NULL));
}

static void test_phc(void **state)
{
        struct sim *sim = *state;
        struct tn_sample sample;
        struct tn_phc *phc;

        assert_null(tn_phc_find(&sim->env));
        add_file(sim, "sys/class/ptp/ptp0/clock_name",
                 "e1000e-ptp\n"); /* a card's own: not the host's time */
        add_file(sim, "sys/class/ptp/ptp0/clock_name", "Virtio PTP type 1/variant 0\n"); /* TAI */
        assert_null(tn_phc_find(&sim->env));
        add_file(sim, "sys/class/ptp/ptp0/clock_name", "Virtio PTP type 0/variant 0\n");
        phc = tn_phc_find(&sim->env);
        assert_string_equal(phc->kind->name, "virtio_rtc");
        tn_phc_free(phc);
        add_file(sim, "sys/class/ptp/ptp1/clock_name", "hyperv\n");
        add_file(sim, "sys/class/ptp/ptp2/clock_name", "KVM virtual PTP\n");
        add_file(sim, "dev/ptp2", "");
        phc = tn_phc_find(&sim->env);
        assert_string_equal(phc->device, "ptp2");
        assert_string_equal(phc->kind->name, "ptp_kvm");

        memset(&phc_machine, 0, sizeof phc_machine);
        assert_true(tn_phc_measure(phc, &sim->env, fake_ioctl, &sample, NULL));
        assert_int_equal(sample.offset_nsec, 5);
        assert_in_range(sample.error_nsec, 1000, 1001);
        phc_machine.precise = EOPNOTSUPP;
        assert_true(tn_phc_measure(phc, &sim->env, fake_ioctl, &sample, NULL));
        assert_int_equal(sample.offset_nsec, 5000);
        assert_in_range(sample.error_nsec, 1500, 1501);
        phc_machine.extended = ENOTTY;
        assert_true(tn_phc_measure(phc, &sim->env, fake_ioctl, &sample, NULL));
        assert_int_equal(sample.offset_nsec, 0);
        assert_in_range(sample.error_nsec, 2000, 2001);
        tn_phc_free(phc);
}

static void test_phc_that_cannot_be_read(void **state)
{
        struct sim *sim = *state;
        struct tn_sample sample = {.offset_nsec = 77};
        g_autoptr(GError) error = NULL;
        struct tn_phc *phc;

        add_file(sim, "sys/class/ptp/ptp0/clock_name", "KVM virtual PTP\n");
        phc = tn_phc_find(&sim->env);
        assert_false(tn_phc_measure(phc, &sim->env, fake_ioctl, &sample, &error)); /* no node in dev */
        g_clear_error(&error);
        add_file(sim, "dev/ptp0", "");
        phc_machine.precise = phc_machine.extended = phc_machine.plain = EIO;
        assert_false(tn_phc_measure(phc, &sim->env, fake_ioctl, &sample, &error));
        assert_non_null(strstr(error->message, "/dev/ptp0 (ptp_kvm)"));
        g_clear_error(&error);
        phc_machine.extended = 0;
        phc_machine.backward = true;
        assert_false(tn_phc_measure(phc, &sim->env, fake_ioctl, &sample, &error));
        assert_non_null(strstr(error->message, "run backward"));
        assert_int_equal(sample.offset_nsec, 77);
        memset(&phc_machine, 0, sizeof phc_machine);
        tn_phc_free(phc);
}

/* Who owns the clock. */

static void test_owner(void **state)
{
        struct sim *sim = *state;

        assert_null(tn_clock_owner_find(&sim->env));
        sim_daemon(sim, "systemd-timesyncd.service", true);
        assert_string_equal(tn_clock_owner_find(&sim->env)->name, "systemd-timesyncd");
        assert_null(tn_clock_owner_find(&sim->env)->step_argv); /* by a restart */
        sim_daemon(sim, "chrony.service", true);
        assert_string_equal(tn_clock_owner_find(&sim->env)->name, "chronyd");
        assert_string_equal(tn_clock_owner_find(&sim->env)->step_argv[1], "makestep");
        sim_daemon(sim, "chrony.service", false);
        sim_daemon(sim, "systemd-timesyncd.service", false);
        sim_daemon(sim, "system-phc2sys.slice", true);
        assert_string_equal(tn_clock_owner_find(&sim->env)->name, "phc2sys");
        sim_daemon(sim, "system-phc2sys.slice", false);
        sim_daemon(sim, "system-ptp4l.slice", true);
        assert_string_equal(tn_clock_owner_find(&sim->env)->name, "ptp4l");
}

static void test_owner_without_systemd(void **state)
{
        struct sim *sim = *state;

        sim_daemon(sim, "nothing.service", false);
        sim_daemon(sim, "../system.slice", false);
        add_file(sim, "proc/1/comm", "init\n");
        assert_null(tn_clock_owner_find(&sim->env));
        add_file(sim, "proc/77/comm", "ntpd\n");
        add_file(sim, "proc/self/comm", "chronyd\n"); /* no process id: not looked at */
        assert_string_equal(tn_clock_owner_find(&sim->env)->name, "ntpd");
}

static int set_up(void **state)
{
        *state = sim_new();
        return 0;
}

static int tear_down(void **state)
{
        sim_free(*state);
        return 0;
}

#define WITH_SIM(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_phase_is_found),
                cmocka_unit_test(test_phase_notices_jumps),
                cmocka_unit_test(test_phase_early_look),
                cmocka_unit_test(test_phase_of_a_clock_that_stands_still),
                cmocka_unit_test(test_servo_decisions),
                cmocka_unit_test(test_servo_refuses_time_that_runs_back),
                cmocka_unit_test(test_servo_converges_without_overshoot),
                WITH_SIM(test_phc),
                WITH_SIM(test_phc_that_cannot_be_read),
                WITH_SIM(test_owner),
                WITH_SIM(test_owner_without_systemd),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
