/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * Judges each recorded machine of tests/machines (argv[1]) that has a drivers.json: platform, devices,
 * advice, what is absent and what would be loaded. A recording of the recording must be judged the same.
 */
#define _GNU_SOURCE /* nftw */
#include <jansson.h>

#include "detect/machine.h"
#include "detect/test-folder.h"
#include "lib/json.h"
#include "pvdrivers/device-record.h"
#include "pvdrivers/load.h"

#define MACHINES_MIN 12

/* The words of one device that matter here. */
static json_t *short_device(const json_t *device)
{
        static const char *const members[] = {"bus",    "device", "kind",       "role",  "driver",
                                              "module", "state",  "interfaces", "disks", "problem"};
        const json_t *advice = json_object_get(device, "advice");
        json_t *object = json_object();

        for (size_t i = 0; i < G_N_ELEMENTS(members); i++)
                if (json_object_get(device, members[i]))
                        json_object_set(object, members[i], json_object_get(device, members[i]));
        if (advice) {
                json_object_set(object, "better", json_object_get(advice, "module"));
                json_object_set(object, "better-state", json_object_get(advice, "state"));
        }
        return object;
}

/* Devices in short, parts of the board by number, and the hosts whose words are given. */
static json_t *short_devices(const json_t *devices, json_t *hosts, size_t *ret_others)
{
        json_t *list = json_array(), *device, *change;
        size_t i, j, others = 0;

        json_array_foreach(devices, i, device)
        {
                if (strcmp(json_string_value(json_object_get(device, "kind")), "other") == 0)
                        others++;
                else
                        json_array_append_new(list, short_device(device));
                json_array_foreach(json_object_get(json_object_get(device, "advice"), "changes"), j, change)
                        json_object_set_new(hosts, json_string_value(json_object_get(change, "host")),
                                            json_true());
        }
        *ret_others = others;
        return list;
}

static json_t *column(const json_t *list, const char *key)
{
        json_t *names = json_array(), *row;
        size_t i;

        json_array_foreach(list, i, row) json_array_append(names, json_object_get(row, key));
        return names;
}

static json_t *load_lines(const struct tn_env *env, const struct tn_catalogue *catalogue,
                          const struct tn_inventory *inventory)
{
        g_autoptr(GPtrArray) steps = tn_load_decide(env, catalogue, inventory);
        json_t *lines = json_array();

        for (guint i = 0; i < steps->len; i++) {
                g_autofree char *line = tn_load_line(steps->pdata[i]);

                json_array_append_new(lines, json_string(line));
        }
        return lines;
}

static json_t *judge(const struct tn_env *env)
{
        g_autoptr(tn_catalogue_t) catalogue = tn_catalogue_new(env, NULL);
        g_autoptr(tn_detect_t) detect = tn_detect_run(env);
        g_autoptr(tn_kernels_t) kernels = tn_kernels_new(env);
        g_autoptr(tn_inventory_t) inventory = tn_inventory_new(env, catalogue, detect, kernels);
        json_auto_t *all = tn_inventory_to_json(inventory);
        json_t *hosts = json_object(), *devices;
        size_t others = 0;

        devices = short_devices(json_object_get(all, "devices"), hosts, &others);
        return json_pack("{s:O, s:o, s:I, s:o, s:o, s:o, s:o}", "platform", json_object_get(all, "platform"),
                         "devices", devices, "others", (json_int_t) others, "hosts", hosts, "without-device",
                         column(json_object_get(all, "without-device"), "module"), "absent",
                         column(json_object_get(all, "absent"), "role"), "load",
                         load_lines(env, catalogue, inventory));
}

static void compare(const char *dir, const struct tn_env *env)
{
        g_autofree char *path = g_build_filename(dir, "drivers.json", NULL), *text = NULL;
        json_auto_t *expected = json_load_file(path, JSON_REJECT_DUPLICATES, NULL);
        json_auto_t *answer = judge(env);

        if (json_equal(expected, answer))
                return;
        text = tn_json_pretty(answer);
        (void) fprintf(stderr, "%s disagrees with:\n%s\n", path,
                       text); /* a message of cmocka's ends at 1 KiB */
        fail_msg("not what %s says", path);
}

static void test_machine(void **state)
{
        const char *dir = *state;
        g_autoptr(GError) error = NULL;
        g_autofree char *copy = folder_new();
        struct tn_env env;

        if (!tn_machine_open(&env, dir, &error))
                fail_msg("%s", error->message);
        compare(dir, &env);
        if (!tn_device_record(&env, copy, &error))
                fail_msg("%s", error->message);
        tn_machine_close(&env);
        assert_true(tn_machine_open(&env, copy, NULL));
        compare(dir, &env);
        tn_machine_close(&env);
        folder_free(g_steal_pointer(&copy));
}

int main(int argc, char **argv)
{
        g_autoptr(GDir) dir = g_dir_open(argc > 1 ? argv[1] : "", 0, NULL);
        g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
        g_autofree struct CMUnitTest *tests = NULL;
        const char *name;

        while (dir && (name = g_dir_read_name(dir))) {
                g_autofree char *expected = g_build_filename(argv[1], name, "drivers.json", NULL);

                if (g_file_test(expected, G_FILE_TEST_EXISTS))
                        g_ptr_array_add(names, g_path_get_dirname(expected));
        }
        if (names->len < MACHINES_MIN) {
                (void) fprintf(stderr, "%u machines with drivers.json in the folder that argv[1] names\n",
                               names->len);
                return 1;
        }
        tests = g_new0(struct CMUnitTest, names->len);
        for (unsigned i = 0; i < names->len; i++)
                tests[i] = (struct CMUnitTest){
                        .name = strrchr(names->pdata[i], '/') + 1,
                        .test_func = test_machine,
                        .initial_state = names->pdata[i],
                };
        return _cmocka_run_group_tests("machines", tests, names->len, NULL, NULL);
}
