/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * Jumps of the clock on clocks of the test's own. The surprising thing: timerfd_create() is this file's, and
 * gives an eventfd, so that the test decides when the kernel speaks.
 */
#define _GNU_SOURCE
#include "plugins/timesync/jump.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <errno.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct itimerspec;

static struct {
        uint64_t realtime, boottime,
                step; /* step: how long a look at CLOCK_BOOTTIME takes, the first time */
        int fd;
        unsigned armed, jumps, told;
        int64_t distance;
        int errnum;
} world;

int timerfd_create(clockid_t clock, int flags);
int timerfd_settime(int fd, int flags, const struct itimerspec *value, struct itimerspec *ret_old);

int timerfd_create(clockid_t clock, int flags)
{
        assert_int_equal(clock, CLOCK_REALTIME);
        (void) flags;
        if (world.errnum) {
                errno = world.errnum;
                return -1;
        }
        world.fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
        return world.fd;
}

int timerfd_settime(int fd, int flags, const struct itimerspec *value, struct itimerspec *ret_old)
{
        assert_int_equal(fd, world.fd);
        assert_int_equal(flags, 3); /* TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET */
        assert_non_null(value);
        assert_null(ret_old);
        world.armed++;
        return 0;
}

#ifdef __USE_TIME_BITS64 /* glibc's name for it on 32 bits */
int __timerfd_settime64(int fd, int flags, const struct itimerspec *value, struct itimerspec *ret_old)
        __attribute__((alias("timerfd_settime")));
#endif

static uint64_t now_usec(const struct tn_env *env, clockid_t clock)
{
        (void) env;
        if (clock == CLOCK_REALTIME)
                return world.realtime;
        assert_int_equal(clock, CLOCK_BOOTTIME);
        world.boottime += world.step;
        world.realtime += world.step;
        if (world.step)
                world.step /= 2; /* preempted, and less and less */
        return world.boottime;
}

static void on_jump(int64_t distance_usec, const struct tn_jump_pair *now, void *data)
{
        assert_ptr_equal(data, &world);
        assert_true(world.realtime - now->realtime <= 100);
        world.told++;
        world.jumps += distance_usec != 0;
        world.distance = distance_usec;
}

/* Time goes on by @seconds, the clock is set by @distance microseconds, and the kernel speaks. */
static void set_clock(uint64_t seconds, int64_t distance)
{
        world.boottime += seconds * G_USEC_PER_SEC;
        world.realtime += seconds * G_USEC_PER_SEC + (uint64_t) distance;
        assert_int_equal(eventfd_write(world.fd, 1), 0);
        while (g_main_context_iteration(NULL, FALSE))
                ;
}

static void test_jumps(void **state)
{
        const struct tn_env env = {.now_usec = now_usec};
        struct tn_jump *jump;

        (void) state;
        world.realtime = UINT64_C(1700000000000000);
        world.boottime = UINT64_C(1000000);
        jump = tn_jump_new(&env, on_jump, &world, NULL);
        assert_non_null(jump);
        assert_int_equal(world.armed, 1);
        assert_false(g_main_context_pending(NULL)); /* nothing happens, nobody wakes up */

        set_clock(3600, 7200 * (int64_t) G_USEC_PER_SEC);
        assert_int_equal(world.jumps, 1);
        assert_true(world.distance == 7200 * (int64_t) G_USEC_PER_SEC);
        assert_int_equal(world.armed, 2);

        set_clock(1, -90 * (int64_t) G_USEC_PER_SEC);
        assert_int_equal(world.jumps, 2);
        assert_true(world.distance == -90 * (int64_t) G_USEC_PER_SEC);

        set_clock(86400, 0); /* woken from sleep: both clocks went on */
        set_clock(1, 999);
        assert_int_equal(world.jumps, 2);
        assert_int_equal(world.armed, 5);
        assert_int_equal(world.told, 4);

        world.step = 64000; /* a look that was torn is taken again */
        set_clock(1, 2000);
        assert_int_equal(world.jumps, 3);
        assert_true(ABS(world.distance - 2000) <= 100);
        tn_jump_free(jump);
}

static void test_distance(void **state)
{
        const struct tn_jump_pair a = {.realtime = 5000000, .boottime = 1000000};
        const struct tn_jump_pair near = {.realtime = 6000999, .boottime = 2000000};
        const struct tn_jump_pair back = {.realtime = 0, .boottime = 3000000};

        (void) state;
        assert_true(tn_jump_distance(&a, &near) == 0);
        assert_true(tn_jump_distance(&a, &back) == -7000000);
        assert_true(tn_jump_distance(&back, &a) == 7000000);
}

static void test_no_timer(void **state)
{
        const struct tn_env env = {.now_usec = now_usec};
        g_autoptr(GError) error = NULL;

        (void) state;
        world.errnum = EMFILE;
        assert_null(tn_jump_new(&env, on_jump, &world, &error));
        assert_string_equal(error->message, "watch the clock: Too many open files");
        world.errnum = 0;
        tn_jump_free(NULL);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_jumps),
                cmocka_unit_test(test_distance),
                cmocka_unit_test(test_no_timer),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
