/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* The keeper between sources that disagree, fail, come late or make no sense, in a simulated guest. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <math.h>
#include <string.h>
#include <unistd.h>

#include "lib/error.h"
#include "plugins/timesync/generation.h"
#include "plugins/timesync/story.h"

/* The first problem of the summary, or "". */
static const char *problem(struct story *story)
{
        static char text[200];
        json_t *summary = tn_keeper_summary(&story->keeper);

        g_strlcpy(text, "", sizeof text);
        if (json_array_size(json_object_get(summary, "problems")) > 0)
                g_strlcpy(text, json_string_value(json_array_get(json_object_get(summary, "problems"), 0)),
                          sizeof text);
        json_decref(summary);
        return text;
}

/* What is wrong with that row of the sources; "" when nothing is, NULL when there is no such row. */
static const char *source_problem(struct story *story, const char *name)
{
        static char text[200];
        json_t *status = tn_keeper_to_json(&story->keeper), *row;
        const char *found = NULL;
        size_t i;

        json_array_foreach(json_object_get(status, "sources"), i, row)
        {
                const char *wrong = json_string_value(json_object_get(row, "problem"));

                if (!g_str_equal(json_string_value(json_object_get(row, "name")), name))
                        continue;
                g_strlcpy(text, wrong ? wrong : "", sizeof text);
                found = text;
        }
        json_decref(status);
        return found;
}

static void assert_quality(struct story *story, const char *name, const char *wanted)
{
        json_t *status = tn_keeper_to_json(&story->keeper), *row;
        bool found = false;
        size_t i;

        json_array_foreach(json_object_get(status, "sources"), i, row)
        {
                int64_t error = json_integer_value(json_object_get(row, "error"));

                if (!g_str_equal(json_string_value(json_object_get(row, "name")), name))
                        continue;
                found = true;
                assert_string_equal(json_string_value(json_object_get(row, "quality")), wanted);
                assert_in_range(error, 1, TN_NSEC_PER_SEC - 1);
                assert_true(llabs(json_integer_value(json_object_get(row, "offset"))) <
                            50 * TN_NSEC_PER_MSEC);
        }
        json_decref(status);
        assert_true(found);
}

static void test_precise_clock(void **state)
{
        struct story *story = *state;

        sim_phc(story->sim, "KVM virtual PTP");
        story->sim->oscillator_ppb = 20000;
        begin(story, TN_KEEPER_AUTO);
        run(story, 60);
        assert_string_equal(story->keeper.source, "ptp_kvm");
        assert_quality(story, "rtc", "good");
        sim_pause(story->sim, 77);
        run(story, 15);
        assert_int_equal(story->sim->steps, 1);
        run(story, 600);
        if (fabs(sim_offset(story->sim)) > 0.1 * MSEC)
                fail_msg("off by %g ms", sim_offset(story->sim) / MSEC);
        assert_string_equal(source_problem(story, "rtc"), "");
        assert_quality(story, "ptp_kvm", "precise");
}

/* It goes back, shows another century, fails, and comes back: the clock is not touched for it. */
static void test_precise_clock_makes_no_sense(void **state)
{
        struct story *story = *state;
        const int64_t century = INT64_C(100) * 36525 * 864 * TN_NSEC_PER_SEC;

        sim_phc(story->sim, "KVM virtual PTP");
        begin(story, TN_KEEPER_AUTO);
        run(story, 60);
        story->sim->phc_ahead_nsec = -3600 * TN_NSEC_PER_SEC;
        run(story, 60);
        assert_int_equal(story->sim->steps, 0);
        assert_non_null(strstr(story->keeper.last_jump.outcome, "backward-steps=no"));
        story->sim->phc_ahead_nsec = 0;
        run(story, 60);
        for (int64_t way = -1; way <= 1; way += 2) {
                story->sim->phc_ahead_nsec = way * century;
                run(story, 60);
                assert_string_equal(source_problem(story, "ptp_kvm"),
                                    "the clock /dev/ptp0 (ptp_kvm) shows a year before 2020 or after 2069");
                assert_string_equal(story->keeper.source, "rtc");
                story->sim->phc_ahead_nsec = 0;
                run(story, 700);
                assert_string_equal(story->keeper.source, "ptp_kvm");
                assert_string_equal(source_problem(story, "ptp_kvm"), "");
        }
        assert_int_equal(story->sim->steps, 0);
        assert_true(fabs(sim_offset(story->sim)) < 10 * MSEC);
}

static void test_precise_clock_fails_once(void **state)
{
        struct story *story = *state;

        sim_phc(story->sim, "KVM virtual PTP");
        begin(story, TN_KEEPER_AUTO);
        run(story, 60);
        story->sim->phc_errno = EIO;
        run(story, 60);
        assert_string_equal(story->keeper.source, "rtc");
        assert_non_null(strstr(source_problem(story, "ptp_kvm"), "/dev/ptp0 (ptp_kvm)"));
        sim_pause(story->sim, 30); /* the hardware clock stands in */
        run(story, 20);
        assert_int_equal(story->sim->steps, 1);
        run(story, 1300);
        story->sim->phc_errno = 0;
        run(story, 700);
        assert_string_equal(story->keeper.source, "ptp_kvm");
        assert_null(strstr(strstr(story->sim->told->str, "/dev/ptp0") + 1, "/dev/ptp0")); /* told once */
}

static void test_precise_clock_comes_late(void **state)
{
        struct story *story = *state;

        begin(story, TN_KEEPER_AUTO);
        run(story, 60);
        assert_null(source_problem(story, "ptp_kvm"));
        sim_phc(story->sim, "KVM virtual PTP");
        run(story, 700);
        assert_string_equal(story->keeper.source, "ptp_kvm");
}

/* The worse source is told apart, and not followed. */
static void test_hardware_clock_contradicts(void **state)
{
        struct story *story = *state;

        sim_phc(story->sim, "KVM virtual PTP");
        story->sim->rtc_late_nsec = -7200 * TN_NSEC_PER_SEC;
        begin(story, TN_KEEPER_AUTO);
        run(story, 60);
        assert_int_equal(story->sim->steps, 0);
        assert_string_equal(source_problem(story, "rtc"), "contradicts ptp_kvm by +7200.0 s");
}

static void test_host_disagrees_with_daemon(void **state)
{
        struct story *story = *state;

        sim_daemon(story->sim, "chrony.service", true);
        story->sim->synchronized = true;
        story->sim->rtc_late_nsec = -7200 * TN_NSEC_PER_SEC;
        begin(story, TN_KEEPER_ASSIST);
        run(story, 60);
        assert_non_null(strstr(problem(story), "the host's clock (seen by rtc) is 7200."));
        assert_non_null(strstr(problem(story), "ahead of that of chronyd in this guest"));
        assert_int_equal(story->sim->asked + story->sim->steps + story->sim->frequencies, 0);
        story->sim->rtc_late_nsec = 0; /* it was put right */
        run(story, 1900);
        assert_string_equal(problem(story), "");
}

static void test_precise_host_disagrees_with_daemon(void **state)
{
        struct story *story = *state;

        sim_daemon(story->sim, "chrony.service", true);
        story->sim->synchronized = true;
        sim_phc(story->sim, "KVM virtual PTP");
        begin(story, TN_KEEPER_AUTO);
        run(story, 60);
        assert_string_equal(problem(story), "");
        sim_pause(story->sim, 20); /* a jump: the daemon gets half an hour for it */
        run(story, 1700);
        assert_string_equal(problem(story), "");
        run(story, 200);
        assert_non_null(strstr(problem(story), "the host's clock (seen by ptp_kvm) is 20.000 s ahead of"));
        assert_int_equal(story->sim->steps + story->sim->frequencies, 0);
        sim_daemon(story->sim, "chrony.service", false); /* who is left keeps the clock, and follows */
        run(story, 60);
        assert_string_equal(problem(story), "");
}

/* What the host tells itself is compared, too, and refused. */
static void test_host_tells_what_the_daemon_denies(void **state)
{
        struct story *story = *state;
        g_autoptr(GError) error = NULL;

        sim_daemon(story->sim, "chrony.service", true);
        story->sim->synchronized = true;
        begin(story, TN_KEEPER_AUTO);
        run(story, 60);
        assert_false(tn_keeper_adjust(&story->keeper, -90 * TN_NSEC_PER_SEC, 1000,
                                      tn_keeper_epoch(&story->keeper), true, &error));
        assert_true(g_error_matches(error, TN_ERROR, TN_ERROR_BUSY));
        assert_non_null(strstr(problem(story), "(seen by host) is 90.000 s behind"));
        run(story, 60); /* the hardware clock agrees with the daemon, and does not speak for the host's */
        assert_non_null(strstr(problem(story), "(seen by host) is 90.000 s behind"));
        assert_false(
                tn_keeper_adjust(&story->keeper, 1000, 1000, tn_keeper_epoch(&story->keeper), true, NULL));
        assert_string_equal(problem(story), "");
        assert_int_equal(story->sim->steps, 0);
}

/* A host that measures something else than its own PTP clock shows is not followed, but one that is faster
 * than us is. */
static void test_host_contradicts_ptp(void **state)
{
        struct story *story = *state;
        g_autoptr(GError) error = NULL;

        sim_phc(story->sim, "KVM virtual PTP");
        begin(story, TN_KEEPER_AUTO);
        run(story, 60);
        for (int step = 0; step < 2; step++) {
                assert_false(tn_keeper_adjust(&story->keeper, 3600 * TN_NSEC_PER_SEC, 1000,
                                              tn_keeper_epoch(&story->keeper), step, &error));
                assert_true(g_error_matches(error, TN_ERROR, TN_ERROR_DENIED));
                assert_non_null(strstr(error->message, "contradicts ptp_kvm by +3600.000 s"));
                g_clear_error(&error);
        }
        assert_string_equal(source_problem(story, "host"), "contradicts ptp_kvm by +3600.000 s");
        assert_int_equal(story->sim->steps, 0);
        sim_pause(story->sim, 30);
        assert_true(tn_keeper_adjust(&story->keeper, 30 * TN_NSEC_PER_SEC, TN_NSEC_PER_MSEC,
                                     tn_keeper_epoch(&story->keeper), true, NULL));
        assert_string_equal(source_problem(story, "host"), "");
        run(story, 60);
        assert_int_equal(story->sim->steps, 1);
        assert_true(fabs(sim_offset(story->sim)) < 1 * MSEC);
}

static void test_set_time_is_a_source(void **state)
{
        struct story *story = *state;
        json_t *status, *row;

        begin(story, TN_KEEPER_AUTO);
        run(story, 60);
        assert_null(source_problem(story, "guest-set-time"));
        sim_pause(story->sim, 30);
        sim_step(story->sim);
        tn_keeper_clock_was_set(&story->keeper);
        status = tn_keeper_to_json(&story->keeper);
        row = json_array_get(json_object_get(status, "sources"), 1);
        assert_string_equal(json_string_value(json_object_get(row, "name")), "guest-set-time");
        assert_true(llabs(json_integer_value(json_object_get(row, "offset")) - 30 * TN_NSEC_PER_SEC) <
                    50 * TN_NSEC_PER_MSEC);
        assert_string_equal(json_string_value(json_object_get(row, "quality")), "coarse");
        json_decref(status);
}

/* A restored guest that lost a part of a second: no reading alone would show it. */
static void test_new_generation(void **state)
{
        struct story *story = *state;

        begin(story, TN_KEEPER_AUTO);
        run(story, 60.3);
        sim_pause(story->sim, 0.15);
        tn_keeper_doubt(&story->keeper);
        story->next = tn_keeper_tick(&story->keeper);
        run(story, 4);
        assert_int_equal(story->sim->steps, 1);
        assert_true(fabs(sim_offset(story->sim)) < 10 * MSEC);
}

/* A move costs a guest less than a look at the hardware clock usually shows; its page tells of it. */
static void test_vmclock_marker(void **state)
{
        struct sim_vmclock page = {.marker = 7, .generation = 3};
        struct story *story = *state;

        sim_vmclock(story->sim, &page);
        begin(story, TN_KEEPER_AUTO);
        run(story, 120);
        assert_int_equal(story->keeper.disruptions, 0);
        sim_pause(story->sim, 0.15);
        page.marker = 8;
        sim_vmclock(story->sim, &page);
        run(story, 15);
        assert_int_equal(story->keeper.disruptions, 1);
        assert_non_null(
                strstr(story->sim->told->str, "(vmclock) that this machine was moved or interrupted"));
        assert_int_equal(story->keeper.jumps, 1);
        assert_int_equal(story->sim->steps, 1);
        assert_true(fabs(sim_offset(story->sim)) < 10 * MSEC);
        page = (struct sim_vmclock){.marker = 9, .generation = 4};
        sim_vmclock(story->sim, &page);
        run(story, 15);
        assert_non_null(strstr(story->sim->told->str, "was restored from a snapshot"));
        assert_int_equal(story->keeper.jumps, 1); /* it lost no time */
}

/* Beside its PTP clock: an offset that grew slowly is slewed, but after a move it is stepped. */
static void test_vmclock_with_ptp(void **state)
{
        struct sim_vmclock page = {.marker = 7};
        struct story *story = *state;

        sim_vmclock(story->sim, &page);
        sim_phc(story->sim, "vmclock0");
        begin(story, TN_KEEPER_AUTO);
        run(story, 60);
        assert_string_equal(story->keeper.source, "vmclock");
        sim_pause(story->sim, 0.06); /* less than a step, twice */
        run(story, 10);
        sim_pause(story->sim, 0.06);
        page.marker = 8;
        sim_vmclock(story->sim, &page);
        run(story, 15);
        assert_int_equal(story->sim->steps, 1);
        page.status = 4; /* unreliable */
        sim_vmclock(story->sim, &page);
        run(story, 60);
        assert_string_equal(source_problem(story, "vmclock"),
                            "the clock /dev/ptp0 (vmclock) is not to be relied on, says the hypervisor");
        assert_string_equal(story->keeper.source, "rtc");
        page.status = 2; /* synchronized */
        sim_vmclock(story->sim, &page);
        run(story, 700);
        assert_string_equal(story->keeper.source, "vmclock");
        assert_int_equal(story->sim->steps, 1);
}

static void test_vmclock_page(void **state)
{
        const struct sim_vmclock good = {.marker = 5, .generation = 9},
                                 torn = {.marker = 6, .being_changed = true},
                                 small = {.marker = 6, .generation = 9, .size = 104};
        struct tn_vmclock vmclock = {.fd = -1};
        struct story *story = *state;
        struct tn_vmclock_page page;
        char bytes[112];

        tn_vmclock_open(&vmclock, &story->sim->env);
        assert_int_equal(vmclock.fd, -1);
        assert_int_equal(tn_vmclock_read(&vmclock), TN_VMCLOCK_NOTHING);
        sim_vmclock(story->sim, &good);
        tn_vmclock_open(&vmclock, &story->sim->env);
        assert_int_equal(tn_vmclock_read(&vmclock), TN_VMCLOCK_NOTHING); /* the first time */
        assert_true(vmclock.known);
        assert_int_equal(vmclock.page.marker, 5);
        assert_int_equal(vmclock.page.generation, 9);
        sim_vmclock(story->sim, &torn);
        assert_int_equal(tn_vmclock_read(&vmclock), TN_VMCLOCK_NOTHING);
        assert_int_equal(vmclock.page.marker, 5);
        sim_vmclock(story->sim, &small); /* an older page ends before the generation */
        assert_int_equal(tn_vmclock_read(&vmclock), TN_VMCLOCK_RESTORED);
        assert_int_equal(vmclock.page.generation, 0);
        assert_int_equal(pread(vmclock.fd, bytes, sizeof bytes, 0), sizeof bytes);
        for (size_t len = 0; len < 35; len++)
                assert_false(tn_vmclock_parse(bytes, len, &page));
        assert_true(tn_vmclock_parse(bytes, 35, &page));
        bytes[8] = 2; /* another version */
        assert_false(tn_vmclock_parse(bytes, sizeof bytes, &page));
        bytes[8] = 1;
        bytes[0] = 'X';
        assert_false(tn_vmclock_parse(bytes, sizeof bytes, &page));
        tn_vmclock_close(&vmclock);
}

static void test_generation_event(void **state)
{
        static const char event[] = "change@/devices/ACPI0012:00\0ACTION=change\0NEW_VMGENID=1\0SEQNUM=7";
        static const char others[] = "add@/devices/NEW_VMGENID=1\0NEW_VMGENID=12\0X=NEW_VMGENID=1";

        (void) state;
        assert_true(tn_generation_parse(event, sizeof event));
        assert_false(tn_generation_parse(event, 50)); /* cut in the middle of it */
        assert_false(tn_generation_parse(others, sizeof others));
        assert_false(tn_generation_parse(others, 0));
}

static void test_calendar(void **state)
{
        struct story *story = *state;
        json_t *summary;

        g_setenv("TZ", "XST-5:30", TRUE);
        begin(story, TN_KEEPER_AUTO);
        summary = tn_keeper_summary(&story->keeper);
        assert_string_equal(json_string_value(json_object_get(summary, "zone")), "XST");
        assert_int_equal(json_integer_value(json_object_get(summary, "utc-offset-seconds")), 19800);
        assert_int_equal(json_integer_value(json_object_get(summary, "leap")), 0);
        json_decref(summary);
        story->sim->leap = 1;
        summary = tn_keeper_summary(&story->keeper); /* asked for a moment ago */
        assert_int_equal(json_integer_value(json_object_get(summary, "leap")), 0);
        json_decref(summary);
        run(story, 700);
        summary = tn_keeper_summary(&story->keeper);
        assert_int_equal(json_integer_value(json_object_get(summary, "leap")), 1);
        json_decref(summary);
        story->sim->leap = 0;
        summary = tn_keeper_to_json(&story->keeper); /* whoever asks hears what is so */
        assert_int_equal(json_integer_value(json_object_get(summary, "leap")), 0);
        json_decref(summary);
        g_unsetenv("TZ");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                STORY(test_precise_clock),
                STORY(test_precise_clock_makes_no_sense),
                STORY(test_precise_clock_fails_once),
                STORY(test_precise_clock_comes_late),
                STORY(test_hardware_clock_contradicts),
                STORY(test_host_disagrees_with_daemon),
                STORY(test_precise_host_disagrees_with_daemon),
                STORY(test_host_tells_what_the_daemon_denies),
                STORY(test_host_contradicts_ptp),
                STORY(test_set_time_is_a_source),
                STORY(test_new_generation),
                cmocka_unit_test(test_generation_event),
                STORY(test_vmclock_marker),
                STORY(test_vmclock_with_ptp),
                STORY(test_vmclock_page),
                STORY(test_calendar),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
