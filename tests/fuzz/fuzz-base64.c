/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* Contents of files and arguments: in pieces and as a whole the same bytes, and back the same text but for
 * line ends. */
#include <glib.h>
#include <string.h>

#include "lib/base64.h"
#include "tests/fuzz/fuzz.h"

static bool decode_pieces(const char *text, size_t len, size_t piece, GByteArray *bytes)
{
        struct tn_base64_decoder decoder = {0};

        for (size_t at = 0; at < len; at += piece) {
                size_t n = MIN(piece, len - at), made = 0;
                g_autofree uint8_t *room = g_malloc(TN_BASE64_BYTES(n));

                if (!tn_base64_decode_piece(&decoder, text + at, n, room, &made, NULL))
                        return false;
                g_assert_cmpuint(made, <=, TN_BASE64_BYTES(n));
                g_byte_array_append(bytes, room, (guint) made);
        }
        return tn_base64_decode_end(&decoder, NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        const char *text = (const char *) data;
        g_autoptr(GByteArray) pieces = g_byte_array_new();
        g_autofree uint8_t *whole = NULL;
        g_autofree char *back = g_malloc(TN_BASE64_SIZE(size) + 1);
        size_t len = 0, counted = 0, n;
        bool good = tn_base64_decode(text, size, &whole, &len, NULL);

        g_assert_true(tn_base64_check(text, size, &counted, NULL) == good);
        g_assert_true(decode_pieces(text, size, 5, pieces) == good);
        if (good) {
                g_assert_cmpuint(counted, ==, len);
                g_assert_cmpuint(len, ==, pieces->len);
                g_assert_true(len == 0 || memcmp(whole, pieces->data, len) == 0);
        }
        n = tn_base64_encode(data, size, back);
        g_assert_cmpuint(n, ==, TN_BASE64_SIZE(size));
        g_free(g_steal_pointer(&whole));
        g_assert_true(tn_base64_decode(back, n, &whole, &len, NULL));
        g_assert_cmpuint(len, ==, size);
        g_assert_true(size == 0 || memcmp(whole, data, size) == 0);
        return 0;
}
