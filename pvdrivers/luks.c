/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* A LUKS2 header: 4096 binary bytes with their magic and the size of all, then JSON, ended by a NUL. */
#include "pvdrivers/luks.h"

#include <stdint.h>
#include <string.h>

#define MAGIC      "LUKS\xba\xbe"
#define BINARY_LEN 4096

static uint64_t get_be(const uint8_t *at, size_t len)
{
        uint64_t value = 0;

        for (size_t i = 0; i < len; i++)
                value = value << 8 | at[i];
        return value;
}

static void count_tokens(json_t *root, struct tn_luks *luks)
{
        g_autoptr(GHashTable) bound = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
        const char *key;
        json_t *token, *slot;
        size_t i;

        json_object_foreach(json_object_get(root, "tokens"), key, token)
        {
                const char *type = json_string_value(json_object_get(token, "type"));

                g_ptr_array_add(luks->tokens, g_strdup(type ? type : "unknown"));
                json_array_foreach(json_object_get(token, "keyslots"), i, slot) if (json_is_string(slot))
                        g_hash_table_add(bound, g_strdup(json_string_value(slot)));
        }
        luks->bound = g_hash_table_size(bound);
}

bool tn_luks_parse(const void *bytes, size_t len, struct tn_luks *ret)
{
        const uint8_t *header = bytes;
        uint64_t size;
        json_t *root;

        if (len <= BINARY_LEN || memcmp(header, MAGIC, 6) != 0 || get_be(header + 6, 2) != 2)
                return false;
        size = get_be(header + 8, 8);
        if (size <= BINARY_LEN || size > TN_LUKS_HEADER_MAX)
                return false;
        len = (size_t) MIN(size, len) - BINARY_LEN;
        root = json_loadb((const char *) header + BINARY_LEN,
                          strnlen((const char *) header + BINARY_LEN, len), JSON_REJECT_DUPLICATES, NULL);
        if (!root)
                return false;
        *ret = (struct tn_luks){
                .keyslots = (unsigned) json_object_size(json_object_get(root, "keyslots")),
                .tokens = g_ptr_array_new_with_free_func(g_free),
        };
        count_tokens(root, ret);
        json_decref(root);
        return true;
}

void tn_luks_clear(struct tn_luks *luks)
{
        g_clear_pointer(&luks->tokens, g_ptr_array_unref);
}
