/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* Copies of the process that answer, that hang, and what they have open. */
#include "plugins/guestinfo/test-support.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/error.h"
#include "lib/worker.h"

static GString *said;
static unsigned ends;

static void on_done(const void *bytes, size_t len, void *data)
{
        assert_ptr_equal(data, &ends);
        g_string_truncate(said, 0);
        g_string_append_len(said, bytes, (gssize) len);
        ends++;
}

static void wait_for_end(unsigned number)
{
        while (ends < number)
                g_main_context_iteration(NULL, TRUE);
        assert_int_equal(ends, number);
}

static void say(const struct tn_env *env, const void *job, int fd)
{
        (void) env;
        (void) !write(fd, job, strlen(job)); /* what arrives is looked at */
}

static void say_much(const struct tn_env *env, const void *job, int fd)
{
        char block[1000];

        (void) env;
        (void) job;
        memset(block, 'x', sizeof block);
        for (int i = 0; i < 150; i++) /* more than a pipe holds */
                (void) !write(fd, block, sizeof block);
}

static void say_and_hang(const struct tn_env *env, const void *job, int fd)
{
        say(env, job, fd);
        for (;;)
                pause();
}

/* Says which of its descriptors is open that should not be. */
static void say_open(const struct tn_env *env, const void *job, int fd)
{
        (void) job;
        for (int i = STDERR_FILENO + 1; i < 200; i++)
                if (i != fd && i != env->root_fd && fcntl(i, F_GETFD) >= 0)
                        (void) !write(fd, "!", 1);
        if (fcntl(env->root_fd, F_GETFD) >= 0)
                (void) !write(fd, ".", 1);
}

static int setup(void **state)
{
        said = g_string_new(NULL);
        ends = 0;
        *state = machine_new();
        return 0;
}

static int teardown(void **state)
{
        machine_free(*state);
        g_string_free(said, TRUE);
        return 0;
}

static bool run(struct tn_worker *worker, tn_worker_func func, const char *job, unsigned deadline_ms)
{
        return tn_worker_run(worker, func, job, deadline_ms, on_done, &ends, NULL);
}

static void test_answers(void **state)
{
        struct machine *machine = *state;
        struct tn_worker *worker = tn_worker_new(&machine->env);

        for (unsigned i = 1; i <= 20; i++) { /* one after the other, each at once */
                assert_true(run(worker, say, "hello", 10000));
                wait_for_end(i);
                assert_string_equal(said->str, "hello");
        }
        assert_true(run(worker, say_much, NULL, 10000));
        wait_for_end(21);
        assert_int_equal(said->len, 150000);
        assert_true(run(worker, say_open, NULL, 10000));
        wait_for_end(22);
        assert_string_equal(said->str, ".");
        tn_worker_free(worker);
        assert_int_equal(waitpid(-1, NULL, WNOHANG), -1); /* no child is left */
        assert_int_equal(errno, ECHILD);
}

static void test_deadline(void **state)
{
        struct machine *machine = *state;
        struct tn_worker *worker = tn_worker_new(&machine->env);
        gint64 start_usec = g_get_monotonic_time();
        g_autoptr(GError) error = NULL;

        assert_true(run(worker, say_and_hang, "half", 100));
        assert_false(tn_worker_run(worker, say, "no", 100, on_done, &ends, &error)); /* one at a time */
        assert_int_equal(error->code, TN_ERROR_BUSY);
        wait_for_end(1);
        assert_string_equal(said->str, "half"); /* what had come before is kept */
        assert_in_range(g_get_monotonic_time() - start_usec, 100 * 1000, 5000 * 1000);
        while (!run(worker, say, "again", 10000)) /* until the kernel has let the first go */
                g_main_context_iteration(NULL, TRUE);
        wait_for_end(2);
        assert_string_equal(said->str, "again");
        tn_worker_free(worker);
}

static void test_freed_early(void **state)
{
        struct machine *machine = *state;
        struct tn_worker *worker = tn_worker_new(&machine->env);

        assert_true(run(worker, say_and_hang, "", 100000));
        tn_worker_free(worker);
        assert_int_equal(ends, 1);
        assert_int_equal(waitpid(-1, NULL, 0) > 0, 1); /* it was killed; blocks for ever otherwise */
        tn_worker_free(NULL);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_answers, setup, teardown),
                cmocka_unit_test_setup_teardown(test_deadline, setup, teardown),
                cmocka_unit_test_setup_teardown(test_freed_early, setup, teardown),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
