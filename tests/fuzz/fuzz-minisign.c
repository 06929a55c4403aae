/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* Any bytes are a signature, a key, or an error; nothing is signed by nobody. */
#include "tests/fuzz/fuzz.h"

#include <string.h>

#include "update/minisign.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        const char *text = (const char *) data;
        g_autoptr(GError) error = NULL, not_verified = NULL;
        g_autoptr(GArray) keys = g_array_new(FALSE, FALSE, sizeof(struct tn_minisign_key));
        struct tn_minisign_signature signature;
        struct tn_minisign_key key;

        if (tn_minisign_parse_key(text, size, &key, NULL))
                g_array_append_val(keys, key);
        if (!tn_minisign_parse(text, size, &signature, &error)) {
                g_assert_nonnull(error);
                return 0;
        }
        g_assert_null(error);
        g_assert_true(g_utf8_validate(signature.comment, -1, NULL));
        g_assert_false(tn_minisign_verify(&signature, data, size, keys, &not_verified));
        g_assert_nonnull(not_verified);
        return 0;
}
