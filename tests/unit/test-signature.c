/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* Signatures: the texts that clients know, to the letter; and signatures that are malformed themselves. */
#include "support.h"

#include "agent/signature.h"

#define VCPUS "vcpus:[{logical-id:int,online:bool,can-offline:bool?}]"

static const struct {
        const char *signature, *args;
        const char *error; /* NULL: fits */
} rows[] = {
        {"", "{}", NULL},
        {"", "{'foo': 1}", "Parameter 'foo' is unexpected"},
        {"id:int", "{'id': 7}", NULL},
        {"id:int", "{}", "Parameter 'id' is missing"},
        {"id:int", "{'foo': 1}", "Parameter 'id' is missing"},
        {"id:int", "{'id': 1, 'foo': 1}", "Parameter 'foo' is unexpected"},
        {"id:int", "{'id': '7'}", "Invalid parameter type for 'id', expected: integer"},
        {"id:int", "{'id': 1.0}", "Invalid parameter type for 'id', expected: integer"},
        {"id:int", "{'id': true}", "Invalid parameter type for 'id', expected: integer"},
        {"id:int", "{'id': null}", "Invalid parameter type for 'id', expected: integer"},
        {"id:int", "{'id': [1]}", "Invalid parameter type for 'id', expected: integer"},
        {"id:int", "{'id': -9223372036854775808}", NULL},
        {"path:str", "{'path': 1}", "Invalid parameter type for 'path', expected: string"},
        {"path:str", "{'path': ''}", NULL},
        {"crypted:bool", "{'crypted': 1}", "Invalid parameter type for 'crypted', expected: boolean"},
        {"crypted:bool", "{'crypted': false}", NULL},
        {"x:number", "{'x': 1.5}", NULL},
        {"x:number", "{'x': 1}", NULL},
        {"x:number", "{'x': '1'}", "Invalid parameter type for 'x', expected: number"},
        {"x:any", "{'x': null}", NULL},
        {"x:any", "{'x': [{'y': {}}]}", NULL},
        {"x:any", "{}", "Parameter 'x' is missing"},
        {"mode:str?", "{}", NULL},
        {"mode:str?", "{'mode': 'halt'}", NULL},
        {"mode:str?", "{'mode': 1}", "Invalid parameter type for 'mode', expected: string"},
        {"mode:str?", "{'mode': null}", "Invalid parameter type for 'mode', expected: string"},
        {"a:int,b:str?,c:bool", "{'c': true, 'a': 1}", NULL},
        {"a:int,b:str?,c:bool", "{'b': 'x', 'c': true, 'a': 1}", NULL},
        {"a:int,b:str?,c:bool", "{'c': true}", "Parameter 'a' is missing"},
        {"a:int,b:str?,c:bool", "{'a': 1}", "Parameter 'c' is missing"},
        {"a:int?,b:int?", "{'b': 'x', 'a': 'y'}", "Invalid parameter type for 'a', expected: integer"},
        {VCPUS, "{'vcpus': []}", NULL},
        {VCPUS, "{'vcpus': [{'logical-id': 1, 'online': true}, {'online': true, 'logical-id': 2}]}", NULL},
        {VCPUS, "{'vcpus': [{'logical-id': 1}]}", "Parameter 'vcpus[0].online' is missing"},
        {VCPUS, "{'vcpus': [{'logical-id': 1, 'online': true}, {'logical-id': 'x', 'online': true}]}",
         "Invalid parameter type for 'vcpus[1].logical-id', expected: integer"},
        {VCPUS, "{'vcpus': [{'logical-id': 1, 'online': true, 'x': 1}]}",
         "Parameter 'vcpus[0].x' is unexpected"},
        {VCPUS, "{'vcpus': [7]}", "Invalid parameter type for 'vcpus[0]', expected: object"},
        {VCPUS, "{'vcpus': {}}", "Invalid parameter type for 'vcpus', expected: array"},
        {VCPUS, "{}", "Parameter 'vcpus' is missing"},
        {"keys:[str],reset:bool?", "{'keys': ['a', 'b']}", NULL},
        {"keys:[str],reset:bool?", "{'keys': ['a', 2], 'reset': true}",
         "Invalid parameter type for 'keys[1]', expected: string"},
        {"keys:[str],reset:bool?", "{'keys': ['a'], 'reset': 1}",
         "Invalid parameter type for 'reset', expected: boolean"},
        {"m:[[int]]", "{'m': [[1], [2, 'x']]}", "Invalid parameter type for 'm[1][1]', expected: integer"},
        {"whence:<int|str>", "{'whence': 1}", NULL},
        {"whence:<int|str>", "{'whence': 'set'}", NULL},
        {"whence:<int|str>", "{'whence': true}",
         "Invalid parameter type for 'whence', expected: integer or string"},
        {"whence:<int|str>", "{}", "Parameter 'whence' is missing"},
        {"c:<bool|str>?,path:str", "{'path': 'x'}", NULL},
        {"c:<bool|str>?,path:str", "{'path': 'x', 'c': true}", NULL},
        {"c:<bool|str>?,path:str", "{'path': 'x', 'c': 'merged'}", NULL},
        {"c:<bool|str>?,path:str", "{'c': 'merged'}", "Parameter 'path' is missing"},
        {"x:<{a:int}|[int]>,y:int", "{'x': [1, 2], 'y': 1}", NULL},
        {"x:<{a:int}|[int]>,y:int", "{'x': {'a': 1}, 'y': 1}", NULL},
        {"x:<{a:int}|[int]>,y:int", "{'x': {'b': 1}, 'y': 1}",
         "Invalid parameter type for 'x', expected: {a:int} or [int]"},
        {"c:<bool|str>?", "{'c': 7}", "Invalid parameter type for 'c', expected: boolean or string"},
        {"o:{}", "{'o': {}}", NULL},
        {"o:{}", "{'o': {'x': 1}}", "Parameter 'o.x' is unexpected"},
};

static void test_check(void **state)
{
        (void) state;
        for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
                json_auto_t *args = json_of(rows[i].args);
                g_autoptr(GError) error = NULL;
                bool ok = tn_signature_check(rows[i].signature, args, &error);

                if (ok != !rows[i].error || (error && !g_str_equal(error->message, rows[i].error)))
                        fail_msg("\"%s\" and %s: %s", rows[i].signature, rows[i].args,
                                 error ? error->message : "fits");
                assert_int_equal(ok, !error);
                if (error)
                        assert_true(g_error_matches(error, TN_ERROR, TN_ERROR_INVALID));
        }
}

static void test_all_of_them_are_valid(void **state)
{
        (void) state;
        for (size_t i = 0; i < G_N_ELEMENTS(rows); i++)
                assert_true(tn_signature_valid(rows[i].signature));
}

static void test_malformed(void **state)
{
        static const char *const bad[] = {
                "id",       "id:",           ":int",      "id:integer", "id:int,",
                ",id:int",  "id:int,,x:int", "id:int??",  "id:?",       "id:[int",
                "id:int]",  "id:[]",         "id:{a:int", "id:a:int}",  "id:<int",
                "id:int>",  "id:<>",         "id:<int|>", "id:<|int>",  "id:int x:int",
                "id:float", "id:[int]]",     "}",         "id:int}",    "id:[[[[[[[[[int]]]]]]]]]",
                "id?:int",  "id:int?,",      "?",
        };

        (void) state;
        for (size_t i = 0; i < G_N_ELEMENTS(bad); i++)
                if (tn_signature_valid(bad[i]))
                        fail_msg("\"%s\" is accepted", bad[i]);
        assert_true(tn_signature_valid("id:[[[[int]]]]"));
}

/* A value may be nested deeper than any signature; "any" does not look inside. */
static void test_deep_value(void **state)
{
        json_t *value = json_array();
        json_auto_t *args = NULL;
        g_autoptr(GError) error = NULL;

        (void) state;
        for (unsigned i = 0; i < 1000; i++)
                value = json_pack("[o]", value);
        args = json_pack("{s:o}", "x", value);
        assert_true(tn_signature_check("x:any", args, &error));
        assert_false(tn_signature_check("x:[[int]]", args, &error));
        assert_string_equal(error->message, "Invalid parameter type for 'x[0][0]', expected: integer");
}

/* Every cut of a valid signature is safe to walk. */
static void test_truncated_signatures(void **state)
{
        static const char whole[] = "a:int?,b:[{c:str,d:<int|[bool]>?}],e:{f:any}";

        (void) state;
        for (size_t len = 0; len < sizeof whole; len++) {
                g_autofree char *cut = g_strndup(whole, len);

                (void) tn_signature_valid(cut);
        }
        assert_true(tn_signature_valid(whole));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_check),
                cmocka_unit_test(test_all_of_them_are_valid),
                cmocka_unit_test(test_malformed),
                cmocka_unit_test(test_deep_value),
                cmocka_unit_test(test_truncated_signatures),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
