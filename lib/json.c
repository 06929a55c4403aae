/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * JSON output helpers. The surprising things: jansson refuses to make a string of bytes that are not UTF-8
 * (it returns NULL), so everything that the kernel or a file names goes through tn_json_text(). And lines
 * are written by a printer of our own, byte for byte what json_dumps() makes, because replies are mostly
 * short plain words and small numbers, on which jansson spends a snprintf() and a callback each.
 */
#include "lib/json.h"

#include <glib.h>
#include <stdlib.h>
#include <string.h>

json_t *tn_json_text_len(const char *text, size_t len)
{
        g_autofree char *valid = NULL;
        json_t *string = json_stringn(text, len);

        if (string)
                return string;
        valid = g_utf8_make_valid(text, (gssize) len);
        return json_string(valid);
}

json_t *tn_json_text(const char *text)
{
        return text ? tn_json_text_len(text, strlen(text)) : json_null();
}

json_t *tn_json_texts(const GPtrArray *texts)
{
        json_t *array = json_array();

        for (guint i = 0; i < texts->len && texts->pdata[i]; i++)
                json_array_append_new(array, tn_json_text(texts->pdata[i]));
        return array;
}

void tn_json_set_text(json_t *object, const char *key, const char *text)
{
        if (text)
                (void) json_object_set_new(object, key, tn_json_text(text));
}

/* The 17th digit would turn 0.37 into 0.36999999999999999; no number of ours needs it. */
#define REAL_DIGITS JSON_REAL_PRECISION(16)
#define DEPTH_MAX   2048 /* as deep as jansson reads */

static void append_escaped(GString *out, gunichar c)
{
        static const char *const short_forms[128] = {
                ['"'] = "\\\"", ['\\'] = "\\\\", ['\b'] = "\\b", ['\f'] = "\\f",
                ['\n'] = "\\n", ['\r'] = "\\r",  ['\t'] = "\\t",
        };

        if (c < G_N_ELEMENTS(short_forms) && short_forms[c])
                g_string_append(out, short_forms[c]);
        else if (c < 0x10000)
                g_string_append_printf(out, "\\u%04X", c);
        else
                g_string_append_printf(out, "\\u%04X\\u%04X", 0xD800 + ((c - 0x10000) >> 10),
                                       0xDC00 + ((c - 0x10000) & 0x3FF));
}

/* Plain characters, which are most, go over in one piece. jansson has made sure that it is UTF-8. */
static void append_string(GString *out, const char *text, size_t len)
{
        const char *end = text + len, *start = text;

        g_string_append_c(out, '"');
        while (text < end) {
                unsigned char c = (unsigned char) *text;

                if (c >= 0x20 && c < 0x80 && c != '"' && c != '\\') {
                        text++;
                        continue;
                }
                g_string_append_len(out, start, text - start);
                append_escaped(out, g_utf8_get_char(text));
                start = text += g_utf8_skip[c];
        }
        g_string_append_len(out, start, text - start);
        g_string_append_c(out, '"');
}

static void append_integer(GString *out, json_int_t value)
{
        char digits[24], *p = digits + sizeof digits;
        guint64 left = value < 0 ? -(guint64) value : (guint64) value;

        do
                *--p = (char) ('0' + left % 10);
        while ((left /= 10) > 0);
        if (value < 0)
                *--p = '-';
        g_string_append_len(out, p, digits + sizeof digits - p);
}

static void append_real(GString *out, const json_t *value)
{
        char digits[64];
        size_t len = json_dumpb(value, digits, sizeof digits, REAL_DIGITS | JSON_ENCODE_ANY);

        g_string_append_len(out, digits, (gssize) MIN(len, sizeof digits));
}

static void append_value(GString *out, const json_t *value, unsigned depth);

static void append_object(GString *out, json_t *object, unsigned depth)
{
        const char *separator = "";

        g_string_append_c(out, '{');
        for (void *i = json_object_iter(object); i; i = json_object_iter_next(object, i)) {
                const char *key = json_object_iter_key(i);

                g_string_append(out, separator);
                append_string(out, key, strlen(key));
                g_string_append_len(out, ": ", 2);
                append_value(out, json_object_iter_value(i), depth);
                separator = ", ";
        }
        g_string_append_c(out, '}');
}

static void append_array(GString *out, const json_t *array, unsigned depth)
{
        g_string_append_c(out, '[');
        for (size_t i = 0; i < json_array_size(array); i++) {
                if (i > 0)
                        g_string_append_len(out, ", ", 2);
                append_value(out, json_array_get(array, i), depth);
        }
        g_string_append_c(out, ']');
}

static void append_value(GString *out, const json_t *value, unsigned depth)
{
        static const char *const words[] = {
                [JSON_TRUE] = "true", [JSON_FALSE] = "false", [JSON_NULL] = "null"};

        if (!value || depth > DEPTH_MAX) {
                g_string_append(out, "null"); /* a value that contains itself, too, has an end */
                return;
        }
        switch (json_typeof(value)) {
        case JSON_OBJECT:
                append_object(out, (json_t *) value, depth + 1);
                break;
        case JSON_ARRAY:
                append_array(out, value, depth + 1);
                break;
        case JSON_STRING:
                append_string(out, json_string_value(value), json_string_length(value));
                break;
        case JSON_INTEGER:
                append_integer(out, json_integer_value(value));
                break;
        case JSON_REAL:
                append_real(out, value);
                break;
        case JSON_TRUE:
        case JSON_FALSE:
        case JSON_NULL:
                g_string_append(out, words[json_typeof(value)]);
                break;
        }
}

void tn_json_append(GString *out, const json_t *value)
{
        append_value(out, value, 0);
}

char *tn_json_line(const json_t *value)
{
        GString *out = g_string_sized_new(256);

        tn_json_append(out, value);
        return g_string_free(out, FALSE);
}

char *tn_json_pretty(const json_t *value)
{
        char *text = json_dumps(value, JSON_INDENT(2) | REAL_DIGITS | JSON_ENCODE_ANY);
        char *copy = g_strdup(text ? text : "null"); /* not printable: only a value that contains itself */

        free(text);
        return copy;
}
