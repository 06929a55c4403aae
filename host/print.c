/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * Values of unknown shape for people: a list of flat objects is a table, everything else an outline. The
 * surprising thing: JSON escapes the C0 controls only, so for programs all beyond ASCII is escaped, and DEL
 * by hand; it can stand nowhere but in a string.
 */
#include "host/print.h"

#include <libsmartcols.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/escape.h"

#define LABEL_WIDTH 12
#define COLUMNS_MAX 14
#define ROWS_MAX    10000 /* a longer list is an outline, which needs no memory */

static unsigned terminal_flags(void)
{
        return g_get_charset(NULL) ? 0 : TN_ESCAPE_ASCII;
}

char *tn_print_text(const char *text, size_t len)
{
        return tn_escape(text, len, terminal_flags());
}

char *tn_print_lines(const char *text, size_t len)
{
        return tn_escape(text, len, terminal_flags() | TN_ESCAPE_LINES);
}

char *tn_print_scalar(const json_t *value)
{
        char *text, *escaped;

        if (json_is_string(value))
                return tn_print_text(json_string_value(value), json_string_length(value));
        text = json_dumps(value, JSON_ENCODE_ANY | JSON_REAL_PRECISION(15));
        escaped = tn_print_text(text ? text : "", text ? strlen(text) : 0);
        free(text);
        return escaped;
}

char *tn_print_member(const json_t *object, const char *key)
{
        json_t *value = json_object_get(object, key);

        return value ? tn_print_scalar(value) : g_strdup("");
}

void tn_print_labelled(const char *label, const char *format, ...)
{
        g_autofree char *text = NULL, *safe = NULL;
        va_list args;

        va_start(args, format);
        text = g_strdup_vprintf(format, args);
        va_end(args);
        safe = tn_print_text(text, strlen(text));
        printf("%-*s %s\n", LABEL_WIDTH, label, safe);
}

static void print_dump(const json_t *value, size_t flags)
{
        char *text = json_dumps(value,
                                flags | JSON_ENCODE_ANY | JSON_ENSURE_ASCII | JSON_REAL_PRECISION(16));
        const char *at = text ? text : "null";

        for (const char *del; (del = strchr(at, 0x7F)); at = del + 1) {
                fwrite(at, 1, (size_t) (del - at), stdout);
                fputs("\\u007f", stdout);
        }
        puts(at);
        free(text);
}

void tn_print_json(const json_t *value)
{
        print_dump(value, JSON_INDENT(2));
}

void tn_print_json_line(const json_t *value)
{
        print_dump(value, 0);
}

static bool is_flat(const json_t *value)
{
        json_t *item;
        size_t i;

        if (json_is_object(value))
                return false;
        json_array_foreach(value, i, item) if (json_is_object(item) || json_is_array(item)) return false;
        return true;
}

/* The names of all members of all rows, in the order in which they come. NULL: this is no table. */
static GPtrArray *find_columns(const json_t *rows)
{
        g_autoptr(GPtrArray) names = g_ptr_array_new();
        json_t *row, *value;
        const char *key;
        size_t i;

        if (json_array_size(rows) == 0 || json_array_size(rows) > ROWS_MAX)
                return NULL;
        json_array_foreach(rows, i, row)
        {
                if (!json_is_object(row))
                        return NULL;
                json_object_foreach(row, key, value)
                {
                        if (!is_flat(value))
                                return NULL;
                        if (!g_ptr_array_find_with_equal_func(names, key, g_str_equal, NULL))
                                g_ptr_array_add(names, (gpointer) key);
                        if (names->len > COLUMNS_MAX)
                                return NULL;
                }
        }
        return names->len > 0 ? g_steal_pointer(&names) : NULL;
}

/* Words of a list stand side by side. */
static char *cell_text(const json_t *value)
{
        GString *text = g_string_new(NULL);
        json_t *item;
        size_t i;

        if (!json_is_array(value)) {
                g_string_free(text, TRUE);
                return value ? tn_print_scalar(value) : g_strdup("");
        }
        json_array_foreach(value, i, item)
        {
                g_autofree char *word = tn_print_scalar(item);

                g_string_append_printf(text, "%s%s", i ? " " : "", word);
        }
        return g_string_free(text, FALSE);
}

static void add_row(struct libscols_table *table, const GPtrArray *columns, const json_t *row)
{
        struct libscols_line *line = scols_table_new_line(table, NULL);

        for (guint i = 0; i < columns->len; i++) {
                g_autofree char *text = cell_text(json_object_get(row, g_ptr_array_index(columns, i)));

                if (!line || scols_line_set_data(line, i, text) != 0)
                        g_error("out of memory");
        }
}

static void append_indented(GString *out, const char *text, unsigned depth)
{
        g_auto(GStrv) lines = g_strsplit(text, "\n", -1);

        for (char **line = lines; *line; line++)
                if (**line)
                        g_string_append_printf(out, "%*s%s\n", (int) depth * 2, "", g_strchomp(*line));
}

/* False when these rows are no table. */
static bool append_table(GString *out, const json_t *rows, unsigned depth)
{
        g_autoptr(GPtrArray) columns = find_columns(rows);
        struct libscols_table *table;
        char *text = NULL;
        json_t *row;
        size_t i;

        if (!columns)
                return false;
        table = scols_new_table();
        for (i = 0; i < columns->len; i++) {
                const char *key = g_ptr_array_index(columns, i);
                g_autofree char *name = tn_print_text(key, strlen(key)), *upper = g_ascii_strup(name, -1);

                if (!table || !scols_table_new_column(table, upper, 0, 0))
                        g_error("out of memory");
        }
        scols_table_enable_noencoding(table, 1); /* it is escaped already */
        json_array_foreach(rows, i, row) add_row(table, columns, row);
        if (scols_print_table_to_string(table, &text) != 0)
                g_error("out of memory");
        append_indented(out, text, depth);
        free(text);
        scols_unref_table(table);
        return true;
}

static void append_value(GString *out, const json_t *value, unsigned depth);

static void append_member(GString *out, const char *key, const json_t *value, unsigned depth)
{
        g_autofree char *name = tn_print_text(key, strlen(key));
        g_autofree char *text = NULL;

        if (json_is_object(value) || (json_is_array(value) && !is_flat(value))) {
                g_string_append_printf(out, "%*s%s:\n", (int) depth * 2, "", name);
                append_value(out, value, depth + 1);
                return;
        }
        text = cell_text(value);
        g_string_append_printf(out, "%*s%s: %s\n", (int) depth * 2, "", name, text);
}

static void append_value(GString *out, const json_t *value, unsigned depth)
{
        g_autofree char *text = NULL;
        const char *key;
        json_t *item;
        size_t i;

        if (json_is_object(value)) {
                json_object_foreach((json_t *) value, key, item) append_member(out, key, item, depth);
                return;
        }
        if (json_is_array(value)) {
                if (append_table(out, value, depth))
                        return;
                json_array_foreach(value, i, item)
                {
                        if (i > 0 && json_is_object(item))
                                g_string_append_c(out, '\n');
                        append_value(out, item, depth);
                }
                return;
        }
        text = tn_print_scalar(value);
        g_string_append_printf(out, "%*s%s\n", (int) depth * 2, "", text);
}

char *tn_print_outline(const json_t *value)
{
        GString *out = g_string_new(NULL);

        append_value(out, value, 0);
        return g_string_free(out, FALSE);
}

void tn_print_value(const json_t *value)
{
        g_autofree char *text = tn_print_outline(value);

        fputs(text, stdout);
}
