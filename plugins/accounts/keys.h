/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* The text of an authorized_keys file: bytes in, bytes out; keys-file.h has the file. */
#pragma once

#include <glib.h>
#include <jansson.h>
#include <stdbool.h>

/* True when @keys is an array of strings that may each be a line of the file: one line, not a comment.
 * Blank ones are no keys, and are passed over by the functions below. */
bool tn_keys_check(const json_t *keys, GError **error);

/* The keys in @text, in its order, without comments and blank lines. New reference. */
json_t *tn_keys_list(const char *text);

/* @text with those of @keys at its end that it has not yet; all other bytes stay as they are. Free with
 * g_free(). */
char *tn_keys_add(const char *text, const json_t *keys);

/* @text without the lines that hold one of @keys; all other bytes stay as they are. Free with g_free(). */
char *tn_keys_remove(const char *text, const json_t *keys);
