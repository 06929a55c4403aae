/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* Prints the completion of the shell that it is called with, or the table as JSON. */
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "cli/completion/completion.h"

void tn_completion_each(GString *out, tn_completion_func func)
{
        for (const struct tn_verb *verb = tn_verbs; verb->name; verb++) {
                func(out, verb->name, verb);
                for (const struct tn_verb *below = verb->verbs; below && below->name; below++) {
                        g_autofree char *path = g_strdup_printf("%s %s", verb->name, below->name);

                        func(out, path, below);
                }
        }
}

static GPtrArray *all_options;

static void add_option(const struct tn_option *option)
{
        for (guint i = 0; i < all_options->len; i++) {
                const struct tn_option *other = all_options->pdata[i];

                if (!g_str_equal(other->name, option->name))
                        continue;
                if (other->kind != option->kind || g_strcmp0(other->words, option->words) != 0)
                        g_error("--%s takes one thing here and another there", option->name);
                return;
        }
        g_ptr_array_add(all_options, (void *) option);
}

static void add_options(GString *out, const char *path, const struct tn_verb *verb)
{
        (void) out;
        (void) path;
        for (const struct tn_option *option = verb->options; option && option->name; option++)
                add_option(option);
}

void tn_completion_each_option(GString *out, tn_completion_option_func func)
{
        all_options = g_ptr_array_new();
        for (const struct tn_option *option = tn_common_options; option->name; option++)
                add_option(option);
        tn_completion_each(out, add_options);
        for (guint i = 0; i < all_options->len; i++)
                func(out, all_options->pdata[i]);
        g_ptr_array_free(all_options, TRUE);
}

void tn_completion_names(GString *out, const struct tn_verb *verbs, const char *between)
{
        for (const struct tn_verb *verb = verbs; verb && verb->name; verb++)
                g_string_append_printf(out, "%s%s", verb == verbs ? "" : between, verb->name);
}

void tn_completion_quote(GString *out, const char *text, const char *special)
{
        for (; *text; text++) {
                if (strchr(special, *text))
                        g_string_append_c(out, '\\');
                g_string_append_c(out, *text);
        }
}

static json_t *words_of(const char *text)
{
        g_auto(GStrv) words = text && *text ? g_strsplit(text, " ", 0) : NULL;
        json_t *array = json_array();

        for (size_t i = 0; words && words[i]; i++)
                json_array_append_new(array, json_string(words[i]));
        return array;
}

static json_t *options_of(const struct tn_option *options)
{
        json_t *array = json_array();

        for (; options && options->name; options++)
                json_array_append_new(
                        array, json_pack("{s:s, s:s#, s:s?, s:s, s:o, s:b}", "name", options->name, "letter",
                                         &options->letter, options->letter ? 1 : 0, "value", options->value,
                                         "help", options->help, "words", words_of(options->words),
                                         "required", (int) options->required));
        return array;
}

static json_t *table;

static void add_row(GString *out, const char *path, const struct tn_verb *verb)
{
        (void) out;
        json_array_append_new(table,
                              json_pack("{s:s, s:s, s:s, s:o, s:s?, s:o, s:o, s:b, s:b}", "verb", path,
                                        "operands", verb->operands ? verb->operands : "", "summary",
                                        verb->summary, "options", options_of(verb->options), "exits",
                                        verb->exits, "json", verb->json ? words_of(verb->json) : json_null(),
                                        "error", words_of(verb->json ? tn_error_members : NULL), "alone",
                                        (int) (verb->exits != NULL), "group", (int) (verb->verbs != NULL)));
}

void tn_completion_json(GString *out)
{
        g_autofree char *text = NULL;

        table = json_array();
        tn_completion_each(out, add_row);
        text = json_dumps(table, JSON_INDENT(1));
        g_string_append_printf(out, "%s\n", text);
        json_decref(table);
}

int main(int argc, char **argv)
{
        static const struct {
                const char *name;
                void (*write)(GString *out);
        } shells[] = {{"bash", tn_completion_bash},
                      {"zsh", tn_completion_zsh},
                      {"fish", tn_completion_fish},
                      {"json", tn_completion_json}};
        g_autoptr(GString) out = g_string_new(NULL);

        for (size_t i = 0; argc == 2 && i < G_N_ELEMENTS(shells); i++)
                if (g_str_equal(shells[i].name, argv[1]))
                        shells[i].write(out);
        fputs(out->str, stdout);
        return out->len > 0 && fflush(stdout) == 0 ? 0 : 1;
}
