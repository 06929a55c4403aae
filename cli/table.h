/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* A table on a terminal or in a pipe, by libsmartcols. */
#pragma once

struct libscols_table;

/* @headers: NULL-ended. The last column wraps on a terminal. */
struct libscols_table *tn_table_new(const char *const *headers);
/* @cells: as many as headers; NULL is an empty cell. Copied. */
void tn_table_add(struct libscols_table *table, const char *const *cells);
/* Prints to stdout and frees. */
void tn_table_print(struct libscols_table *table);
