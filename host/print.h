/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * All that a guest says reaches the terminal through here. For people: tables, outlines, lines with a label.
 * For programs: JSON in ASCII.
 */
#pragma once

#include <glib.h>
#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

/* Escaped for this terminal; the second one keeps line ends and tabs. Free with g_free(). */
char *tn_print_text(const char *text, size_t len);
char *tn_print_lines(const char *text, size_t len);
/* A scalar in one line; anything else as JSON. Escaped. Free with g_free(). */
char *tn_print_scalar(const json_t *value);
/* A member of an object in the same way; "" when it is missing. */
char *tn_print_member(const json_t *object, const char *key);

/* "Label        text", escaped. */
void tn_print_labelled(const char *label, const char *format, ...) G_GNUC_PRINTF(2, 3);
/* Indented JSON, or JSON in one line. */
void tn_print_json(const json_t *value);
void tn_print_json_line(const json_t *value);
/* A value of any shape, for people. */
void tn_print_value(const json_t *value);
/* The same as text. Free with g_free(). */
char *tn_print_outline(const json_t *value);
