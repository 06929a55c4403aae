/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* What jansson does not have: text of unknown encoding, the one way in which we print, speed with long
 * strings. */
#pragma once

#include <glib.h>
#include <jansson.h>
#include <stddef.h>

/* A JSON string of @text; bytes that are not UTF-8 become U+FFFD. NULL gives JSON null. New reference. */
json_t *tn_json_text(const char *text);
json_t *tn_json_text_len(const char *text, size_t len);

/* An array of such strings: @texts up to its end, or to a NULL in it. New reference. */
json_t *tn_json_texts(const GPtrArray *texts);

/* object[key] = text, only when text is not NULL: for the optional fields of replies. */
void tn_json_set_text(json_t *object, const char *key, const char *text);

/* One line as qemu-ga prints: ", " and ": ", non-ASCII as \uXXXX, members in the order in which they were
 * set. Free with g_free(). */
char *tn_json_line(const json_t *value);
/* The same at the end of @out. */
void tn_json_append(GString *out, const json_t *value);
/* The same value for people: indented. Free with g_free(). */
char *tn_json_pretty(const json_t *value);

/* Any JSON value; duplicate keys are refused, U+0000 is not. Where an integer needs more than 63 bits, all
 * of them are read as real numbers. New reference, or NULL with @error (may be NULL) filled in. json-parse.c
 */
json_t *tn_json_parse(const char *text, size_t len, json_error_t *error);
/* How many bytes from here are ASCII without control characters, quotes and backslashes, and so mean nothing
 * in a JSON string but themselves. */
size_t tn_json_plain_span(const char *text, size_t len);
