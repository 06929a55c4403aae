/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * Files opened by the real helper, here a child because this machine is a folder without systemd; and by
 * helpers that hang, end, or are not there. The one argument is the helper's path.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/env.h"
#include "lib/error.h"
#include "plugins/files/files.h"

static const char *real_helper;

struct bench {
        struct tn_env env;
        char *dir;
        char *fake; /* path of a helper that is a script */
        struct tn_files_opener *opener;
        unsigned answers;
        int fd;
        GError *error;
};

static void on_opened(int fd, const GError *error, void *data)
{
        struct bench *b = data;

        assert_true((fd < 0) == !!error);
        g_clear_error(&b->error);
        b->answers++;
        b->fd = fd;
        b->error = error ? g_error_copy(error) : NULL;
}

static int set_up(void **state)
{
        struct bench *b = g_new0(struct bench, 1);

        b->dir = g_dir_make_tmp("tenon-opener-XXXXXX", NULL);
        b->fake = g_build_filename(b->dir, "helper", NULL);
        assert_true(tn_env_init_root(&b->env, b->dir, NULL));
        b->opener = tn_files_opener_new(&b->env, real_helper);
        tn_files_opener_times = (struct tn_files_opener_times){
                .open_ms = 5000, .idle_ms = 1000, .life_ms = 5000};
        *state = b;
        return 0;
}

static int tear_down(void **state)
{
        struct bench *b = *state;
        const char *argv[] = {"rm", "-rf", b->dir, NULL};

        tn_files_opener_free(b->opener);
        tn_env_deinit(&b->env);
        assert_true(g_spawn_sync(NULL, (char **) argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, NULL, NULL,
                                 NULL, NULL));
        g_clear_error(&b->error);
        g_free(b->fake);
        g_free(b->dir);
        g_free(b);
        return 0;
}

static void use_fake(struct bench *b, const char *script)
{
        g_autofree char *text = g_strdup_printf("#!/bin/sh\n%s\n", script);

        assert_true(g_file_set_contents(b->fake, text, -1, NULL));
        assert_int_equal(g_chmod(b->fake, 0755), 0);
        tn_files_opener_free(b->opener);
        b->opener = tn_files_opener_new(&b->env, b->fake);
}

static void ask(struct bench *b, const char *path, const char *mode)
{
        tn_files_opener_open(b->opener, path, mode, false, on_opened, b);
}

static void wait_answers(struct bench *b, unsigned count)
{
        while (b->answers < count)
                g_main_context_iteration(NULL, TRUE);
}

static void test_open(void **state)
{
        struct bench *b = *state;
        g_autofree char *path = g_build_filename(b->dir, "new", NULL), *missing = NULL, *wanted = NULL;
        struct stat st;
        gint64 begin;

        ask(b, path, "w");
        assert_int_equal(b->answers, 0);
        wait_answers(b, 1);
        assert_null(b->error);
        assert_int_equal(write(b->fd, "x", 1), 1);
        assert_int_equal(close(b->fd), 0);
        assert_int_equal(stat(path, &st), 0);
        assert_int_equal(st.st_mode & 07777, 0666);
        missing = g_build_filename(b->dir, "missing", NULL);
        ask(b, missing, NULL);
        wait_answers(b, 2);
        wanted = g_strdup_printf("failed to open file '%s' (mode: 'r'): No such file or directory", missing);
        assert_string_equal(b->error->message, wanted);
        assert_int_equal(b->error->code, TN_ERROR_NOT_FOUND);
        begin = g_get_monotonic_time();
        for (unsigned i = 0; i < 100; i++) { /* of one helper */
                ask(b, path, "r");
                wait_answers(b, 3 + i);
                assert_int_equal(close(b->fd), 0);
        }
        print_message("an open by a helper that is there takes %.0f us\n",
                      (double) (g_get_monotonic_time() - begin) / 100);
}

/* Ten at once are opened one after another, in order. */
static void test_many(void **state)
{
        struct bench *b = *state;

        for (unsigned i = 0; i < 10; i++)
                ask(b, i % 2 ? "/no/such" : "/dev/null", "r");
        for (unsigned i = 0; i < 10; i++) {
                wait_answers(b, i + 1);
                assert_int_equal(b->answers, i + 1);
                assert_int_equal(!!b->error, i % 2);
                if (!b->error)
                        close(b->fd);
        }
}

/* The helper is not kept for ever, and after it there is another one. */
static void test_idle_and_life(void **state)
{
        struct bench *b = *state;
        gint64 begin;

        for (unsigned i = 0; i < 2; i++) {
                tn_files_opener_times.idle_ms = 50;
                ask(b, "/dev/null", "r");
                wait_answers(b, i + 1);
                close(b->fd);
                for (begin = g_get_monotonic_time(); g_get_monotonic_time() - begin < 200000;)
                        g_main_context_iteration(NULL, FALSE);
        }
        tn_files_opener_times.life_ms = 0;
        for (unsigned i = 2; i < 5; i++) {
                ask(b, "/dev/null", "r");
                wait_answers(b, i + 1);
                close(b->fd);
        }
}

static void test_a_helper_that_hangs(void **state)
{
        struct bench *b = *state;

        use_fake(b, "exec sleep 100");
        tn_files_opener_times.open_ms = 1000;
        ask(b, "/x", "r+");
        ask(b, "/y", "r");
        wait_answers(b, 1);
        assert_string_equal(b->error->message, "failed to open file '/x' (mode: 'r+'): not done within 1 s");
        assert_int_equal(b->error->code, TN_ERROR_TIMEOUT);
        wait_answers(b, 2);
        assert_string_equal(b->error->message, "failed to open file '/y' (mode: 'r'): not done within 1 s");
}

static void test_a_helper_that_ends(void **state)
{
        struct bench *b = *state;
        g_autofree char *wanted = NULL;

        use_fake(b, "echo no bus >&2; exit 3");
        ask(b, "/x", "r");
        wait_answers(b, 1);
        wanted = g_strdup_printf("failed to open file '/x' (mode: 'r'): %s ended with exit status 3: no bus",
                                 b->fake);
        assert_string_equal(b->error->message, wanted);
        use_fake(b, "exec <&-; sleep 0.1; exit 0"); /* closes the socket first */
        ask(b, "/x", "r");
        wait_answers(b, 2);
        assert_non_null(strstr(b->error->message, "ended with exit status 0"));
}

static void test_a_helper_that_talks_nonsense(void **state)
{
        struct bench *b = *state;

        use_fake(b, "printf nonsense >&0; sleep 1");
        ask(b, "/x", "r");
        wait_answers(b, 1);
        assert_string_equal(b->error->message, "the helper gave no descriptor and no reason");
}

static void test_no_helper(void **state)
{
        struct bench *b = *state;

        tn_files_opener_free(b->opener);
        b->opener = tn_files_opener_new(&b->env, "/no/helper");
        ask(b, "/x", "r");
        wait_answers(b, 1);
        assert_string_equal(b->error->message,
                            "failed to open file '/x' (mode: 'r'): start /no/helper: No such "
                            "file or directory");
}

static void test_stop_meanwhile(void **state)
{
        struct bench *b = *state;

        use_fake(b, "exec sleep 100");
        ask(b, "/x", "r");
        ask(b, "/y", "r");
        tn_files_opener_free(g_steal_pointer(&b->opener));
        assert_int_equal(b->answers, 2);
        assert_string_equal(b->error->message,
                            "failed to open file '/y' (mode: 'r'): the agent is stopping");
}

int main(int argc, char **argv)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
        const struct CMUnitTest tests[] = {
                TEST(test_open),
                TEST(test_many),
                TEST(test_idle_and_life),
                TEST(test_a_helper_that_hangs),
                TEST(test_a_helper_that_ends),
                TEST(test_a_helper_that_talks_nonsense),
                TEST(test_no_helper),
                TEST(test_stop_meanwhile),
        };

        if (argc != 2)
                return 2;
        real_helper = argv[1];
        return cmocka_run_group_tests(tests, NULL, NULL);
}
