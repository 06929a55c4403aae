/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* The pure parts: text for a terminal, messages, words of the command line, values for people. */
#include "host/fake.h"

#include <string.h>

#include "host/arguments.h"
#include "host/escape.h"
#include "host/message.h"
#include "host/print.h"
#include "host/trouble.h"

static void test_escape(void **state)
{
        static const struct {
                const char *text, *wanted;
                unsigned flags;
                size_t len; /* 0: the whole text */
        } rows[] = {
                {"plain \\ text", "plain \\ text"},
                {"\x1b[31mred", "\\x1b[31mred"},
                {"\x1b]0;title\x07", "\\x1b]0;title\\x07"},
                {"a\r\n\tb", "a\\r\\n\\tb"},
                {"a\r\n\tb", "a\\r\n\tb", TN_ESCAPE_LINES},
                {"a\0b", "a\\x00b", 0, 3},
                {"del\x7f", "del\\x7f"},
                {"C1 \xc2\x9b"
                 "31m",
                 "C1 \\u009b31m"},
                {"\xc3\xa4\xe4\xb8\xad\xf0\x9f\x98\x80", "\xc3\xa4\xe4\xb8\xad\xf0\x9f\x98\x80"},
                {"\xc3\xa4", "\\u00e4", TN_ESCAPE_ASCII},
                {"\xf0\x9f\x98\x80", "\\U0001f600", TN_ESCAPE_ASCII},
                {"a\xe2\x80\xae"
                 "b\xe2\x81\xa6",
                 "a\\u202eb\\u2066"},
                {"\xe2\x80\x8f\xd8\x9c\xef\xbb\xbf\xe2\x80\xa8", "\\u200f\\u061c\\ufeff\\u2028"},
                {"\xf3\xa0\x81\x81", "\\U000e0041"},
                {"bad \xff\x80", "bad \\xff\\x80"},
                {"overlong \xc0\xaf", "overlong \\xc0\\xaf"},
                {"surrogate \xed\xa0\x80", "surrogate \\xed\\xa0\\x80"},
                {"cut \xe4\xb8", "cut \\xe4\\xb8"},
                {"\xef\xbf\xbd", "\xef\xbf\xbd"},
                {"", ""},
        };

        (void) state;
        for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
                size_t len = rows[i].len ? rows[i].len : strlen(rows[i].text);
                g_autofree char *text = tn_escape(rows[i].text, len, rows[i].flags);

                assert_string_equal(text, rows[i].wanted);
        }
}

/* No byte string whatever gives a control character. */
static void test_escape_everything(void **state)
{
        char text[256];

        (void) state;
        for (unsigned round = 0; round < 2000; round++) {
                g_autofree char *out = NULL;

                for (size_t i = 0; i < sizeof text; i++)
                        text[i] = (char) g_random_int();
                out = tn_escape(text, sizeof text, round % 2 ? TN_ESCAPE_ASCII : 0);
                assert_true(g_utf8_validate(out, -1, NULL));
                for (const char *at = out; *at; at = g_utf8_next_char(at))
                        assert_false(g_unichar_iscntrl(g_utf8_get_char(at)));
        }
}

static json_t *parse(const char *text)
{
        json_t *value = NULL;

        assert_true(tn_message_parse(text, strlen(text), &value, NULL));
        return value;
}

static void test_kinds(void **state)
{
        static const struct {
                const char *text;
                enum tn_message_kind kind;
        } rows[] = {
                {"{\"QMP\": {}}", TN_MESSAGE_GREETING},
                {"{\"event\": \"A\"}", TN_MESSAGE_EVENT},
                {"{\"return\": null}", TN_MESSAGE_REPLY},
                {"{\"error\": {}}", TN_MESSAGE_REPLY},
                {"{\"QMP\": 5}", TN_MESSAGE_OTHER},
                {"{\"event\": 5}", TN_MESSAGE_OTHER},
                {"{}", TN_MESSAGE_OTHER},
        };

        (void) state;
        for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
                json_auto_t *message = parse(rows[i].text);

                assert_int_equal(tn_message_get_kind(message), rows[i].kind);
        }
}

static void assert_refused(const char *text, const char *why)
{
        GError *error = NULL;
        json_t *value = NULL;

        assert_false(tn_message_parse(text, strlen(text), &value, &error));
        assert_null(value);
        assert_trouble(error, TN_TROUBLE_LINK, why);
}

static void test_hostile_json(void **state)
{
        g_autofree char *deep = g_strnfill(100000, '['), *many = g_strnfill(TN_MESSAGE_TOKENS_MAX + 1, ',');
        g_autofree char *nested = g_strconcat("{\"return\": ", deep, NULL);

        (void) state;
        assert_refused("", "no JSON");
        assert_refused("5", "no JSON");
        assert_refused("[]", "no object");
        assert_refused("{\"a\": 1, \"a\": 2}", "no JSON");
        assert_refused("{\"a\": \"\xff\"}", "no JSON");
        assert_refused("{\"a\": 1} x", "no JSON");
        assert_refused(nested, "no JSON");
        assert_refused(many, "more than 1048576 values");
}

static void test_unwrap(void **state)
{
        json_auto_t *good = parse("{\"return\": 5}"), *bad = parse("{\"error\": {\"desc\": \"no\"}}");
        json_auto_t *odd = parse("{\"error\": {\"desc\": 5}}"), *value = NULL;
        g_autofree char *text = g_strnfill(5000, 'x');
        json_auto_t *endless = json_pack("{s:{s:s}}", "error", "desc", text);
        GError *error = NULL;
        json_t *untouched = NULL;

        (void) state;
        assert_true(tn_message_unwrap(good, &value, NULL));
        assert_int_equal(json_integer_value(value), 5);
        assert_false(tn_message_unwrap(bad, &untouched, &error));
        assert_trouble(error, TN_TROUBLE_GUEST, "the guest answers: no");
        assert_false(tn_message_unwrap(odd, &untouched, &error));
        assert_trouble(error, TN_TROUBLE_LINK, "neither a value nor an error");
        assert_false(tn_message_unwrap(endless, &untouched, &error));
        assert_true(strlen(error->message) < TN_MESSAGE_DESC_MAX + 50);
        assert_trouble(error, TN_TROUBLE_GUEST, "xxx");
        assert_null(untouched);
}

static void test_arguments(void **state)
{
        const char *words[] = {"n=5",     "f=-1.5", "t=true", "z=null", "s=text", "q=\"5\"",
                               "a=[1,2]", "e=a=b",  "x=",     "l=007",  NULL};
        const char *object[] = {"{\"a\": {\"b\": 1}}", NULL};
        const char *nothing[] = {NULL};
        json_auto_t *value = NULL, *wanted = NULL, *whole = NULL;
        json_t *none = (json_t *) &value;

        (void) state;
        assert_true(tn_arguments_parse((char **) words, &value, NULL));
        wanted = json_loads(
                "{\"n\": 5, \"f\": -1.5, \"t\": true, \"z\": null, \"s\": \"text\", \"q\": \"5\","
                " \"a\": [1, 2], \"e\": \"a=b\", \"x\": \"\", \"l\": \"007\"}",
                0, NULL);
        assert_true(json_equal(value, wanted));
        assert_true(tn_arguments_parse((char **) object, &whole, NULL));
        assert_int_equal(json_object_size(json_object_get(whole, "a")), 1);
        assert_true(tn_arguments_parse((char **) nothing, &none, NULL));
        assert_null(none);
}

static void test_wrong_arguments(void **state)
{
        static const struct {
                const char *words[3], *why;
        } rows[] = {
                {{"word"}, "neither KEY=VALUE nor"},
                {{"=5"}, "neither KEY=VALUE nor"},
                {{"a=1", "a=2"}, "given twice"},
                {{"{\"a\": }"}, "no JSON object"},
                {{"a=\xff"}, "not UTF-8"},
                {{"\xff=a"}, "not UTF-8"},
                {{"{}", "a=1"}, "neither KEY=VALUE nor"},
                {{"{\"a\":1,\"a\":1}"}, "no JSON object"},
        };
        GError *error = NULL;
        json_t *value = NULL;

        (void) state;
        for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
                assert_false(tn_arguments_parse((char **) rows[i].words, &value, &error));
                assert_null(value);
                assert_trouble(error, TN_TROUBLE_LOCAL, rows[i].why);
        }
}

static void assert_outline(const char *text, const char *wanted)
{
        json_auto_t *value = json_loads(text, JSON_DECODE_ANY, NULL);
        g_autofree char *outline = tn_print_outline(value);

        assert_non_null(value);
        assert_string_equal(outline, wanted);
}

static void test_outline(void **state)
{
        (void) state;
        assert_outline("5", "5\n");
        assert_outline("\"a\\u001bb\"", "a\\x1bb\n");
        assert_outline("{}", "");
        assert_outline("{\"a\": 1, \"b\": {\"c\\n\": [1, 2]}}", "a: 1\nb:\n  c\\n: 1 2\n");
        assert_outline("[{\"name\": \"x\", \"on\": true}, {\"name\": \"\\u001by\"}]",
                       "NAME  ON\nx     true\n\\x1by\n");
        assert_outline("[{\"a\": {\"b\": 1}}, {\"a\": 2}]", "a:\n  b: 1\n\na: 2\n");
        assert_outline("{\"list\": [{\"n\": 1}]}", "list:\n  N\n  1\n");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_escape),          cmocka_unit_test(test_escape_everything),
                cmocka_unit_test(test_kinds),           cmocka_unit_test(test_hostile_json),
                cmocka_unit_test(test_unwrap),          cmocka_unit_test(test_arguments),
                cmocka_unit_test(test_wrong_arguments), cmocka_unit_test(test_outline),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
