/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * A parser for KEY=VALUE lines as a shell would read them, without expansion: bare words, single quotes
 * (nothing is special inside), double quotes (backslash escapes $ " \ and `; also ', for qemu-ga reads it
 * so), and mixtures of them. The surprising thing: a value ends with its line even when its quote is left
 * open, so that one bad line cannot swallow the rest of the file.
 */
#include "plugins/guestinfo/envfile.h"

#include <stdbool.h>
#include <string.h>

/* Appends the single-quoted part at *p (behind the quote) and moves *p behind the closing one. */
static void take_single(const char **p, GString *value)
{
        size_t n = strcspn(*p, "'\n");

        g_string_append_len(value, *p, (gssize) n);
        *p += n;
        if (**p == '\'')
                (*p)++;
}

static void take_double(const char **p, GString *value)
{
        while (**p && **p != '\n') {
                char c = *(*p)++;

                if (c == '"')
                        return;
                if (c == '\\' && **p && strchr("$\"\\`'", **p))
                        c = *(*p)++;
                g_string_append_c(value, c);
        }
}

/* Reads a value up to the end of the line; *p is left there. */
static char *take_value(const char **p)
{
        GString *value = g_string_new(NULL);
        size_t solid = 0; /* length without the bare white space at the end */

        while (**p && **p != '\n') {
                char c = *(*p)++;
                bool bare_space = c == ' ' || c == '\t' || c == '\r';

                if (c == '\'') {
                        take_single(p, value);
                } else if (c == '"') {
                        take_double(p, value);
                } else {
                        if (c == '\\' && **p && **p != '\n')
                                c = *(*p)++;
                        g_string_append_c(value, c);
                }
                if (!bare_space)
                        solid = value->len;
        }
        g_string_truncate(value, solid);
        return g_string_free(value, FALSE);
}

static size_t name_length(const char *p)
{
        size_t n = 0;

        if (g_ascii_isdigit(*p))
                return 0;
        while (g_ascii_isalnum(p[n]) || p[n] == '_')
                n++;
        return n;
}

GHashTable *tn_envfile_parse(const char *text)
{
        GHashTable *table = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);

        for (const char *p = text; *p; p += *p == '\n') {
                size_t n;

                p += strspn(p, " \t\r");
                n = name_length(p);
                if (n > 0 && p[n] == '=') {
                        char *name = g_strndup(p, n);

                        p += n + 1;
                        g_hash_table_replace(table, name, take_value(&p));
                }
                p += strcspn(p, "\n");
        }
        return table;
}
