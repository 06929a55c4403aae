/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * Lines of authorized_keys. The surprising thing: a key is its whole line with options and comment, as the
 * QEMU guest agent has it, so the same key with another comment is another one.
 */
#include "plugins/accounts/keys.h"

#include <string.h>

#include "lib/error.h"
#include "lib/json.h"

bool tn_keys_check(const json_t *keys, GError **error)
{
        json_t *key;
        size_t i;

        if (!json_is_array(keys))
                return tn_error_set(error, TN_ERROR_INVALID, "the request has no list of keys");
        json_array_foreach(keys, i, key)
        {
                const char *text = json_string_value(key);

                /* The text itself is not repeated: it may be a private key, pasted by mistake. */
                if (!text || strlen(text) != json_string_length(key))
                        return tn_error_set(error, TN_ERROR_INVALID,
                                            "invalid OpenSSH public key: keys[%zu] is not text", i);
                if (*text == '#')
                        return tn_error_set(error, TN_ERROR_INVALID,
                                            "invalid OpenSSH public key: keys[%zu] begins with '#'", i);
                if (strpbrk(text, "\n\r"))
                        return tn_error_set(error, TN_ERROR_INVALID,
                                            "invalid OpenSSH public key: keys[%zu] has more than one line",
                                            i);
        }
        return true;
}

/* The line at *@at with its newline; *@at moves behind it. False at the end. */
static bool next_line(const char **at, const char **ret_line, size_t *ret_len)
{
        size_t len = strcspn(*at, "\n");

        if (**at == '\0')
                return false;
        *ret_line = *at;
        *ret_len = (*at)[len] == '\n' ? len + 1 : len;
        *at += *ret_len;
        return true;
}

/* The key in a line, without white space at its ends and as the host is told of it: what is not UTF-8 (a
 * comment in Latin-1) is U+FFFD, or the host could not name it to have it removed. NULL: none. Free with
 * g_free(). */
static char *key_of(const char *line, size_t len)
{
        g_autofree char *key = g_strstrip(g_strndup(line, len));

        return *key && *key != '#' ? g_utf8_make_valid(key, -1) : NULL;
}

json_t *tn_keys_list(const char *text)
{
        json_t *list = json_array();
        const char *line;
        size_t len;

        while (next_line(&text, &line, &len)) {
                g_autofree char *key = key_of(line, len);

                if (key)
                        json_array_append_new(list, tn_json_text(key));
        }
        return list;
}

/* Set of the keys in @text. */
static GHashTable *keys_in_text(const char *text)
{
        GHashTable *set = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
        const char *line;
        size_t len;

        while (next_line(&text, &line, &len)) {
                char *key = key_of(line, len);

                if (key)
                        g_hash_table_add(set, key);
        }
        return set;
}

char *tn_keys_add(const char *text, const json_t *keys)
{
        g_autoptr(GHashTable) present = keys_in_text(text);
        GString *out = g_string_new(text);
        json_t *item;
        size_t i;

        json_array_foreach(keys, i, item)
        {
                const char *given = json_string_value(item);
                char *key = key_of(given, strlen(given));

                if (!key || g_hash_table_contains(present, key)) {
                        g_free(key);
                        continue;
                }
                if (out->len > 0 && out->str[out->len - 1] != '\n')
                        g_string_append_c(out, '\n');
                g_string_append_printf(out, "%s\n", key);
                g_hash_table_add(present, key);
        }
        return g_string_free(out, FALSE);
}

char *tn_keys_remove(const char *text, const json_t *keys)
{
        g_autoptr(GHashTable) unwanted = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
        GString *out = g_string_new(NULL);
        const char *line;
        json_t *item;
        size_t i, len;

        json_array_foreach(keys, i, item)
                g_hash_table_add(unwanted, g_strstrip(g_strdup(json_string_value(item))));
        while (next_line(&text, &line, &len)) {
                g_autofree char *key = key_of(line, len);

                if (!key || !g_hash_table_contains(unwanted, key))
                        g_string_append_len(out, line, (gssize) len);
        }
        return g_string_free(out, FALSE);
}
