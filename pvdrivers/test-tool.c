/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* Programs that are run and waited for: how they end, what they print, and that none outlives its deadline.
 */
#define _GNU_SOURCE
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "detect/test-folder.h"
#include "lib/error.h"
#include "pvdrivers/tool.h"

static struct tn_env env;
static GString *lines;

static void tell(const json_t *event, void *data)
{
        (void) data;
        g_string_append_printf(lines, "<%s>", json_string_value(json_object_get(event, "line")));
}

static int setup(void **state)
{
        (void) state;
        lines = g_string_new(NULL);
        assert_true(tn_env_init_system(&env, NULL, NULL));
        return 0;
}

static int teardown(void **state)
{
        (void) state;
        g_string_free(lines, TRUE);
        tn_env_deinit(&env);
        return 0;
}

static bool run(const char *script, unsigned deadline_s, char **output, GError **error)
{
        const char *const argv[] = {"/bin/sh", "-c", script, NULL};
        struct tn_progress progress = {.tell = tell};

        return tn_tool_must(tn_tool_run, &env, argv, deadline_s, &progress, output, error);
}

static void test_lines(void **state)
{
        g_autofree char *output = NULL;

        (void) state;
        assert_true(run("printf 'a\\n\\nb\\r50%%\\r'; echo c >&2; printf d", 10, &output, NULL));
        assert_string_equal(output, "a\n\nb\r50%\rc\nd");
        assert_string_equal(lines->str, "<a><b><50%><c><d>");
}

static void check_fails(const char *script, unsigned deadline_s, int code, const char *words)
{
        GError *error = NULL;

        assert_false(run(script, deadline_s, NULL, &error));
        assert_int_equal(error->code, code);
        assert_string_equal(error->message, words);
        g_clear_error(&error);
}

static void test_failures(void **state)
{
        (void) state;
        check_fails("echo one; echo; echo two; echo three; echo four; exit 3", 10, TN_ERROR_FAILED,
                    "/bin/sh ended with exit status 3: two / three / four");
        check_fails("kill -9 $$", 10, TN_ERROR_FAILED, "/bin/sh was ended by signal 9: ");
        check_fails("echo slow; sleep 60 & wait", 1, TN_ERROR_TIMEOUT,
                    "/bin/sh did not end within 1 s: slow");
}

/* What must not be cut off: neither a signal to us nor the end of our reader stops it, and it is told. */
static void test_to_its_end(void **state)
{
        char *folder = folder_new();
        g_autofree char *done = g_build_filename(folder, "done", NULL);
        g_autofree char *began = g_build_filename(folder, "began", NULL);
        g_autofree char *script = g_strdup_printf("touch %s; sleep 1; echo still here; touch %s", began,
                                                  done);
        int status;
        pid_t pid = fork();

        (void) state;
        if (pid == 0)
                _exit(run(script, TN_TOOL_TO_ITS_END, NULL, NULL) ? 0 : 1);
        while (access(began, F_OK) < 0)
                g_usleep(1000);
        assert_int_equal(kill(pid, SIGTERM), 0);
        assert_int_equal(kill(pid, SIGINT), 0);
        assert_int_equal(kill(pid, SIGHUP), 0);
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
        assert_int_equal(access(done, F_OK), 0);
        folder_free(folder);
}

/* The signals do again what they did, and the program had them as they are by default. */
static void test_signals_are_restored(void **state)
{
        struct sigaction now;

        (void) state;
        assert_true(run("kill -TERM $$; exit 0", TN_TOOL_TO_ITS_END, NULL, NULL) == false);
        assert_int_equal(sigaction(SIGTERM, NULL, &now), 0);
        assert_ptr_equal(now.sa_handler, SIG_DFL);
}

static void test_surroundings(void **state)
{
        g_autofree char *output = NULL;

        (void) state;
        assert_true(run("read x || echo \"no input, $LC_ALL, $DEBIAN_FRONTEND\"", 10, &output, NULL));
        assert_string_equal(output, "no input, C.UTF-8, noninteractive\n");
}

static void test_not_run(void **state)
{
        const char *const argv[] = {"/no/such/program", NULL};
        struct tn_tool_result result;
        struct tn_env recorded;
        GError *error = NULL;
        char *root = folder_new();

        (void) state;
        assert_false(tn_tool_run(&env, argv, 1, NULL, &result, &error));
        assert_int_equal(error->code, TN_ERROR_NOT_FOUND);
        g_clear_error(&error);
        assert_true(tn_env_init_root(&recorded, root, NULL));
        assert_false(tn_tool_run(&recorded, argv, 1, NULL, &result, &error));
        assert_int_equal(error->code, TN_ERROR_UNSUPPORTED);
        g_clear_error(&error);
        tn_env_deinit(&recorded);
        folder_free(root);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_lines, setup, teardown),
                cmocka_unit_test_setup_teardown(test_failures, setup, teardown),
                cmocka_unit_test_setup_teardown(test_to_its_end, setup, teardown),
                cmocka_unit_test_setup_teardown(test_signals_are_restored, setup, teardown),
                cmocka_unit_test_setup_teardown(test_surroundings, setup, teardown),
                cmocka_unit_test_setup_teardown(test_not_run, setup, teardown),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
