/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * Judges each recorded machine of tests/machines (argv[1]) against its expected.json: the primary, whether
 * it is virtual, and exactly the expected facts, by kind and id. One test a machine.
 */
#define _GNU_SOURCE /* nftw */
#include <jansson.h>

#include "detect/detect.h"
#include "detect/machine.h"
#include "detect/test-folder.h"
#include "lib/json.h"

#define MACHINES_MIN 55 /* fewer means that the folder was not found */

static json_t *judge(const char *dir)
{
        g_autoptr(GError) error = NULL;
        g_autoptr(tn_detect_t) detect = NULL;
        struct tn_env env;

        if (!tn_machine_open(&env, dir, &error))
                fail_msg("%s", error->message);
        detect = tn_detect_run(&env);
        tn_machine_close(&env);
        return tn_detect_to_json(detect);
}

/* Takes confidence and evidence out, after a look at them. */
static void strip_facts(json_t *answer)
{
        json_t *fact;
        size_t i;

        json_array_foreach(json_object_get(answer, "facts"), i, fact)
        {
                json_int_t confidence = json_integer_value(json_object_get(fact, "confidence"));

                assert_in_range(confidence, 1, 100);
                assert_true(strlen(json_string_value(json_object_get(fact, "evidence"))) > 0);
                assert_int_equal(json_object_del(fact, "confidence"), 0);
                assert_int_equal(json_object_del(fact, "evidence"), 0);
        }
}

static bool array_has(const json_t *array, const json_t *value)
{
        json_t *element;
        size_t i;

        json_array_foreach(array, i, element) if (json_equal(element, value)) return true;
        return false;
}

static void compare_facts(const json_t *answer, const json_t *expected)
{
        const json_t *facts = json_object_get(answer, "facts"), *wanted = json_object_get(expected, "facts");
        json_t *fact;
        size_t i;

        json_array_foreach(wanted, i, fact) if (!array_has(facts, fact))
        {
                g_autofree char *a = tn_json_line(facts), *b = tn_json_line(fact);

                fail_msg("%s is not among %s", b, a);
        }
        json_array_foreach(facts, i, fact) if (!array_has(wanted, fact))
        {
                g_autofree char *a = tn_json_line(fact);

                fail_msg("%s was not expected", a);
        }
}

static void test_machine(void **state)
{
        const char *dir = *state;
        g_autofree char *path = g_build_filename(dir, "expected.json", NULL);
        g_autofree char *about_path = g_build_filename(dir, "about.txt", NULL), *about = NULL;
        json_t *expected = json_load_file(path, JSON_REJECT_DUPLICATES, NULL), *answer = judge(dir);

        assert_non_null(expected);
        assert_true(g_file_get_contents(about_path, &about, NULL, NULL));
        assert_ptr_equal(strchr(about, '\n'), about + strlen(about) - 1);
        strip_facts(answer);
        compare_facts(answer, expected);
        assert_true(json_equal(json_object_get(answer, "primary"), json_object_get(expected, "primary")));
        assert_true(json_equal(json_object_get(answer, "virtual"), json_object_get(expected, "virtual")));
        assert_int_equal(json_object_size(answer), 3);
        json_decref(expected);
        json_decref(answer);
}

int main(int argc, char **argv)
{
        g_autoptr(GDir) dir = g_dir_open(argc > 1 ? argv[1] : "", 0, NULL);
        g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
        g_autofree struct CMUnitTest *tests = NULL;
        const char *name;

        while (dir && (name = g_dir_read_name(dir)))
                g_ptr_array_add(names, g_build_filename(argv[1], name, NULL));
        if (names->len < MACHINES_MIN) {
                (void) fprintf(stderr, "%u machines in the folder that argv[1] names\n", names->len);
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
