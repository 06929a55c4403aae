/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* Child processes: how they end is told rightly, deadlines kill the whole group, output is bounded, and
 * nobody who merely holds the pipe open delays the answer. */
#define _GNU_SOURCE
#include "support.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "lib/child.h"
#include "lib/fd.h"

struct ending {
        unsigned count;
        struct tn_child_result result;
        char *output;
        char *text;
};

static void on_done(const struct tn_child_result *result, void *data)
{
        struct ending *ending = data;

        ending->count++;
        ending->result = *result;
        ending->output = g_strdup(result->output);
        ending->text = tn_child_describe(result);
}

static void ending_clear(struct ending *ending)
{
        g_free(ending->output);
        g_free(ending->text);
}

static struct tn_child *start_shell(const char *script, unsigned deadline_ms, struct ending *ending)
{
        const char *argv[] = {"/bin/sh", "-c", script, NULL};
        g_autoptr(GError) error = NULL;
        struct tn_child *child = tn_child_start(argv, deadline_ms, on_done, ending, &error);

        assert_non_null(child);
        assert_null(error);
        assert_int_equal(ending->count, 0); /* never from within */
        return child;
}

static void run_shell(const char *script, unsigned deadline_ms, struct ending *ending)
{
        (void) start_shell(script, deadline_ms, ending);
        loop_until(&ending->count, 1);
}

static void test_exit_status(void **state)
{
        struct ending e = {0};

        (void) state;
        run_shell("echo out; echo err >&2; exit 3", 5000, &e);
        assert_int_equal(e.result.exit_status, 3);
        assert_int_equal(e.result.signal, 0);
        assert_false(e.result.timed_out);
        assert_string_equal(e.output, "out\nerr\n");
        assert_string_equal(e.text, "ended with exit status 3");
        ending_clear(&e);
}

static void test_signal(void **state)
{
        struct ending e = {0};

        (void) state;
        run_shell("kill -SEGV $$", 5000, &e);
        assert_int_equal(e.result.exit_status, -1);
        assert_int_equal(e.result.signal, SIGSEGV);
        assert_string_equal(e.text, "was ended by signal 11");
        ending_clear(&e);
}

static void test_no_such_program(void **state)
{
        const char *argv[] = {"/nonexistent/program", NULL};
        struct ending e = {0};
        GError *error = NULL;

        (void) state;
        assert_null(tn_child_start(argv, 1000, on_done, &e, &error));
        assert_error(error, TN_ERROR_NOT_FOUND, "start /nonexistent/program: No such file or directory");
        loop_for(20);
        assert_int_equal(e.count, 0);
}

/* The group, not only its leader: a grandchild is dead as well. */
static void test_deadline_kills_the_group(void **state)
{
        g_autoptr(machine_t) m = machine_new();
        g_autofree char *pids = machine_path(m, "pids");
        g_autofree char *script = g_strdup_printf("sleep 60 & echo $! > %s; wait", pids);
        g_autofree char *text = NULL;
        struct ending e = {0};
        gint64 started = g_get_monotonic_time();
        pid_t grandchild;

        (void) state;
        run_shell(script, 300, &e);
        assert_true(e.result.timed_out);
        assert_int_equal(e.result.signal, SIGKILL);
        assert_string_equal(e.text, "timed out and was killed");
        assert_in_range(g_get_monotonic_time() - started, 250000, 3000000);
        assert_true(g_file_get_contents(pids, &text, NULL, NULL));
        grandchild = (pid_t) g_ascii_strtoll(text, NULL, 10);
        assert_true(grandchild > 1);
        for (int i = 0; i < 100 && kill(grandchild, 0) == 0; i++) {
                g_autofree char *stat = g_strdup_printf("/proc/%d/stat", grandchild);
                g_autofree char *line = NULL;

                if (!g_file_get_contents(stat, &line, NULL, NULL) || strstr(line, ") Z "))
                        break; /* dead; whoever adopts orphans here may reap it later */
                g_usleep(20000);
                assert_int_not_equal(i, 99);
        }
        ending_clear(&e);
}

static void test_output_is_capped(void **state)
{
        struct ending e = {0};

        (void) state;
        run_shell("head -c 1000000 /dev/zero | tr '\\0' x; exit 7", 10000, &e);
        assert_int_equal(strlen(e.output), TN_CHILD_OUTPUT_MAX);
        assert_int_equal(e.result.exit_status, 7); /* it was not stopped by a full pipe */
        ending_clear(&e);
}

static void test_daemon_with_our_pipe(void **state)
{
        struct ending e = {0};
        gint64 started = g_get_monotonic_time();

        (void) state;
        run_shell("setsid sleep 3 & echo done", 5000, &e);
        assert_true(g_get_monotonic_time() - started < 2 * G_USEC_PER_SEC);
        assert_string_equal(e.output, "done\n");
        assert_int_equal(e.result.exit_status, 0);
        ending_clear(&e);
}

/* stdin is empty, the session is its own, our descriptors are not there, no signal is blocked or ignored. */
static void test_child_surroundings(void **state)
{
        g_autoptr(machine_t) m = machine_new();
        g_autofree char *path = machine_path(m, "leak-me");
        tn_autofd int fd = open(path, O_RDONLY | O_CREAT | O_CLOEXEC, 0600);
        struct ending e = {0};
        sigset_t block, saved;
        guint64 ignored;

        (void) state;
        assert_true(fd >= 0);
        (void) signal(SIGPIPE, SIG_IGN);
        sigemptyset(&block);
        sigaddset(&block, SIGUSR1);
        sigprocmask(SIG_BLOCK, &block, &saved);
        run_shell("cat; read a b c d e sid f </proc/$$/stat; [ $sid = $$ ] && echo session;"
                  " grep -E 'SigBlk|SigIgn' /proc/self/status; readlink /proc/$$/fd/* | grep -q leak-me && "
                  "echo leaked",
                  5000, &e);
        sigprocmask(SIG_SETMASK, &saved, NULL);
        assert_contains(e.output, "session\n");
        assert_contains(e.output, "SigBlk:\t0000000000000000\n");
        assert_non_null(strstr(e.output, "SigIgn:\t"));
        ignored = g_ascii_strtoull(strstr(e.output, "SigIgn:\t") + 8, NULL, 16);
        assert_int_equal(ignored & ~UINT64_C(0x180000000),
                         0); /* without the two that glibc keeps to itself */
        assert_false(g_str_has_suffix(e.output, "\nleaked\n"));
        ending_clear(&e);
}

static void test_abandon(void **state)
{
        struct ending e = {0};

        (void) state;
        tn_child_abandon(start_shell("sleep 60", 60000, &e));
        loop_for(50);
        assert_int_equal(e.count, 0);
        tn_child_abandon(NULL);
}

static void test_many_at_once(void **state)
{
        struct ending e[20] = {0};

        (void) state;
        for (size_t i = 0; i < G_N_ELEMENTS(e); i++) {
                g_autofree char *script = g_strdup_printf("echo %zu; exit %zu", i, i);

                (void) start_shell(script, 10000, &e[i]);
        }
        for (size_t i = 0; i < G_N_ELEMENTS(e); i++) {
                loop_until(&e[i].count, 1);
                assert_int_equal(e[i].result.exit_status, i);
                assert_int_equal(g_ascii_strtoull(e[i].output, NULL, 10), i);
                ending_clear(&e[i]);
        }
}

static void on_line(const char *line, void *data)
{
        g_string_append_printf(data, "<%s>", line);
}

/* Each line once, as it comes; one without an end is told with the whole output only. */
static void test_watched_lines(void **state)
{
        struct ending e = {0};
        g_autoptr(GString) lines = g_string_new(NULL);
        struct tn_child *child = start_shell("echo a; echo; printf b; sleep 0.1; echo c; printf d", 5000,
                                             &e);

        (void) state;
        tn_child_watch(child, on_line, lines);
        loop_until(&e.count, 1);
        assert_string_equal(lines->str, "<a><><bc>");
        assert_string_equal(e.output, "a\n\nbc\nd");
        ending_clear(&e);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_exit_status),        cmocka_unit_test(test_signal),
                cmocka_unit_test(test_no_such_program),    cmocka_unit_test(test_deadline_kills_the_group),
                cmocka_unit_test(test_output_is_capped),   cmocka_unit_test(test_daemon_with_our_pipe),
                cmocka_unit_test(test_child_surroundings), cmocka_unit_test(test_abandon),
                cmocka_unit_test(test_many_at_once),       cmocka_unit_test(test_watched_lines),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
