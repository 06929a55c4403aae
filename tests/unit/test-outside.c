/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* Programs outside of the sandbox: how they are started, what they read, and what becomes of the helper's
 * answers. Here they are children: systemd does not run on a machine made of a folder. */
#define _GNU_SOURCE
#include "support.h"

#include <glib/gstdio.h>
#include <string.h>

#include "lib/outside.h"

struct ending {
        unsigned count;
        int exit_status;
        bool timed_out;
        size_t output_len;
        json_t *value;
        GError *error;
};

static void ending_clear(struct ending *ending)
{
        json_decref(ending->value);
        g_clear_error(&ending->error);
        *ending = (struct ending){0};
}

static void on_done(const struct tn_child_result *result, const GError *error, void *data)
{
        struct ending *ending = data;

        assert_true(!result != !error);
        ending->count++;
        ending->exit_status = result ? result->exit_status : -1;
        ending->timed_out = result && result->timed_out;
        ending->output_len = result ? strlen(result->output) : 0;
        ending->error = error ? g_error_copy(error) : NULL;
}

static void on_answered(json_t *value, const GError *error, void *data)
{
        struct ending *ending = data;

        assert_true(!value != !error);
        ending->count++;
        ending->value = json_incref(value);
        ending->error = error ? g_error_copy(error) : NULL;
}

static int set_up(void **state)
{
        *state = machine_new();
        return 0;
}

static int tear_down(void **state)
{
        machine_free(*state);
        return 0;
}

static void assert_argv(struct machine *machine, const char *expected)
{
        const char *argv[] = {"/bin/tool", "-e", NULL};
        g_auto(GStrv) full = tn_outside_argv(&machine->env, argv, 1500);
        g_autofree char *text = g_strjoinv(" ", full);

        assert_string_equal(text, expected);
}

static void test_argv(void **state)
{
        struct machine *machine = *state;

        assert_argv(machine, "/bin/tool -e");
        machine_write(machine, "usr/bin/systemd-run", "");
        assert_argv(machine, "/bin/tool -e"); /* installed, but not what this machine runs */
        machine_write(machine, "run/systemd/system/.keep", "");
        assert_argv(machine, "/usr/bin/systemd-run --quiet --wait --collect --pipe --service-type=exec "
                             "-p RuntimeMaxSec=1500ms /bin/tool -e");
}

/* The names begin alike, and so they have the sandbox of data/tenon-files-helper.conf. */
static void test_unit_of_ours(void **state)
{
        struct machine *machine = *state;
        const char *argv[] = {"/usr/libexec/tenon-files-helper", NULL};
        g_auto(GStrv) first = NULL, second = NULL;
        guint count;

        machine_write(machine, "usr/bin/systemd-run", "");
        machine_write(machine, "run/systemd/system/.keep", "");
        first = tn_outside_argv(&machine->env, argv, 1500);
        second = tn_outside_argv(&machine->env, argv, 1500);
        count = g_strv_length(first);
        assert_string_equal(first[count - 1], argv[0]);
        assert_true(g_str_has_prefix(first[count - 2], "--unit=tenon-files-helper-"));
        assert_string_not_equal(first[count - 2], second[count - 2]);
}

static void run_shell(struct tn_outside *outside, const char *script, const char *input, size_t len,
                      unsigned limit_ms, struct ending *ending)
{
        const char *argv[] = {"/bin/sh", "-c", script, NULL};

        ending_clear(ending);
        tn_outside_run(outside, argv, input, len, limit_ms, on_done, ending);
        loop_until(&ending->count, 1);
        assert_null(ending->error);
}

/* More than the socket and the pipe hold at a time, in both directions. */
static void test_input(void **state)
{
        struct machine *machine = *state;
        struct tn_outside *outside = tn_outside_new(&machine->env);
        g_autofree char *large = g_strnfill(3 * 1024 * 1024, 'x');
        struct ending ending = {0};

        run_shell(outside, "cat", large, 3 * 1024 * 1024, 5000, &ending);
        assert_int_equal(ending.exit_status, 0);
        assert_int_equal(ending.output_len, 3 * 1024 * 1024);
        run_shell(outside, "cat", "", 0, 5000, &ending);
        assert_int_equal(ending.exit_status, 0);
        assert_int_equal(ending.output_len, 0);
        ending_clear(&ending);
        tn_outside_free(outside);
}

/* Who does not read its input is neither waited for nor our end. */
static void test_input_not_read(void **state)
{
        struct machine *machine = *state;
        struct tn_outside *outside = tn_outside_new(&machine->env);
        g_autofree char *large = g_strnfill(3 * 1024 * 1024, 'x');
        struct ending ending = {0};

        run_shell(outside, "exec <&-; sleep 0.1; exit 7", large, 3 * 1024 * 1024, 5000, &ending);
        assert_int_equal(ending.exit_status, 7);
        run_shell(outside, "exec sleep 60", large, 3 * 1024 * 1024, 50, &ending);
        assert_true(ending.timed_out);
        ending_clear(&ending);
        tn_outside_free(outside);
}

/* A helper that is a shell script. */
static void ask(struct machine *machine, struct tn_outside *outside, const char *lines,
                struct ending *ending)
{
        g_autofree char *script = g_strdup_printf("#!/bin/sh\n%s\n", lines),
                        *path = machine_path(machine, "helper");
        json_auto_t *request = json_of("{'op': 'x'}");

        ending_clear(ending);
        machine_write(machine, "helper", script);
        assert_int_equal(g_chmod(path, 0755), 0);
        tn_outside_ask(outside, path, request, 5000, on_answered, ending);
        loop_until(&ending->count, 1);
}

static void test_ask(void **state)
{
        struct machine *machine = *state;
        struct tn_outside *outside = tn_outside_new(&machine->env);
        struct ending ending = {0};

        ask(machine, outside, "echo noise; read line; echo \"{\\\"return\\\": [$line]}\"", &ending);
        assert_json(json_incref(ending.value), "[{'op': 'x'}]");
        ask(machine, outside, "echo '{\"error\": {\"code\": \"busy\", \"message\": \"later\"}}'", &ending);
        assert_error(ending.error, TN_ERROR_BUSY, "later");
        ask(machine, outside, "echo '{\"error\": {\"code\": \"new\", \"message\": \"m\"}}'", &ending);
        assert_error(ending.error, TN_ERROR_FAILED, "m");
        ask(machine, outside, "echo '{\"error\": 1}'", &ending);
        assert_error(ending.error, TN_ERROR_FAILED, "no reason given");
        ask(machine, outside, "echo '{\"return\": 1}'; exit 1", &ending);
        assert_int_equal(ending.error->code, TN_ERROR_FAILED);
        assert_contains(ending.error->message, "ended with exit status 1");
        ask(machine, outside, "echo broken", &ending);
        assert_contains(ending.error->message, "ended with exit status 0: broken");
        ending_clear(&ending);
        tn_outside_free(outside);
}

/* Whoever waits is told, exactly once. */
static void test_stop(void **state)
{
        struct machine *machine = *state;
        struct tn_outside *outside = tn_outside_new(&machine->env);
        const char *argv[] = {"/bin/sh", "-c", "exec sleep 60", NULL}, *missing[] = {"/nonexistent", NULL};
        struct ending run = {0}, asked = {0}, not_started = {0};
        json_auto_t *request = json_object();

        tn_outside_run(outside, missing, "", 0, 5000, on_done, &not_started);
        assert_error(not_started.error, TN_ERROR_NOT_FOUND, "start /nonexistent: No such file or directory");
        tn_outside_run(outside, argv, "", 0, 5000, on_done, &run);
        tn_outside_ask(outside, "/bin/cat", request, 5000, on_answered, &asked);
        tn_outside_free(outside);
        assert_int_equal(not_started.count, 1);
        assert_int_equal(run.count, 1);
        assert_int_equal(asked.count, 1);
        assert_error(run.error, TN_ERROR_FAILED, "the agent is stopping");
        assert_error(asked.error, TN_ERROR_FAILED, "the agent is stopping");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_argv, set_up, tear_down),
                cmocka_unit_test_setup_teardown(test_unit_of_ours, set_up, tear_down),
                cmocka_unit_test_setup_teardown(test_input, set_up, tear_down),
                cmocka_unit_test_setup_teardown(test_input_not_read, set_up, tear_down),
                cmocka_unit_test_setup_teardown(test_ask, set_up, tear_down),
                cmocka_unit_test_setup_teardown(test_stop, set_up, tear_down),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
