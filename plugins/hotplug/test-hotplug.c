/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * What the helper is asked about CPUs and memory blocks, and what its answers become on the wire. The helper
 * is a script here; this machine's CPUs and memory are never touched.
 */
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
#include "tenon/plugin.h"

struct bench {
        struct tenon_host host; /* first, so that it is found from the host */
        struct tn_env env;
        char *root;
        char *helper; /* the setting */
        unsigned ended;
        unsigned warnings;
        json_t *value; /* of the last call */
        GError *error;
};

static struct bench *current; /* a call knows nothing but that it is one */

static const char *fake_config(struct tenon_host *host, const char *group, const char *key)
{
        struct bench *bench = (struct bench *) host;

        return g_str_equal(group, "agent") && g_str_equal(key, "helper") ? bench->helper : NULL;
}

static void fake_reply(struct tenon_call *call, json_t *value)
{
        (void) call;
        current->ended++;
        current->value = value;
}

static void fake_fail(struct tenon_call *call, GError *error)
{
        (void) call;
        current->ended++;
        current->error = error;
}

static G_GNUC_PRINTF(3, 4) void fake_log(struct tenon_host *host, int level, const char *format, ...)
{
        (void) format;
        if (level == 4)
                ((struct bench *) host)->warnings++;
}

static int set_up(void **state)
{
        struct bench *bench = g_new0(struct bench, 1);

        bench->root = g_dir_make_tmp("tenon-hotplug-XXXXXX", NULL);
        assert_true(tn_env_init_root(&bench->env, bench->root, NULL));
        bench->host = (struct tenon_host){.env = &bench->env,
                                          .config = fake_config,
                                          .log = fake_log,
                                          .reply = fake_reply,
                                          .fail = fake_fail};
        assert_true(tenon_plugin.start(&bench->host, NULL));
        *state = current = bench;
        return 0;
}

static void remove_tree(const char *path)
{
        g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);

        for (const char *name; dir && (name = g_dir_read_name(dir));) {
                g_autofree char *child = g_build_filename(path, name, NULL);

                remove_tree(child);
        }
        (void) g_remove(path);
}

static void forget(struct bench *bench)
{
        g_clear_pointer(&bench->value, json_decref);
        g_clear_error(&bench->error);
        bench->ended = 0;
}

static int tear_down(void **state)
{
        struct bench *bench = *state;

        if (bench->host.data)
                tenon_plugin.stop(&bench->host);
        forget(bench);
        tn_env_deinit(&bench->env);
        remove_tree(bench->root);
        g_free(bench->root);
        g_free(bench->helper);
        g_free(bench);
        return 0;
}

/* A shell script in the bench's folder, which is $d; its path. */
static char *script(struct bench *bench, const char *name, const char *text)
{
        char *path = g_build_filename(bench->root, name, NULL);
        g_autofree char *full = g_strdup_printf("#!/bin/sh\nd=%s\n%s\n", bench->root, text);

        assert_true(g_file_set_contents(path, full, -1, NULL));
        assert_int_equal(chmod(path, 0755), 0);
        return path;
}

static void begin(struct bench *bench, const char *name, const char *args)
{
        g_autofree char *text = g_strdelimit(g_strdup(args), "'", '"');
        json_auto_t *object = json_loads(text, 0, NULL);

        assert_non_null(object);
        forget(bench);
        for (const struct tenon_command *command = tenon_plugin.commands; command->name; command++)
                if (g_str_equal(command->name, name)) {
                        command->start(&bench->host, (struct tenon_call *) bench, object);
                        return;
                }
        fail_msg("there is no command %s", name);
}

static void run(struct bench *bench, const char *name, const char *args)
{
        begin(bench, name, args);
        while (!bench->ended)
                (void) g_main_context_iteration(NULL, TRUE);
        assert_int_equal(bench->ended, 1);
}

static void assert_value(struct bench *bench, const char *expected)
{
        g_autofree char *text = g_strdelimit(g_strdup(expected), "'", '"');
        json_auto_t *wanted = json_loads(text, 0, NULL);

        if (bench->error)
                fail_msg("%s", bench->error->message);
        assert_true(json_equal(bench->value, wanted));
}

static void assert_error(struct bench *bench, int code, const char *message)
{
        assert_null(bench->value);
        assert_non_null(bench->error);
        assert_string_equal(bench->error->message, message);
        assert_int_equal(bench->error->code, code);
}

static char *read_file(struct bench *bench, const char *path)
{
        char *text = NULL;

        assert_true(tn_env_read(&bench->env, path, &text, NULL, NULL));
        return text;
}

/* The helper gives @answer; the question it was asked. */
static char *run_with(struct bench *bench, const char *answer, const char *name, const char *args)
{
        g_autofree char *text = g_strdelimit(g_strdup(answer), "'", '"');
        g_autofree char *lines = g_strdup_printf("cat >$d/input\necho '%s'", text);

        g_free(bench->helper);
        bench->helper = script(bench, "helper", lines);
        run(bench, name, args);
        return read_file(bench, "input");
}

static void test_vcpus(void **state)
{
        struct bench *bench = *state;
        g_autofree char *question = run_with(bench, "{'return': {'processed': 1}}", "guest-set-vcpus",
                                             "{'vcpus': [{'logical-id': 1, 'online': false}]}");

        assert_string_equal(question,
                            "{\"op\": \"set-vcpus\", \"vcpus\": [{\"logical-id\": 1, \"online\": false}]}");
        assert_int_equal(json_integer_value(bench->value), 1);
        assert_true(json_is_integer(bench->value));
        assert_int_equal(bench->warnings, 0);
}

/* The reply has the number only; why no more were done goes to the log. */
static void test_vcpus_partly(void **state)
{
        struct bench *bench = *state;

        g_free(run_with(bench, "{'return': {'processed': 2, 'stopped-by': 'busy'}}", "guest-set-vcpus",
                        "{'vcpus': []}"));
        assert_int_equal(json_integer_value(bench->value), 2);
        assert_int_equal(bench->warnings, 1);
}

static void test_memory_blocks(void **state)
{
        struct bench *bench = *state;
        g_autofree char *question = run_with(
                bench, "{'return': [{'phys-index': 3, 'response': 'success'}]}", "guest-set-memory-blocks",
                "{'mem-blks': [{'phys-index': 3, 'online': true, 'can-offline': true}]}");

        assert_value(bench, "[{'phys-index': 3, 'response': 'success'}]");
        assert_string_equal(question, "{\"op\": \"set-memory-blocks\", \"mem-blks\": [{\"phys-index\": 3, "
                                      "\"online\": true, \"can-offline\": true}]}");
}

static void test_failing(void **state)
{
        struct bench *bench = *state;

        g_free(run_with(bench, "{'error': {'code': 'not-found', 'message': 'no such CPU'}}",
                        "guest-set-vcpus", "{'vcpus': []}"));
        assert_error(bench, TN_ERROR_NOT_FOUND, "no such CPU");
        g_free(bench->helper);
        bench->helper = script(bench, "helper", "echo 'it broke'\nexit 1");
        run(bench, "guest-set-memory-blocks", "{'mem-blks': []}");
        assert_int_equal(bench->error->code, TN_ERROR_FAILED);
        assert_true(g_str_has_suffix(bench->error->message, "/helper ended with exit status 1: it broke\n"));
}

#define BENCH_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
        const struct CMUnitTest tests[] = {
                BENCH_TEST(test_vcpus),
                BENCH_TEST(test_vcpus_partly),
                BENCH_TEST(test_memory_blocks),
                BENCH_TEST(test_failing),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
