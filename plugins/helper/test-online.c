/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* CPUs, memory blocks and sleep of a machine made of files; this machine's own are never touched. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <glib/gstdio.h>
#include <jansson.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/env.h"
#include "plugins/helper/online.h"

#define CPU    "sys/devices/system/cpu/"
#define MEMORY "sys/devices/system/memory/"

struct machine {
        struct tn_env env;
        char *root;
};

static void put(const struct machine *machine, const char *path, const char *text)
{
        g_autofree char *full = g_build_filename(machine->root, path, NULL);
        g_autofree char *directory = g_path_get_dirname(full);

        assert_int_equal(g_mkdir_with_parents(directory, 0755), 0);
        assert_true(g_file_set_contents(full, text, -1, NULL));
}

static void assert_file(const struct machine *machine, const char *path, const char *expected)
{
        g_autofree char *line = tn_env_read_line(&machine->env, path);

        assert_non_null(line);
        assert_string_equal(line, expected);
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

/* CPU 0 cannot be taken offline, CPU 2 is offline; writing to CPU 3 and block 3 fails, even for root: their
 * files are directories. */
static int set_up(void **state)
{
        struct machine *machine = g_new0(struct machine, 1);

        machine->root = g_dir_make_tmp("tenon-online-XXXXXX", NULL);
        assert_true(tn_env_init_root(&machine->env, machine->root, NULL));
        put(machine, CPU "cpu0/uevent", "");
        put(machine, CPU "cpu1/online", "1\n");
        put(machine, CPU "cpu2/online", "0\n");
        put(machine, CPU "cpu3/online/is-a-directory", "");
        put(machine, MEMORY "memory0/state", "online\n");
        put(machine, MEMORY "memory1/state", "offline\n");
        put(machine, MEMORY "memory2/removable", "1\n");
        put(machine, "sys/power/state", "freeze mem disk\n");
        put(machine, "sys/power/disk", "[platform] shutdown reboot suspend\n");
        *state = machine;
        return 0;
}

static int tear_down(void **state)
{
        struct machine *machine = *state;

        tn_env_deinit(&machine->env);
        remove_tree(machine->root);
        g_free(machine->root);
        g_free(machine);
        return 0;
}

/* ' stands for " in both. */
static void check(const struct machine *machine, const char *request, const char *expected)
{
        g_autofree char *question = g_strdelimit(g_strdup(request), "'", '"');
        g_autofree char *answer = tn_helper_answer(&tn_system_helper, &machine->env, question,
                                                   strlen(question));
        g_autofree char *text = g_strdelimit(g_strdup(expected), "'", '"');
        json_auto_t *is = json_loads(answer, 0, NULL), *wanted = json_loads(text, 0, NULL);

        assert_non_null(wanted);
        if (!json_equal(is, wanted))
                fail_msg("is %s, should be %s", answer, text);
}

static void test_vcpus(void **state)
{
        const struct machine *machine = *state;

        check(machine, "{'op': 'set-vcpus', 'vcpus': []}", "{'return': {'processed': 0}}");
        check(machine,
              "{'op': 'set-vcpus', 'vcpus': [{'logical-id': 0, 'online': true}, "
              "{'logical-id': 2, 'online': true, 'can-offline': true}, {'logical-id': 1, 'online': false}]}",
              "{'return': {'processed': 3}}");
        assert_file(machine, CPU "cpu1/online", "0");
        assert_file(machine, CPU "cpu2/online", "1");
}

static void test_vcpus_failing(void **state)
{
        const struct machine *machine = *state;

        check(machine, "{'op': 'set-vcpus', 'vcpus': [{'logical-id': 99999, 'online': true}]}",
              "{'error': {'code': 'not-found', 'message': "
              "'open(\\'/sys/devices/system/cpu/cpu99999/\\'): No such file or directory'}}");
        check(machine, "{'op': 'set-vcpus', 'vcpus': [{'logical-id': -1, 'online': true}]}",
              "{'error': {'code': 'not-found', 'message': "
              "'open(\\'/sys/devices/system/cpu/cpu-1/\\'): No such file or directory'}}");
        check(machine,
              "{'op': 'set-vcpus', 'vcpus': [{'logical-id': 1, 'online': false}, {'logical-id': 3, "
              "'online': "
              "true}, {'logical-id': 2, 'online': true}]}",
              "{'return': {'processed': 1, 'stopped-by': 'open /sys/devices/system/cpu/cpu3/online: Is a "
              "directory'}}");
        assert_file(machine, CPU "cpu1/online", "0");
        assert_file(machine, CPU "cpu2/online", "0");
        check(machine, "{'op': 'set-vcpus', 'vcpus': [{'logical-id': 1}]}",
              "{'error': {'code': 'invalid', 'message': 'the request\\u0027s vcpus[0] is not valid'}}");
        check(machine, "{'op': 'set-vcpus'}",
              "{'error': {'code': 'invalid', 'message': 'the request has no list \\u0027vcpus\\u0027'}}");
}

static void test_offline_first_cpu(void **state)
{
        check(*state, "{'op': 'set-vcpus', 'vcpus': [{'logical-id': 0, 'online': false}]}",
              "{'error': {'code': 'unsupported', 'message': 'logical processor #0 can\\u0027t be "
              "offlined'}}");
}

static void test_memory_blocks(void **state)
{
        const struct machine *machine = *state;

        put(machine, MEMORY "memory3/state", "offline\n");
        check(machine, "{'op': 'set-memory-blocks', 'mem-blks': []}", "{'return': []}");
        check(machine,
              "{'op': 'set-memory-blocks', 'mem-blks': [{'phys-index': 9, 'online': true}, {'phys-index': "
              "0, "
              "'online': true}, {'phys-index': 1, 'online': true}, {'phys-index': 2, 'online': false}]}",
              "{'return': [{'phys-index': 9, 'response': 'not-found', 'error-code': 2}, "
              "{'phys-index': 0, 'response': 'success'}, {'phys-index': 1, 'response': 'success'}, "
              "{'phys-index': 2, 'response': 'operation-not-supported', 'error-code': 2}]}");
        assert_file(machine, MEMORY "memory1/state", "online");
        assert_file(machine, MEMORY "memory3/state", "offline");
}

/* What may not be written is told with its errno. */
static void test_memory_block_refused(void **state)
{
        const struct machine *machine = *state;
        g_autofree char *path = g_build_filename(machine->root, MEMORY "memory0/state", NULL);

        assert_int_equal(chmod(machine->root, 0755), 0);
        assert_int_equal(chmod(path, 0444), 0);
        assert_true(getuid() != 0 || seteuid(65534) == 0);
        check(machine, "{'op': 'set-memory-blocks', 'mem-blks': [{'phys-index': 0, 'online': false}]}",
              "{'return': [{'phys-index': 0, 'response': 'operation-failed', 'error-code': 13}]}");
        assert_true(getuid() != 0 || seteuid(0) == 0);
}

static void test_sleep(void **state)
{
        const struct machine *machine = *state;

        check(machine, "{'op': 'sleep', 'mode': 'hybrid'}", "{'return': {}}");
        assert_file(machine, "sys/power/disk", "suspend");
        assert_file(machine, "sys/power/state", "disk");
        check(machine, "{'op': 'sleep', 'mode': 'mem'}", "{'return': {}}");
        assert_file(machine, "sys/power/state", "mem");
        check(machine, "{'op': 'sleep', 'mode': 'deep'}",
              "{'error': {'code': 'invalid', 'message': 'the request has no known mode of sleep'}}");
}

#define ONLINE_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
        const struct CMUnitTest tests[] = {
                ONLINE_TEST(test_vcpus),
                ONLINE_TEST(test_vcpus_failing),
                ONLINE_TEST(test_offline_first_cpu),
                ONLINE_TEST(test_memory_blocks),
                ONLINE_TEST(test_memory_block_refused),
                ONLINE_TEST(test_sleep),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
