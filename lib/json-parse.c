/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * JSON input. jansson reads a byte at a time and copies a string twice, which for the 64 MiB of base64 that
 * a host may send takes a second. So long strings of plain characters are cut out: jansson sees a short
 * stand-in, and the value that it makes of it is replaced by the string. The surprising thing: a text may
 * have such a stand-in of its own. Then the number of replacements is not that of the cuts, and jansson
 * reads the whole text after all.
 */
#include "lib/json.h"

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define LONG_BYTES    16384 /* a string is long from here on */
#define BLOCK         64
#define STAND_IN      "\0cut " /* and a number */
#define STAND_IN_TEXT "\\u0000cut "

struct cut {
        const char *text; /* borrowed */
        size_t len;
};

/* Bytes as numbers with a sign: those that are not ASCII are below zero. */
typedef signed char vector_t __attribute__((vector_size(16)));

static bool is_plain_block(const char *bytes)
{
        vector_t v[BLOCK / sizeof(vector_t)], special = {0};
        uint64_t halves[2];

        memcpy(v, bytes, BLOCK);
        for (size_t i = 0; i < G_N_ELEMENTS(v); i++)
                special |= (v[i] < 0x20) | (v[i] == '"') | (v[i] == '\'') | (v[i] == '\\');
        memcpy(halves, &special, sizeof halves);
        return (halves[0] | halves[1]) == 0;
}

static bool is_plain(char c)
{
        return c >= 0x20 && (unsigned char) c < 0x80 && c != '"' && c != '\'' && c != '\\';
}

size_t tn_json_plain_span(const char *text, size_t len)
{
        size_t i = 0;

        while (i + BLOCK <= len && is_plain_block(text + i))
                i += BLOCK;
        while (i < len && is_plain(text[i]))
                i++;
        return i;
}

/* Where the string that begins at text[i] ends: at its closing quote, or @len. */
static size_t find_quote(const char *text, size_t i, size_t len, bool *ret_plain)
{
        *ret_plain = true;
        for (; i < len; i++) {
                i += tn_json_plain_span(text + i, len - i);
                if (i == len || text[i] == '"')
                        break;
                *ret_plain = *ret_plain && text[i] == '\'';
                if (text[i] == '\\')
                        i++;
        }
        return MIN(i, len);
}

/* A key is not replaced: its stand-in would have to be looked for otherwise. */
static bool is_key(const char *text, size_t end, size_t len)
{
        for (end++; end < len && g_ascii_isspace(text[end]);)
                end++;
        return end < len && text[end] == ':';
}

/* The text with a stand-in for each long string. */
static GString *cut_strings(const char *text, size_t len, GArray *cuts)
{
        GString *out = g_string_new(NULL);
        const char *quote;
        size_t copied = 0;

        for (size_t i = 0; i < len && (quote = memchr(text + i, '"', len - i)); i++) {
                size_t start = (size_t) (quote - text) + 1;
                struct cut cut = {.text = text + start};
                bool plain;

                i = find_quote(text, start, len, &plain);
                cut.len = i - start;
                if (cut.len < LONG_BYTES || !plain || i == len || is_key(text, i, len))
                        continue;
                g_string_append_len(out, text + copied, (gssize) (start - copied));
                g_string_append_printf(out, STAND_IN_TEXT "%u", cuts->len);
                g_array_append_val(cuts, cut);
                copied = i;
        }
        g_string_append_len(out, text + copied, (gssize) (len - copied));
        return out;
}

struct paste {
        const GArray *cuts;
        guint found; /* stand-ins, also such as stand for nothing */
};

/* What @value stands for, a new reference; NULL when it is no stand-in. */
static json_t *find_cut(struct paste *paste, const json_t *value)
{
        const size_t mark = sizeof STAND_IN - 1;
        const char *text = json_string_value(value);
        const struct cut *cut;
        guint64 n;

        if (!text || json_string_length(value) <= mark || memcmp(text, STAND_IN, mark) != 0)
                return NULL;
        paste->found++;
        n = g_ascii_strtoull(text + mark, NULL, 10);
        if (n >= paste->cuts->len)
                return NULL;
        cut = &g_array_index(paste->cuts, struct cut, n);
        return json_stringn_nocheck(cut->text, cut->len);
}

/* As deep as jansson has read. */
static void paste_strings(struct paste *paste, json_t *value)
{
        json_t *item, *whole;
        const char *key;
        size_t i;

        json_object_foreach(value, key, item)
        {
                whole = find_cut(paste, item);
                if (whole)
                        json_object_set_new_nocheck(value, key, whole);
                else
                        paste_strings(paste, item);
        }
        json_array_foreach(value, i, item)
        {
                whole = find_cut(paste, item);
                if (whole)
                        json_array_set_new(value, i, whole);
                else
                        paste_strings(paste, item);
        }
}

static json_t *parse(const char *text, size_t len, size_t flags, json_error_t *error)
{
        g_autoptr(GArray) cuts = g_array_new(FALSE, FALSE, sizeof(struct cut));
        g_autoptr(GString) rest = NULL;
        struct paste paste = {.cuts = cuts};
        json_t *value;

        if (len >= LONG_BYTES)
                rest = cut_strings(text, len, cuts);
        if (cuts->len == 0)
                return json_loadb(text, len, flags, error);
        value = json_loadb(rest->str, rest->len, flags, error);
        if (!value)
                return NULL;
        paste_strings(&paste, value);
        if (paste.found == cuts->len)
                return value;
        json_decref(value);
        return json_loadb(text, len, flags, error);
}

json_t *tn_json_parse(const char *text, size_t len, json_error_t *error)
{
        const size_t flags = JSON_REJECT_DUPLICATES | JSON_DECODE_ANY | JSON_ALLOW_NUL;
        json_error_t own = {0};
        json_t *value;

        error = error ? error : &own;
        value = parse(text, len, flags, error);
        /* An integer that no argument can hold is no mistake of syntax: as a real number its type is wrong.
         */
        if (!value && json_error_code(error) == json_error_numeric_overflow)
                value = parse(text, len, flags | JSON_DECODE_INT_AS_REAL, error);
        return value;
}
