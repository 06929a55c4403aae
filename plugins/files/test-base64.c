/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* Base64 against GLib's, whole and in pieces, and everything that is not base64. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <glib.h>
#include <stdio.h>
#include <string.h>

#include "lib/base64.h"
#include "lib/error.h"

/* Bytes without a pattern, the same in each run. */
static void fill(uint8_t *bytes, size_t len, uint32_t seed)
{
        for (size_t i = 0; i < len; i++) {
                seed = seed * 1664525U + 1013904223U;
                bytes[i] = (uint8_t) (seed >> 24);
        }
}

static void test_like_glib(void **state)
{
        uint8_t bytes[300];

        (void) state;
        for (size_t len = 0; len <= sizeof bytes; len++) {
                char text[TN_BASE64_SIZE(sizeof bytes) + 1];
                g_autofree char *expected = NULL;
                g_autofree uint8_t *back = NULL;
                size_t n, checked;

                fill(bytes, len, (uint32_t) len);
                expected = g_base64_encode(bytes, len);
                n = tn_base64_encode(bytes, len, text);
                assert_int_equal(n, TN_BASE64_SIZE(len));
                text[n] = '\0';
                assert_string_equal(text, expected);
                assert_true(tn_base64_decode(text, n, &back, &n, NULL));
                assert_int_equal(n, len);
                assert_memory_equal(back, bytes, len);
                assert_true(tn_base64_check(text, strlen(text), &checked, NULL));
                assert_int_equal(checked, len);
        }
}

/* Every way to cut a text with line ends in two gives the same. */
static void test_pieces(void **state)
{
        static const char text[] = "aGVs\nbG8\r\ngd29y\nbGQhCg==\n";
        static const char expected[] = "hello world!\n";

        (void) state;
        for (size_t cut = 0; cut < sizeof text; cut++) {
                struct tn_base64_decoder decoder = {0};
                uint8_t out[64];
                size_t a, b;

                assert_true(tn_base64_decode_piece(&decoder, text, cut, out, &a, NULL));
                assert_true(a <= TN_BASE64_BYTES(cut));
                assert_true(
                        tn_base64_decode_piece(&decoder, text + cut, strlen(text) - cut, out + a, &b, NULL));
                assert_true(tn_base64_decode_end(&decoder, NULL));
                assert_int_equal(a + b, strlen(expected));
                assert_memory_equal(out, expected, a + b);
        }
}

static const struct {
        const char *text;
        const char *why; /* part of the message; NULL: it is right */
} verdicts[] = {
        {"", NULL},
        {"\n", NULL},
        {"QUJD", NULL},
        {"QUI=", NULL},
        {"QQ==", NULL},
        {"QQ=\n=\r\n", NULL},
        {"QUJ", "incomplete"},
        {"QUJDQ", "incomplete"},
        {"QQ=", "incomplete"},
        {"Q", "incomplete"},
        {"QUJDR===", "invalid characters"},
        {"====", "invalid characters"},
        {"=", "invalid characters"},
        {"QQ==QUJD", "invalid characters"},
        {"QQ===", "invalid characters"},
        {"QQ=Q", "invalid characters"},
        {"QU D", "invalid characters"},
        {"QU-_", "invalid characters"},
        {"aGVs*", "invalid characters"},
        {"QUJ\xff", "invalid characters"},
        {"QUJD\t", "invalid characters"},
};

static void test_verdicts(void **state)
{
        (void) state;
        for (size_t i = 0; i < G_N_ELEMENTS(verdicts); i++) {
                g_autoptr(GError) error = NULL;
                g_autofree uint8_t *bytes = NULL;
                size_t len = 77, checked = 77;
                bool ok = tn_base64_decode(verdicts[i].text, strlen(verdicts[i].text), &bytes, &len, &error);

                assert_true(ok ==
                            tn_base64_check(verdicts[i].text, strlen(verdicts[i].text), &checked, NULL));
                if (!verdicts[i].why) {
                        assert_true(ok);
                        assert_int_equal(len, checked);
                        continue;
                }
                if (ok || !strstr(error->message, verdicts[i].why))
                        fail_msg("'%s': %s", verdicts[i].text, ok ? "was taken" : error->message);
                assert_int_equal(error->code, TN_ERROR_INVALID);
                assert_int_equal(len, 77); /* untouched */
                assert_int_equal(checked, 77);
                assert_null(bytes);
        }
}

/* Long texts are checked in blocks: every byte at places in and between them, against the decoder. */
static void test_check_is_the_decoder(void **state)
{
        char text[400];

        (void) state;
        for (int c = 0; c < 256; c++)
                for (size_t at = 0; at < 200; at += 13) {
                        g_autofree uint8_t *bytes = NULL;
                        size_t decoded = 0, checked = 0;
                        bool ok;

                        memset(text, 'A' + (int) at % 26, sizeof text);
                        text[at] = (char) c;
                        ok = tn_base64_decode(text, 300, &bytes, &decoded, NULL);
                        assert_int_equal(tn_base64_check(text, 300, &checked, NULL), ok);
                        assert_int_equal(checked, decoded);
                        assert_int_equal(ok, c > 0 && (g_ascii_isalnum(c) || strchr("+/", c)));
                }
}

/* As Proxmox sends it: lines of 76 characters. */
static void test_check_of_lines(void **state)
{
        g_autoptr(GString) text = g_string_new(NULL);
        size_t checked;

        (void) state;
        for (int i = 0; i < 1000; i++)
                g_string_append_printf(text, "%076d\n", i);
        assert_true(tn_base64_check(text->str, text->len, &checked, NULL));
        assert_int_equal(checked, 57000);
        text->str[77 * 500 + 10] = '=';
        assert_false(tn_base64_check(text->str, text->len, &checked, NULL));
}

static void test_nul_is_no_digit(void **state)
{
        size_t n;

        (void) state;
        assert_false(tn_base64_check("QU\0D", 4, &n, NULL));
}

/* `test-base64 --speed` prints how fast it is. */
static int measure(void)
{
        size_t len = 48 * 1024 * 1024, n;
        g_autofree uint8_t *bytes = g_malloc(len);
        g_autofree char *text = g_malloc(TN_BASE64_SIZE(len));
        g_autofree uint8_t *back = NULL;
        gint64 start, encoded, checked, decoded;

        fill(bytes, len, 1);
        memset(text, 0, TN_BASE64_SIZE(len));
        start = g_get_monotonic_time();
        n = tn_base64_encode(bytes, len, text);
        encoded = g_get_monotonic_time();
        if (!tn_base64_check(text, n, &len, NULL))
                return 1;
        checked = g_get_monotonic_time();
        if (!tn_base64_decode(text, n, &back, &len, NULL))
                return 1;
        decoded = g_get_monotonic_time();
        printf("encode %.2f, check %.2f, decode %.2f GB/s of bytes\n",
               (double) len / (double) (encoded - start) / 1000,
               (double) len / (double) (checked - encoded) / 1000,
               (double) len / (double) (decoded - checked) / 1000);
        return memcmp(back, bytes, len) != 0;
}

int main(int argc, char **argv)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_like_glib),      cmocka_unit_test(test_pieces),
                cmocka_unit_test(test_verdicts),       cmocka_unit_test(test_check_is_the_decoder),
                cmocka_unit_test(test_check_of_lines), cmocka_unit_test(test_nul_is_no_digit),
        };

        if (argc > 1 && strcmp(argv[1], "--speed") == 0)
                return measure();
        return cmocka_run_group_tests(tests, NULL, NULL);
}
