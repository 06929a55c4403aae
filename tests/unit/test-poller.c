/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* The loop's own way of waiting, on GLib's default context: above all, that nothing is lost when a number
 * stands for another file. */
#define _GNU_SOURCE
#include "agent/poller.h"

#include <fcntl.h>
#include <glib-unix.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/support.h"

#define MANY 80 /* more than one turn takes */

static gboolean on_timeout(void *data)
{
        *(bool *) data = true;
        return G_SOURCE_REMOVE;
}

/* Turns of the loop until *done is `want`, for at most 5 s. */
static void turn_until(const int *done, int want)
{
        bool over = false;
        guint timer = g_timeout_add(5000, on_timeout, &over);

        while (*done < want && !over)
                g_main_context_iteration(NULL, TRUE);
        assert_false(over);
        g_source_remove(timer);
}

/* What is ready now, and no more. */
static void turn_idle(void)
{
        while (g_main_context_iteration(NULL, FALSE))
                ;
}

static gboolean on_bytes(int fd, GIOCondition condition, void *data)
{
        char byte;

        if (condition & G_IO_IN)
                assert_int_equal(read(fd, &byte, 1), 1);
        ++*(int *) data;
        return G_SOURCE_CONTINUE;
}

static gboolean on_event(int fd, GIOCondition condition, void *data)
{
        (void) fd;
        *(int *) data |= (int) condition;
        return G_SOURCE_CONTINUE;
}

static void put(int fd)
{
        assert_int_equal(write(fd, "x", 1), 1);
}

static void number_stands_for_another_file(void **state)
{
        int old[2], new[2], seen = 0;
        guint source;

        (void) state;
        for (int i = 0; i < 3; i++) {
                assert_int_equal(pipe2(old, O_CLOEXEC), 0);
                assert_int_equal(pipe2(new, O_CLOEXEC), 0);
                source = g_unix_fd_add(old[0], G_IO_IN, on_bytes, &seen);
                put(old[1]);
                turn_until(&seen, 3 * i + 1);
                g_source_remove(source);
                assert_int_equal(dup2(new[0], old[0]),
                                 old[0]); /* the same number, the list looks the same */
                source = g_unix_fd_add(old[0], G_IO_IN, on_bytes, &seen);
                put(new[1]);
                turn_until(&seen, 3 * i + 2);
                put(new[1]);
                turn_until(&seen, 3 * i + 3);
                g_source_remove(source);
                for (int j = 0; j < 2; j++) {
                        close(old[j]);
                        close(new[j]);
                }
        }
}

/* epoll keeps what another process still holds; it must neither be told of nor keep the loop awake. */
static void closed_here_but_not_in_a_child(void **state)
{
        int pair[2], other[2], seen = 0;
        guint source, second;
        pid_t child;

        (void) state;
        assert_int_equal(pipe2(pair, O_CLOEXEC), 0);
        assert_int_equal(pipe2(other, O_CLOEXEC), 0);
        source = g_unix_fd_add(pair[0], G_IO_IN, on_bytes, &seen);
        second = g_unix_fd_add(other[0], G_IO_IN, on_bytes, &seen);
        turn_idle();
        child = fork();
        if (child == 0) {
                pause();
                _exit(0);
        }
        close(pair[0]); /* in the wrong order, as a library might */
        g_source_remove(source);
        turn_idle();
        put(pair[1]);
        turn_idle();
        assert_int_equal(seen, 0);
        put(other[1]);
        turn_until(&seen, 1);
        assert_false(g_main_context_pending(NULL));
        kill(child, SIGKILL);
        waitpid(child, NULL, 0);
        g_source_remove(second);
        close(pair[1]);
        close(other[0]);
        close(other[1]);
}

static void reading_and_writing_are_two_sources(void **state)
{
        int pair[2], in = 0, out = 0;
        guint reader, writer;

        (void) state;
        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
        reader = g_unix_fd_add(pair[0], G_IO_IN, on_event, &in);
        writer = g_unix_fd_add(pair[0], G_IO_OUT, on_event, &out);
        g_main_context_iteration(NULL, TRUE);
        assert_int_equal(out, G_IO_OUT);
        assert_int_equal(in, 0);
        g_source_remove(writer);
        put(pair[1]);
        turn_until(&in, G_IO_IN);
        close(pair[1]);
        turn_until(&in, G_IO_IN | G_IO_HUP);
        g_source_remove(reader);
        close(pair[0]);
}

/* epoll refuses it; poll() says that it is always ready. */
static void regular_file(void **state)
{
        g_autofree char *path = NULL;
        int fd = g_file_open_tmp("tenon-XXXXXX", &path, NULL), seen = 0;
        guint source = g_unix_fd_add(fd, G_IO_IN, on_event, &seen);

        (void) state;
        turn_until(&seen, G_IO_IN);
        seen = 0;
        turn_until(&seen, G_IO_IN);
        g_source_remove(source);
        close(fd);
        unlink(path);
}

static void closed_descriptor(void **state)
{
        int fd = dup(0), seen = 0;
        guint source;

        (void) state;
        close(fd);
        source = g_unix_fd_add(fd, G_IO_IN, on_event, &seen);
        turn_until(&seen, G_IO_NVAL);
        g_source_remove(source);
}

static void more_than_one_turn_takes(void **state)
{
        int pipes[MANY][2], seen = 0;
        guint sources[MANY];

        (void) state;
        for (int i = 0; i < MANY; i++) {
                assert_int_equal(pipe2(pipes[i], O_CLOEXEC), 0);
                sources[i] = g_unix_fd_add(pipes[i][0], G_IO_IN, on_bytes, &seen);
                put(pipes[i][1]);
        }
        turn_until(&seen, MANY);
        turn_idle();
        assert_int_equal(seen, MANY);
        for (int i = 0; i < MANY; i++) {
                g_source_remove(sources[i]);
                close(pipes[i][0]);
                close(pipes[i][1]);
        }
}

static void *wake_up(void *data)
{
        (void) data;
        g_usleep(20000);
        g_main_context_wakeup(NULL);
        return NULL;
}

static void another_thread_wakes_it(void **state)
{
        GThread *thread = g_thread_new("waker", wake_up, NULL);

        (void) state;
        g_main_context_iteration(NULL, TRUE); /* hangs, and the test's time runs out, when it is not heard */
        g_thread_join(thread);
}

static int set_up(void **state)
{
        (void) state;
        tn_poller_init();
        return 0;
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(number_stands_for_another_file),
                cmocka_unit_test(closed_here_but_not_in_a_child),
                cmocka_unit_test(reading_and_writing_are_two_sources),
                cmocka_unit_test(regular_file),
                cmocka_unit_test(closed_descriptor),
                cmocka_unit_test(more_than_one_turn_takes),
                cmocka_unit_test(another_thread_wakes_it),
        };

        return cmocka_run_group_tests(tests, set_up, NULL);
}
