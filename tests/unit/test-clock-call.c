/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * Which system call a call about the clock becomes, and what is refused. The functions of the C library that
 * change a clock are replaced here: no test sets one.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdarg.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/timex.h>
#include <time.h>

#include "lib/clock-call.h"
#include "support.h"

#define SECOND INT64_C(1000000000)

static struct {
        unsigned calls;
        struct timex timex;
        struct timespec timespec;
        int errnum;
} kernel;

static int answered(void)
{
        kernel.calls++;
        errno = kernel.errnum;
        return kernel.errnum ? -1 : TIME_OK;
}

int adjtimex(struct timex *tx)
{
        kernel.timex = *tx;
        tx->status = STA_UNSYNC;
        tx->freq = 1234;
        tx->maxerror = 77;
        tx->tai = 37;
        return answered();
}

int clock_adjtime(clockid_t clock, struct timex *tx)
{
        assert_int_equal(clock, CLOCK_REALTIME);
        kernel.timex = *tx;
        return answered();
}

int clock_settime(clockid_t clock, const struct timespec *ts)
{
        assert_int_equal(clock, CLOCK_REALTIME);
        kernel.timespec = *ts;
        return answered();
}

/* Were there a hardware clock, it would be asked; this stands in for it. */
int ioctl(int fd, unsigned long request, ...)
{
        return answered();
}

static int set_up(void **state)
{
        memset(&kernel, 0, sizeof kernel);
        return 0;
}

static int64_t monotonic(void)
{
        struct timespec ts;

        clock_gettime(CLOCK_MONOTONIC, &ts);
        return ts.tv_sec * SECOND + ts.tv_nsec;
}

static int make(uint32_t verb, int64_t value, struct tn_clock_answer *ret)
{
        struct tn_clock_call call = {.version = TN_CLOCK_CALL_VERSION,
                                     .verb = verb,
                                     .value = value,
                                     .until_nsec = monotonic() + 60 * SECOND};

        tn_clock_call_do(&call, ret);
        return ret->errnum;
}

static void test_look_changes_nothing(void **state)
{
        struct tn_clock_answer answer;

        assert_int_equal(make(TN_CLOCK_LOOK, 5, &answer), 0);
        assert_int_equal(kernel.timex.modes, 0);
        assert_int_equal(answer.status, STA_UNSYNC);
        assert_int_equal(answer.freq, 1234);
        assert_int_equal(answer.maxerror, 77);
        assert_int_equal(answer.tai, 37);
}

static void test_step_is_relative(void **state)
{
        struct tn_clock_answer answer;

        assert_int_equal(make(TN_CLOCK_STEP, -SECOND / 4, &answer), 0);
        assert_int_equal(kernel.timex.modes, ADJ_SETOFFSET | ADJ_NANO);
        assert_int_equal(kernel.timex.time.tv_sec, -1);
        assert_int_equal(kernel.timex.time.tv_usec, SECOND / 4 * 3);
}

static void test_frequency_and_time_are_passed_on(void **state)
{
        struct tn_clock_answer answer;

        assert_int_equal(make(TN_CLOCK_FREQUENCY, -65536, &answer), 0);
        assert_int_equal(kernel.timex.modes, ADJ_FREQUENCY);
        assert_int_equal(kernel.timex.freq, -65536);
        assert_int_equal(make(TN_CLOCK_SET, INT64_C(1700000000123456), &answer), 0);
        assert_int_equal(kernel.timespec.tv_sec, 1700000000);
        assert_int_equal(kernel.timespec.tv_nsec, 123456000);
}

static void test_what_the_kernel_refuses_is_told(void **state)
{
        struct tn_clock_answer answer;

        kernel.errnum = EPERM;
        assert_int_equal(make(TN_CLOCK_LOOK, 0, &answer), EPERM);
        assert_int_equal(make(TN_CLOCK_STEP, 1, &answer), EPERM);
        assert_int_equal(make(TN_CLOCK_SET, 1, &answer), EPERM);
}

static void test_years_are_limited(void **state)
{
        static const struct {
                uint32_t verb;
                int64_t value;
        } refused[] = {
                {TN_CLOCK_STEP, 50 * INT64_C(31556952) * SECOND},
                {TN_CLOCK_STEP, -100 * INT64_C(31556952) * SECOND},
                {TN_CLOCK_STEP, INT64_MAX},
                {TN_CLOCK_STEP, INT64_MIN},
                {TN_CLOCK_SET, -1},
                {TN_CLOCK_SET, INT64_C(3155760000) * 1000000},
                {TN_CLOCK_SET, INT64_MAX},
                {TN_CLOCK_SET_RTC, -1},
                {TN_CLOCK_SET_RTC, INT64_C(3155760000)},
        };
        struct tn_clock_answer answer;

        for (size_t i = 0; i < G_N_ELEMENTS(refused); i++)
                assert_int_equal(make(refused[i].verb, refused[i].value, &answer), ERANGE);
        assert_int_equal(kernel.calls, 0);
}

static void test_strange_and_late_calls_are_refused(void **state)
{
        struct tn_clock_call call = {.version = TN_CLOCK_CALL_VERSION, .verb = TN_CLOCK_STEP, .value = 1};
        struct tn_clock_answer answer;

        call.until_nsec = monotonic() - 1;
        tn_clock_call_do(&call, &answer);
        assert_int_equal(answer.errnum, ETIMEDOUT);
        call.until_nsec = monotonic() + 60 * SECOND;
        call.version++;
        tn_clock_call_do(&call, &answer);
        assert_int_equal(answer.errnum, EPROTO);
        assert_int_equal(make(TN_CLOCK_SET_RTC + 1, 0, &answer), EPROTO);
        assert_int_equal(make(UINT32_MAX, 0, &answer), EPROTO);
        assert_int_equal(kernel.calls, 0);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup(test_look_changes_nothing, set_up),
                cmocka_unit_test_setup(test_step_is_relative, set_up),
                cmocka_unit_test_setup(test_frequency_and_time_are_passed_on, set_up),
                cmocka_unit_test_setup(test_what_the_kernel_refuses_is_told, set_up),
                cmocka_unit_test_setup(test_years_are_limited, set_up),
                cmocka_unit_test_setup(test_strange_and_late_calls_are_refused, set_up),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
