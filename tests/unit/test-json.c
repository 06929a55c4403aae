/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* What JSON looks like on the wire, and that no bytes whatever make a reply impossible. */
#include "support.h"

#include "lib/json.h"

static void assert_line(json_t *value, const char *wanted)
{
        g_autofree char *line = tn_json_line(value);

        json_decref(value);
        assert_string_equal(line, wanted);
}

static void test_line_is_as_qemu_prints(void **state)
{
        (void) state;
        assert_line(json_of("{'b': 1, 'a': [true, null, 'x']}"), "{\"b\": 1, \"a\": [true, null, \"x\"]}");
        assert_line(json_object(), "{}");
        assert_line(json_array(), "[]");
        assert_line(json_integer(7), "7");
}

static void test_non_ascii(void **state)
{
        (void) state;
        assert_line(tn_json_text("\xc3\xa9"), "\"\\u00E9\"");
        assert_line(tn_json_text("\xf0\x9f\x98\x80"), "\"\\uD83D\\uDE00\"");
        assert_line(tn_json_text("a\nb\x01"), "\"a\\nb\\u0001\"");
}

static void test_bytes_that_are_not_text(void **state)
{
        (void) state;
        assert_line(tn_json_text("a\xff"
                                 "b"),
                    "\"a\\uFFFDb\"");
        assert_line(tn_json_text("\xc0\x80"), "\"\\uFFFD\\uFFFD\"");
        assert_line(tn_json_text("\xed\xa0\x80"), "\"\\uFFFD\\uFFFD\\uFFFD\"");
        assert_line(tn_json_text_len("a\0b", 3), "\"a\\u0000b\"");
        assert_line(tn_json_text_len("abc", 2), "\"ab\"");
        assert_line(tn_json_text(NULL), "null");
        assert_line(tn_json_text(""), "\"\"");
}

static void test_optional_text(void **state)
{
        json_t *object = json_object();

        (void) state;
        tn_json_set_text(object, "there", "x");
        tn_json_set_text(object, "absent", NULL);
        assert_json(object, "{'there': 'x'}");
}

/* Our printer beside jansson's. */
static void assert_as_jansson(const json_t *value)
{
        g_autofree char *line = tn_json_line(value);
        char *wanted = json_dumps(value, JSON_ENSURE_ASCII | JSON_ENCODE_ANY | JSON_REAL_PRECISION(16));

        assert_string_equal(line, wanted);
        free(wanted);
}

static void test_texts(void **state)
{
        g_autoptr(GPtrArray) texts = g_ptr_array_new();
        json_auto_t *none = tn_json_texts(texts), *two = NULL;
        g_autofree char *line = NULL;

        (void) state;
        assert_int_equal(json_array_size(none), 0);
        g_ptr_array_add(texts, (void *) "a");
        g_ptr_array_add(texts, (void *) "b\xff");
        g_ptr_array_add(texts, NULL);
        g_ptr_array_add(texts, (void *) "behind the end");
        two = tn_json_texts(texts);
        line = tn_json_line(two);
        assert_string_equal(line, "[\"a\", \"b\\uFFFD\"]");
}

static void test_line_is_as_jansson_prints(void **state)
{
        static const json_int_t integers[] = {0, 1, -1, 9, 10, -10, 12345678, INT64_MAX, INT64_MIN};
        static const double reals[] = {0.0,    -0.0, 1.0, 0.37, -2.5, 1e300, 1e-300, 123456789012345678.0,
                                       1.0 / 3};
        json_t *list = json_array(), *object = json_object();

        (void) state;
        for (size_t i = 0; i < G_N_ELEMENTS(integers); i++)
                json_array_append_new(list, json_integer(integers[i]));
        for (size_t i = 0; i < G_N_ELEMENTS(reals); i++)
                json_array_append_new(list, json_real(reals[i]));
        for (gunichar c = 0; c <= 0x10FFFF; c += c < 0x900 ? 1 : 0xFD) {
                char text[8] = "x";
                int len = g_unichar_validate(c) ? g_unichar_to_utf8(c, text + 1) : 0;

                text[1 + len] = 'y';
                json_array_append_new(list, json_stringn(text, (size_t) len + 2));
        }
        json_object_set_new(object, "", json_null());
        json_object_set_new(object, "\"\xc3\xa9\\",
                            json_pack("{s:[], s:{}, s:b, s:b}", "e", "o", "t", 1, "f", 0));
        json_object_set_new(object, "list", list);
        assert_as_jansson(object);
        json_decref(object);
}

static void test_value_without_end(void **state)
{
        json_t *value = json_array(), *inner = value;
        g_autofree char *line = NULL;

        (void) state;
        for (int i = 0; i < 5000; i++) {
                json_t *next = json_array();

                json_array_append_new(inner, next);
                inner = next;
        }
        line = tn_json_line(value);
        assert_true(g_str_has_prefix(line, "[[[["));
        assert_non_null(strstr(line, "[null]")); /* cut, not crashed */
        json_decref(value);
}

static void test_pretty(void **state)
{
        json_t *value = json_of("{'a': [1]}");
        g_autofree char *text = tn_json_pretty(value);

        (void) state;
        json_decref(value);
        assert_string_equal(text, "{\n  \"a\": [\n    1\n  ]\n}");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_line_is_as_qemu_prints),
                cmocka_unit_test(test_non_ascii),
                cmocka_unit_test(test_bytes_that_are_not_text),
                cmocka_unit_test(test_optional_text),
                cmocka_unit_test(test_texts),
                cmocka_unit_test(test_line_is_as_jansson_prints),
                cmocka_unit_test(test_value_without_end),
                cmocka_unit_test(test_pretty),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
