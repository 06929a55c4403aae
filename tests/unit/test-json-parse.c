/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* Whatever the text, the value is jansson's own; only long strings take another way. */
#include "support.h"

#include <string.h>

#include "lib/json.h"

#define FLAGS (JSON_REJECT_DUPLICATES | JSON_DECODE_ANY | JSON_ALLOW_NUL)

/* @format has one %s for each long string; " is written as '. */
static char *text_of(const char *format, const char *one, const char *two)
{
        g_auto(GStrv) parts = g_strsplit(format, "%s", 3);
        GString *text = g_string_new(parts[0]);

        if (parts[1])
                g_string_append_printf(text, "%s%s", one, parts[1]);
        if (parts[1] && parts[2])
                g_string_append_printf(text, "%s%s", two, parts[2]);
        return g_strdelimit(g_string_free(text, FALSE), "'", '"');
}

static void assert_like_jansson(const char *text, size_t len)
{
        json_error_t error = {0}, wanted_error;
        json_auto_t *got = tn_json_parse(text, len, &error);
        json_auto_t *wanted = json_loadb(text, len, FLAGS, &wanted_error);

        if (!got != !wanted || (got && !json_equal(got, wanted)))
                fail_msg("%.100s… is read otherwise than by jansson", text);
        if (!got)
                assert_true(*error.text != '\0');
}

static void test_like_jansson(void **state)
{
        static const char *const formats[] = {
                "'%s'",
                "{'a': '%s'}",
                "{'a': '%s', 'b': ['%s', 1], 'c': {'d': 'short'}}",
                "['%s', '%s']",
                "{'%s': 1}",
                "{'%s' : '%s'}",
                "{'a': '%s', 'a': '%s'}",
                "{'a': '\\n%s'}",
                "{'a': '%s\\'%s'}",
                "{'a': '%s\\\\'}",
                "{'a': '\u00e9%s'}",
                "{'a': '%s\xff'}",
                "{'a': '%s\n'}",
                "{'a': '%s",
                "{'a': '%s\\",
                "{'a': '%s'",
                "{'a': '%s'} x",
                "{'a': %s}",
                /* What looks like a stand-in for a cut. */
                "{'a': '%s', 'b': '\\u0000cut 0'}",
                "{'b': '\\u0000cut 0', 'a': '%s'}",
                "['\\u0000cut 1', '%s', '\\u0000cut 0', '%s']",
                "['\\u0000cut 7', '%s']",
                "['\\u0000cut x', '%s', '\\u0000', '\\u0000cut ']",
        };
        static const size_t lengths[] = {1, 63, 64, 16383, 16384, 16385, 100000};

        (void) state;
        for (size_t i = 0; i < G_N_ELEMENTS(formats); i++)
                for (size_t j = 0; j < G_N_ELEMENTS(lengths); j++) {
                        g_autofree char *one = g_strnfill(lengths[j], 'A'),
                                        *two = g_strnfill(lengths[j], 'B');
                        g_autofree char *text = text_of(formats[i], one, two);

                        assert_like_jansson(text, strlen(text));
                }
}

static void test_a_nul_byte(void **state)
{
        g_autofree char *text = g_strnfill(40000, 'A');

        (void) state;
        text[0] = text[39999] = '"';
        assert_like_jansson(text, 40000);
        text[20000] = '\0';
        assert_like_jansson(text, 40000);
}

static void test_plain_span(void **state)
{
        char text[300];

        (void) state;
        for (int c = 0; c < 256; c++)
                for (size_t at = 0; at < 140; at += 23) {
                        bool plain = c >= 0x20 && c < 0x80 && !strchr("\"'\\", c);

                        memset(text, 'A', sizeof text);
                        text[at] = (char) c;
                        assert_int_equal(tn_json_plain_span(text, 200), plain ? 200 : at);
                        assert_int_equal(tn_json_plain_span(text, at), at);
                }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_like_jansson),
                cmocka_unit_test(test_a_nul_byte),
                cmocka_unit_test(test_plain_span),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
