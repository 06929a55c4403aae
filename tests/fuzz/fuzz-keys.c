/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* authorized_keys: what is added is there, what is removed is not, and all else stays. The first line is the
 * key, the rest the file. */
#include <string.h>

#include "lib/json.h"
#include "plugins/accounts/keys.h"
#include "tests/fuzz/fuzz.h"

static bool has(const char *text, const char *key)
{
        json_t *keys = tn_keys_list(text), *value;
        bool found = false;
        size_t i;

        json_array_foreach(keys, i, value) found |= strcmp(json_string_value(value), key) == 0;
        json_decref(keys);
        return found;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        g_autofree char *text = g_strndup((const char *) data, size), *with = NULL, *without = NULL,
                        *again = NULL, *key = NULL;
        char *rest = strchr(text, '\n');
        json_t *keys;

        if (!rest)
                return 0;
        *rest++ = '\0';
        json_decref(tn_keys_list(rest));
        keys = json_array();
        json_array_append_new(keys, tn_json_text(text));
        key = g_strstrip(g_strdup(json_string_value(json_array_get(keys, 0))));
        if (tn_keys_check(keys, NULL) && *key) {
                with = tn_keys_add(rest, keys);
                g_assert_true(g_str_has_prefix(with, rest));
                g_assert_true(has(with, key));
                again = tn_keys_add(with, keys);
                g_assert_cmpstr(again, ==, with);
                without = tn_keys_remove(with, keys);
                g_assert_false(has(without, key));
        }
        json_decref(keys);
        return 0;
}
