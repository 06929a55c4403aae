/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * Configuration files line by line, with the number of each line, since a finding says where it was seen.
 * Comments ('#' at the beginning) and empty lines are left out. A file that is not there has no lines.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "lib/env.h"

struct tn_line {
        unsigned number;
        char *text; /* without white space at its ends; a line that ends with '\' goes on */
};

/* Of struct tn_line. Never NULL; free with g_ptr_array_unref(). */
GPtrArray *tn_textfile_parse(const char *text);
GPtrArray *tn_textfile_read(const struct tn_env *env, const char *path);
/* The same; *ret_denied tells that it is there, but that only root may read it. */
GPtrArray *tn_textfile_try(const struct tn_env *env, const char *path, bool *ret_denied);

static inline const struct tn_line *tn_textfile_at(const GPtrArray *lines, guint index)
{
        return index < lines->len ? lines->pdata[index] : NULL;
}

/* Paths of the files that a pattern of one level ("etc/netplan/NAME*.yaml") matches, sorted. Free with
 * g_ptr_array_unref(). */
GPtrArray *tn_textfile_glob(const struct tn_env *env, const char *pattern);

/* Words of a line, separated by white space. Free with g_strfreev(). */
char **tn_textfile_words(const char *text);

/* Value of the last line KEY=VALUE, quotes taken away, or NULL; *ret_line (may be NULL) is its number. Free
 * with g_free(). */
char *tn_textfile_setting(const GPtrArray *lines, const char *key, unsigned *ret_line);
char *tn_textfile_read_setting(const struct tn_env *env, const char *path, const char *key);
