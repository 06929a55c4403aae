/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * Recording: for each machine of tests/machines (argv[1]), what the recording of the recording says is to
 * the letter what the machine says, evidence included; this process' own machine, too. And what may not
 * be in a recording is not.
 */
#define _GNU_SOURCE /* nftw */
#include <jansson.h>

#include "detect/detect.h"
#include "detect/machine.h"
#include "detect/test-folder.h"
#include "lib/json.h"

static json_t *judge_env(const struct tn_env *env)
{
        g_autoptr(tn_detect_t) detect = tn_detect_run(env);

        return tn_detect_to_json(detect);
}

static json_t *judge_dir(const char *dir)
{
        g_autoptr(GError) error = NULL;
        struct tn_env env;
        json_t *answer;

        if (!tn_machine_open(&env, dir, &error))
                fail_msg("%s", error->message);
        answer = judge_env(&env);
        tn_machine_close(&env);
        return answer;
}

static void round_trip(const struct tn_env *env)
{
        char *folder = folder_new();
        g_autoptr(GError) error = NULL;
        json_t *before = judge_env(env), *after;

        if (!tn_machine_record(env, folder, &error))
                fail_msg("%s", error->message);
        after = judge_dir(folder);
        if (!json_equal(before, after)) {
                g_autofree char *a = tn_json_line(before), *b = tn_json_line(after);

                fail_msg("%s became %s", a, b);
        }
        json_decref(before);
        json_decref(after);
        folder_free(folder);
}

static void test_machine_round_trip(void **state)
{
        g_autoptr(GError) error = NULL;
        struct tn_env env;

        if (!tn_machine_open(&env, *state, &error))
                fail_msg("%s", error->message);
        round_trip(&env);
        tn_machine_close(&env);
}

static void test_own_machine_round_trip(void **state)
{
        struct tn_env env;

        (void) state;
        assert_true(tn_env_init_system(&env, NULL, NULL));
        round_trip(&env);
        tn_env_deinit(&env);
}

/* Everything that a machine knows of its owner, where the detector reads. */
static void fill_with_secrets(const char *folder)
{
        static const char environ_block[] = "PASSWORD=SECRET-env\0container=lxc\0HOSTNAME=SECRET-host";

        folder_put(folder, "root/proc/cmdline", "root=UUID=SECRET-uuid hostname=SECRET-name pci=off\n");
        folder_write(folder, "root/proc/1/environ", environ_block, sizeof environ_block);
        folder_put(folder, "root/proc/self/status", "Name:\tSECRET-name\nTracerPid:\t0\n");
        folder_put(folder, "root/proc/self/cgroup", "0::/docker/SECRET-id\n");
        folder_put(folder, "root/proc/sysinfo",
                   "LPAR Number: 1\nLPAR Name: SECRET-lpar\nVM00 Name: SECRET-vm\n");
        folder_put(folder, "root/proc/ppc64/lparcfg",
                   "serial_number=SECRET-serial\nshared_processor_mode=1\n");
        folder_put(folder, "root/proc/cpuinfo",
                   "vendor_id: X\nhost: SECRET-host\nmodel name: SECRET-model\n");
        folder_put(folder, "root/proc/version", "Linux version 6.1 (SECRET-user@SECRET-builder)\n");
        folder_put(folder, "root/sys/class/dmi/id/product_serial", "SECRET-serial\n");
        folder_put(folder, "root/sys/class/dmi/id/product_uuid", "SECRET-uuid\n");
        folder_put(folder, "root/sys/class/dmi/id/chassis_asset_tag", "SECRET-tag\n");
        folder_put(folder, "root/sys/hypervisor/uuid", "ec2SECRET-uuid\n");
        folder_put(folder, "root/proc/device-tree/ibm,partition-name", "SECRET-partition");
        folder_put(folder, "root/sys/firmware/dmi/entries/11-0/raw",
                   "SECRET-credential vboxVer_SECRET-version");
        folder_put(folder, "root/run/.containerenv", "name=SECRET-name\n");
        folder_put(folder, "root/.dockerenv", "SECRET-docker\n");
}

static void test_no_secrets(void **state)
{
        char *machine = folder_new(), *recording = folder_new();
        g_autoptr(GString) dump = g_string_new(NULL);
        struct tn_env env;

        (void) state;
        fill_with_secrets(machine);
        assert_true(tn_machine_open(&env, machine, NULL));
        assert_true(tn_machine_record(&env, recording, NULL));
        tn_machine_close(&env);
        folder_dump(recording, dump);
        assert_null(strstr(dump->str, "SECRET"));
        assert_non_null(strstr(dump->str, "container=lxc"));
        assert_non_null(strstr(dump->str, "pci=off"));
        assert_non_null(strstr(dump->str, "vboxVer_"));
        folder_free(machine);
        folder_free(recording);
}

static void test_refuses_a_full_directory(void **state)
{
        char *folder = folder_new();
        g_autoptr(GError) error = NULL;
        struct tn_env env;

        (void) state;
        folder_put(folder, "precious.txt", "mine\n");
        assert_true(tn_env_init_system(&env, NULL, NULL));
        assert_false(tn_machine_record(&env, folder, &error));
        assert_non_null(strstr(error->message, "is not empty"));
        g_clear_error(&error);
        assert_false(tn_machine_record(&env, "/proc/nowhere", &error));
        assert_non_null(strstr(error->message, "/proc/nowhere"));
        tn_env_deinit(&env);
        folder_free(folder);
}

static void test_makes_the_directory(void **state)
{
        char *folder = folder_new();
        g_autofree char *inner = g_build_filename(folder, "new", NULL);
        g_autofree char *machine_txt = g_build_filename(inner, "machine.txt", NULL), *text = NULL;
        struct tn_env env;

        (void) state;
        assert_true(tn_env_init_system(&env, NULL, NULL));
        assert_true(tn_machine_record(&env, inner, NULL));
        assert_true(g_file_get_contents(machine_txt, &text, NULL, NULL));
        g_strstrip(text);
        assert_string_equal(text, env.machine);
        tn_env_deinit(&env);
        folder_free(folder);
}

int main(int argc, char **argv)
{
        const struct CMUnitTest plain[] = {
                cmocka_unit_test(test_own_machine_round_trip),
                cmocka_unit_test(test_no_secrets),
                cmocka_unit_test(test_refuses_a_full_directory),
                cmocka_unit_test(test_makes_the_directory),
        };
        g_autoptr(GDir) dir = g_dir_open(argc > 1 ? argv[1] : "", 0, NULL);
        g_autoptr(GArray) tests = g_array_new(FALSE, FALSE, sizeof(struct CMUnitTest));
        g_autoptr(GPtrArray) paths = g_ptr_array_new_with_free_func(g_free);
        const char *name;

        while (dir && (name = g_dir_read_name(dir))) {
                struct CMUnitTest test = {.test_func = test_machine_round_trip};

                g_ptr_array_add(paths, g_build_filename(argv[1], name, NULL));
                test.initial_state = paths->pdata[paths->len - 1];
                test.name = strrchr(paths->pdata[paths->len - 1], '/') + 1;
                g_array_append_val(tests, test);
        }
        if (tests->len == 0)
                return 1;
        g_array_append_vals(tests, plain, G_N_ELEMENTS(plain));
        return _cmocka_run_group_tests("record", (struct CMUnitTest *) (void *) tests->data, tests->len,
                                       NULL, NULL);
}
