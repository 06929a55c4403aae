/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* The plugin drivers: memory from made files, the inventory from a script in place of tenon-drivers. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/env.h"
#include "lib/error.h"
#include "plugins/drivers/memory.h"
#include "tenon/plugin.h"

struct bench {
        struct tenon_host host; /* first, so that it is found from the host */
        struct tn_env env;
        char *root, *program;
        unsigned ended;
        json_t *value, *fact;
        GError *error;
};

static struct bench *current; /* a call knows nothing but that it is one */

static const char *fake_config(struct tenon_host *host, const char *group, const char *key)
{
        struct bench *bench = (struct bench *) host;

        return g_str_equal(group, "drivers") && g_str_equal(key, "program") ? bench->program : NULL;
}

static void fake_fact_set(struct tenon_host *host, const char *name, json_t *value)
{
        struct bench *bench = (struct bench *) host;

        assert_string_equal(name, "memory");
        json_decref(bench->fact);
        bench->fact = value;
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
        (void) host;
        (void) level;
        (void) format;
}

static uint64_t fake_now(const struct tn_env *env, clockid_t clock)
{
        (void) env;
        (void) clock;
        return 7;
}

static void put(struct bench *bench, const char *path, const char *text)
{
        g_autofree char *whole = g_build_filename(bench->root, path, NULL),
                        *above = g_path_get_dirname(whole);

        assert_int_equal(g_mkdir_with_parents(above, 0755), 0);
        assert_true(g_file_set_contents(whole, text, -1, NULL));
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

static int set_up(void **state)
{
        struct bench *bench = g_new0(struct bench, 1);

        bench->root = g_dir_make_tmp(NULL, NULL);
        assert_true(tn_env_init_root(&bench->env, bench->root, NULL));
        bench->env.now_usec = fake_now;
        bench->host = (struct tenon_host){.env = &bench->env,
                                          .config = fake_config,
                                          .fact_set = fake_fact_set,
                                          .log = fake_log,
                                          .reply = fake_reply,
                                          .fail = fake_fail};
        *state = current = bench;
        return 0;
}

static int tear_down(void **state)
{
        struct bench *bench = *state;

        json_decref(bench->value);
        json_decref(bench->fact);
        g_clear_error(&bench->error);
        tn_env_deinit(&bench->env);
        remove_tree(bench->root);
        g_free(bench->root);
        g_free(bench->program);
        g_free(bench);
        return 0;
}

static void assert_value(json_t *value, const char *expected)
{
        g_autofree char *text = g_strdelimit(g_strdup(expected), "'", '"');
        g_autofree char *dump = NULL;
        json_auto_t *wanted = json_loads(text, 0, NULL);

        assert_non_null(wanted);
        if (json_equal(value, wanted))
                return;
        dump = json_dumps(value, 0);
        fail_msg("%s is not %s", dump, text);
}

#define MEMINFO                                                                                             \
        "MemTotal:  1000 kB\nMemFree: 1 kB\nMemAvailable: 400 kB\nSwapTotal: 50 kB\nSwapFree: 20 kB\n"
#define BASE                                                                                                \
        "'time': 7000, 'total-bytes': 1024000, 'available-bytes': 409600, 'used-bytes': 614400, "           \
        "'swap-used-bytes': 30720"

static void test_memory(void **state)
{
        struct bench *bench = *state;
        json_auto_t *value = NULL;

        put(bench, "proc/meminfo", MEMINFO);
        value = tn_memory_read(&bench->env, NULL);
        assert_value(value, "{" BASE "}");
}

static void test_memory_pressure(void **state)
{
        struct bench *bench = *state;
        json_auto_t *value = NULL, *broken = NULL;

        put(bench, "proc/meminfo", MEMINFO);
        put(bench, "proc/pressure/memory",
            "some avg10=1.50 avg60=0.25 avg300=0.00 total=123\nfull avg10=0.50 avg60=0.00 avg300=0.00 "
            "total=45\n");
        value = tn_memory_read(&bench->env, NULL);
        assert_value(value, "{" BASE ", 'pressure': {"
                            "'some': {'avg10': 1.5, 'avg60': 0.25, 'avg300': 0.0, 'total-usec': 123},"
                            "'full': {'avg10': 0.5, 'avg60': 0.0, 'avg300': 0.0, 'total-usec': 45}}}");
        put(bench, "proc/pressure/memory", "some avg10=1.50\nfull\n");
        broken = tn_memory_read(&bench->env, NULL);
        assert_value(broken, "{" BASE "}");
}

static void assert_balloon(struct bench *bench, const char *expected)
{
        json_auto_t *value = tn_memory_read(&bench->env, NULL);

        assert_value(json_object_get(value, "balloon"), expected);
}

static void test_balloon(void **state)
{
        struct bench *bench = *state;
        g_autofree char *pages = g_strdup_printf("{'bytes': %ld}", 60 * sysconf(_SC_PAGESIZE));

        put(bench, "proc/meminfo", MEMINFO);
        put(bench, "proc/vmstat",
            "nr_free_pages 1\nballoon_inflate 100\nballoon_deflate 40\nballoon_migrate 0\n");
        assert_balloon(bench, pages);
        put(bench, "proc/meminfo", MEMINFO "Balloon: 8 kB\n");
        assert_balloon(bench, "{'bytes': 8192}");
        put(bench, "sys/devices/system/xen_memory/xen_memory0/info/current_kb", "500\n");
        put(bench, "sys/devices/system/xen_memory/xen_memory0/target_kb", "400\n");
        assert_balloon(bench, "{'current-bytes': 512000, 'target-bytes': 409600}");
}

static void test_no_balloon(void **state)
{
        struct bench *bench = *state;
        json_auto_t *value = NULL;

        put(bench, "proc/meminfo", MEMINFO);
        put(bench, "proc/vmstat", "balloon_inflate 0\nballoon_deflate 0\n");
        value = tn_memory_read(&bench->env, NULL);
        assert_null(json_object_get(value, "balloon"));
}

static void test_memory_fails(void **state)
{
        struct bench *bench = *state;
        g_autoptr(GError) missing = NULL, old = NULL;

        assert_null(tn_memory_read(&bench->env, &missing));
        assert_non_null(strstr(missing->message, "/proc/meminfo"));
        put(bench, "proc/meminfo", "MemTotal: 5 kB\n");
        assert_null(tn_memory_read(&bench->env, &old));
        assert_int_equal(old->code, TN_ERROR_UNSUPPORTED);
}

static void test_fact(void **state)
{
        struct bench *bench = *state;

        put(bench, "proc/meminfo", MEMINFO);
        assert_true(tenon_plugin.start(&bench->host, NULL));
        assert_value(bench->fact, "{" BASE "}");
        tenon_plugin.stop(&bench->host);
}

/* tenon-get-drivers with a script in place of the program. */
static void ask_for(struct bench *bench, const char *command, json_t *args, const char *script)
{
        const struct tenon_command *found = tenon_plugin.commands;

        g_autofree char *text = g_strdup_printf("#!/bin/sh\n%s\n", script);

        bench->program = g_build_filename(bench->root, "program", NULL);
        put(bench, "program", text);
        assert_int_equal(chmod(bench->program, 0755), 0);
        assert_true(tenon_plugin.start(&bench->host, NULL));
        while (!g_str_equal(found->name, command))
                found++;
        found->start(&bench->host, (struct tenon_call *) bench, args);
        while (!bench->ended)
                (void) g_main_context_iteration(NULL, TRUE);
        tenon_plugin.stop(&bench->host);
        assert_int_equal(bench->ended, 1);
}

static void ask(struct bench *bench, const char *script)
{
        json_auto_t *args = json_object();

        ask_for(bench, "tenon-get-drivers", args, script);
}

static void test_plan(void **state)
{
        struct bench *bench = *state;
        json_auto_t *args = json_pack("{s:s, s:s}", "target", "--help", "devices", "nvme,ena");

        ask_for(bench, "tenon-drivers-plan", args,
                "test \"$*\" = 'plan --target=--help --devices=nvme,ena' && echo '{\"verdict\": "
                "\"ready\"}'");
        assert_null(bench->error);
        assert_value(bench->value, "{'verdict': 'ready'}");
}

static void test_plan_fails(void **state)
{
        struct bench *bench = *state;
        json_auto_t *args = json_pack("{s:s}", "target", "mars");

        ask_for(bench, "tenon-drivers-plan", args,
                "test \"$*\" = 'plan --target=mars' && echo 'no target is called \"mars\"'; exit 1");
        assert_string_equal(bench->error->message,
                            "tenon-drivers plan ended with exit status 1: no target is called \"mars\"");
}

static void test_drivers(void **state)
{
        struct bench *bench = *state;

        ask(bench, "test \"$*\" = inventory && echo '{\"platform\": \"kvm\", \"devices\": []}'");
        assert_null(bench->error);
        assert_value(bench->value, "{'platform': 'kvm', 'devices': []}");
}

static void test_drivers_fails(void **state)
{
        struct bench *bench = *state;

        ask(bench, "echo broken; exit 3");
        assert_null(bench->value);
        assert_string_equal(bench->error->message,
                            "tenon-drivers inventory ended with exit status 3: broken");
}

static void test_drivers_babbles(void **state)
{
        struct bench *bench = *state;

        ask(bench, "echo '[1]'");
        assert_null(bench->value);
        assert_string_equal(bench->error->message, "tenon-drivers inventory ended with exit status 0: [1]");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
        const struct CMUnitTest tests[] = {
                TEST(test_memory),     TEST(test_memory_pressure), TEST(test_balloon),
                TEST(test_no_balloon), TEST(test_memory_fails),    TEST(test_fact),
                TEST(test_drivers),    TEST(test_drivers_fails),   TEST(test_drivers_babbles),
                TEST(test_plan),       TEST(test_plan_fails),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
