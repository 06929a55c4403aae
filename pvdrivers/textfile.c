/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* Lines, words and settings of configuration files. */
#include "pvdrivers/textfile.h"

#include <fnmatch.h>
#include <string.h>

#include "lib/error.h"

static void free_line(void *data)
{
        struct tn_line *line = data;

        g_free(line->text);
        g_free(line);
}

/* Takes the lines that a '\' joins to @first; returns the index behind them. */
static size_t join(char **raw, size_t first, GString *whole)
{
        size_t i = first;

        for (;;) {
                g_string_append(whole, raw[i++]);
                if (whole->len == 0 || whole->str[whole->len - 1] != '\\' || !raw[i])
                        return i;
                whole->str[whole->len - 1] = ' ';
        }
}

GPtrArray *tn_textfile_parse(const char *text)
{
        GPtrArray *lines = g_ptr_array_new_with_free_func(free_line);
        g_auto(GStrv) raw = g_strsplit(text, "\n", -1);

        for (size_t i = 0, next; raw[i]; i = next) {
                GString *whole = g_string_new(NULL);
                char *stripped;

                next = join(raw, i, whole);
                stripped = g_strstrip(g_string_free(whole, FALSE));
                if (*stripped == '\0' || *stripped == '#') {
                        g_free(stripped);
                        continue;
                }
                struct tn_line *line = g_new(struct tn_line, 1);

                *line = (struct tn_line){.number = (unsigned) i + 1, .text = stripped};
                g_ptr_array_add(lines, line);
        }
        return lines;
}

GPtrArray *tn_textfile_try(const struct tn_env *env, const char *path, bool *ret_denied)
{
        g_autofree char *text = NULL;
        g_autoptr(GError) error = NULL;

        if (!tn_env_read(env, path, &text, NULL, &error)) {
                *ret_denied = g_error_matches(error, TN_ERROR, TN_ERROR_DENIED);
                return tn_textfile_parse("");
        }
        *ret_denied = false;
        return tn_textfile_parse(text);
}

GPtrArray *tn_textfile_read(const struct tn_env *env, const char *path)
{
        bool denied;

        return tn_textfile_try(env, path, &denied);
}

GPtrArray *tn_textfile_glob(const struct tn_env *env, const char *pattern)
{
        GPtrArray *paths = g_ptr_array_new_with_free_func(g_free);
        g_autofree char *folder = g_path_get_dirname(pattern);
        const char *base = strrchr(pattern, '/') + 1;
        g_auto(GStrv) names = tn_env_list(env, folder);

        for (size_t i = 0; names && names[i]; i++)
                if (fnmatch(base, names[i], FNM_PERIOD) == 0)
                        g_ptr_array_add(paths, g_strdup_printf("%s/%s", folder, names[i]));
        return paths;
}

char **tn_textfile_words(const char *text)
{
        g_auto(GStrv) parts = g_strsplit_set(text, " \t\r", -1);
        g_autoptr(GStrvBuilder) words = g_strv_builder_new();

        for (size_t i = 0; parts[i]; i++)
                if (*parts[i])
                        g_strv_builder_add(words, parts[i]);
        return g_strv_builder_end(words);
}

static char *unquote(const char *value)
{
        size_t len = strlen(value);

        if (len >= 2 && (value[0] == '"' || value[0] == '\'') && value[len - 1] == value[0])
                return g_strndup(value + 1, len - 2);
        return g_strdup(value);
}

char *tn_textfile_setting(const GPtrArray *lines, const char *key, unsigned *ret_line)
{
        char *found = NULL;

        for (guint i = 0; i < lines->len; i++) {
                const struct tn_line *line = lines->pdata[i];
                const char *equals = strchr(line->text, '=');
                g_autofree char *name = equals ? g_strstrip(g_strndup(line->text,
                                                                      (gsize) (equals - line->text)))
                                               : NULL;
                g_autofree char *value = equals ? g_strstrip(g_strdup(equals + 1)) : NULL;

                if (!name || strcmp(name, key) != 0)
                        continue;
                g_free(found);
                found = unquote(value);
                if (ret_line)
                        *ret_line = line->number;
        }
        return found;
}

char *tn_textfile_read_setting(const struct tn_env *env, const char *path, const char *key)
{
        g_autoptr(GPtrArray) lines = tn_textfile_read(env, path);

        return tn_textfile_setting(lines, key, NULL);
}
