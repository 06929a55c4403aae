/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* tenon-drivers-prepare: the fact on the board, from a script in place of tenon-drivers. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/env.h"
#include "lib/error.h"
#include "plugins/drivers/prepare.h"

struct bench {
        struct tenon_host host; /* first, so that it is found from the host */
        struct tn_env env;
        char *root, *program;
        GString *facts; /* state and step of each value that was set */
        bool ended;
};

static const char *fake_config(struct tenon_host *host, const char *group, const char *key)
{
        (void) group;
        (void) key;
        return ((struct bench *) host)->program;
}

static void fake_fact_set(struct tenon_host *host, const char *name, json_t *value)
{
        struct bench *bench = (struct bench *) host;
        const char *state = json_string_value(json_object_get(value, "state"));
        const char *step = json_string_value(json_object_get(value, "step"));

        assert_string_equal(name, "drivers-prepare");
        g_string_append_printf(bench->facts, "%s/%s ", state, step ? step : "");
        bench->ended = !g_str_equal(state, "running");
        json_decref(value);
}

static G_GNUC_PRINTF(3, 4) void fake_log(struct tenon_host *host, int level, const char *format, ...)
{
        (void) host;
        (void) level;
        (void) format;
}

/* The script stands below a recorded root, which no systemd runs in: it is started as a plain child. */
static struct bench *bench_new(const char *script)
{
        struct bench *bench = g_new0(struct bench, 1);

        bench->root = g_dir_make_tmp(NULL, NULL);
        bench->program = g_build_filename(bench->root, "tenon-drivers", NULL);
        assert_true(g_file_set_contents(bench->program, script, -1, NULL));
        assert_int_equal(g_chmod(bench->program, 0755), 0);
        assert_true(tn_env_init_root(&bench->env, bench->root, NULL));
        bench->facts = g_string_new(NULL);
        bench->host = (struct tenon_host){
                .env = &bench->env, .config = fake_config, .fact_set = fake_fact_set, .log = fake_log};
        return bench;
}

static void bench_free(struct bench *bench)
{
        g_unlink(bench->program);
        g_rmdir(bench->root);
        tn_env_deinit(&bench->env);
        g_string_free(bench->facts, TRUE);
        g_free(bench->program);
        g_free(bench->root);
        g_free(bench);
}

/* Starts it for "kvm" and waits for its end; the state then. */
static json_t *run(struct bench *bench)
{
        struct drivers_prepare *prepare = drivers_prepare_new(&bench->host);
        json_auto_t *args = json_pack("{s:s}", "target", "kvm");
        json_auto_t *begun = drivers_prepare_begin(prepare, args, NULL);
        GError *error = NULL;
        json_t *state;

        assert_string_equal(json_string_value(json_object_get(begun, "state")), "running");
        assert_null(drivers_prepare_undo(prepare, args, &error));
        assert_int_equal(error->code, TN_ERROR_BUSY);
        g_clear_error(&error);
        while (!bench->ended)
                g_main_context_iteration(NULL, TRUE);
        state = drivers_prepare_state(prepare);
        drivers_prepare_free(prepare);
        return state;
}

static void test_steps_and_result(void **state)
{
        struct bench *bench = bench_new(
                "#!/bin/sh\n"
                "[ \"$*\" = 'prepare --json --target kvm' ] || exit 9\n"
                "echo '{\"event\": \"step\", \"step\": \"backup\", \"done\": 1, \"total\": 2}'\n"
                "echo 'something else'\n"
                "echo '{\"event\": \"output\", \"program\": \"x\", \"line\": \"y\"}'\n"
                "echo '{\"event\": \"step\", \"step\": \"plan\", \"done\": 2, \"total\": 2}'\n"
                "echo '{\"event\": \"result\", \"result\": {\"a\": 1}, \"exit-status\": 2}'\n"
                "exit 2\n");
        json_auto_t *end = run(bench);

        (void) state;
        assert_string_equal(bench->facts->str, "running/ running/backup running/plan done/plan ");
        assert_int_equal(json_integer_value(json_object_get(end, "exit-status")), 2);
        assert_int_equal(json_integer_value(json_object_get(json_object_get(end, "result"), "a")), 1);
        bench_free(bench);
}

static void check_failure(const char *script, const char *words)
{
        struct bench *bench = bench_new(script);
        json_auto_t *end = run(bench);
        const char *message = json_string_value(json_object_get(end, "error"));

        assert_string_equal(json_string_value(json_object_get(end, "state")), "failed");
        assert_non_null(strstr(message, words));
        assert_null(json_object_get(end, "result"));
        bench_free(bench);
}

static void test_failures(void **state)
{
        (void) state;
        check_failure("#!/bin/sh\necho '{\"event\": \"error\", \"code\": \"limit\", \"message\": \"no "
                      "room\"}'\nexit 1\n",
                      "no room");
        check_failure("#!/bin/sh\nkill -9 $$\n", "signal 9");
        check_failure("#!/bin/sh\necho '{\"event\": \"result\", \"result\": 7}'\n", "exit status 0");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_steps_and_result),
                cmocka_unit_test(test_failures),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
