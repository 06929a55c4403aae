/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* The words after a command's name on our command line become its arguments. Pure. */
#pragma once

#include <glib.h>
#include <jansson.h>
#include <stdbool.h>

/* @words, NULL-ended: one JSON object, or key=value… *ret is NULL when there are none. A value that is
 * JSON is taken as JSON, anything else as text. */
bool tn_arguments_parse(char **words, json_t **ret, GError **error);
/* A JSON string, or NULL with @error when @text is not UTF-8, which no request can carry. */
json_t *tn_arguments_text(const char *text, GError **error);
