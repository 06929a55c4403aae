/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* Completion for fish: one line for each word, with the verb that it belongs to as its condition. */
#include "cli/completion/completion.h"

static void append_text(GString *out, const char *text)
{
        g_string_append_c(out, '\'');
        tn_completion_quote(out, text, "'\\");
        g_string_append_c(out, '\'');
}

/* @path "": before the verb; NULL: anywhere. */
static void begin_line(GString *out, const char *path)
{
        g_string_append(out, "complete -c tenonctl");
        if (path)
                g_string_append_printf(out, " -n '__tenonctl_at%s%s'", *path ? " " : "", path);
}

static void append_option(GString *out, const char *path, const struct tn_option *option)
{
        begin_line(out, path);
        if (option->letter)
                g_string_append_printf(out, " -s %c", option->letter);
        g_string_append_printf(out, " -l %s", option->name);
        if (option->words)
                g_string_append_printf(out, " -x -a '%s'", option->words);
        else if (option->kind == TN_OPTION_DIR)
                g_string_append(out, " -x -a '(__fish_complete_directories)'");
        else if (option->kind == TN_OPTION_FILE)
                g_string_append(out, " -r -F");
        else if (option->value)
                g_string_append(out, " -x");
        g_string_append(out, " -d ");
        append_text(out, option->help);
        g_string_append_c(out, '\n');
}

static void append_options(GString *out, const char *path, const struct tn_option *options)
{
        for (; options && options->name; options++)
                append_option(out, path, options);
}

static void append_names(GString *out, const char *path, const struct tn_verb *verbs)
{
        for (; verbs && verbs->name; verbs++) {
                begin_line(out, path);
                g_string_append_printf(out, " -a %s -d ", verbs->name);
                append_text(out, verbs->summary);
                g_string_append_c(out, '\n');
        }
}

static void append_verb(GString *out, const char *path, const struct tn_verb *verb)
{
        append_names(out, path, verb->verbs);
        append_options(out, path, verb->options);
        if (verb->words) {
                begin_line(out, path);
                g_string_append_printf(out, " -a '%s'\n", verb->words);
        }
        if (*(verb->operands ? verb->operands : "") == '-') {
                begin_line(out, path);
                g_string_append(out, " -a '(__fish_complete_subcommand)'\n");
        }
}

static void append_value_names(GString *out, const struct tn_option *option)
{
        if (option->value)
                g_string_append_printf(out, " --%s", option->name);
}

/* Which verb has been typed: options and their values are skipped, and operands do not count. */
static void append_at(GString *out)
{
        g_string_append(out, "function __tenonctl_at\n"
                             "    set -l words (commandline -opc)\n"
                             "    set -l path\n"
                             "    set -l value no\n"
                             "    for word in $words[2..-1]\n"
                             "        if test $value = yes\n"
                             "            set value no\n"
                             "        else if contains -- $word");
        tn_completion_each_option(out, append_value_names);
        g_string_append(out, "\n"
                             "            set value yes\n"
                             "        else if string match -q -- '-*' $word\n"
                             "        else if test (count $path) -eq 0\n"
                             "            set path $word\n"
                             "        else if test (count $path) -eq 1; and contains -- $path[1]");
        for (const struct tn_verb *verb = tn_verbs; verb->name; verb++)
                if (verb->verbs)
                        g_string_append_printf(out, " %s", verb->name);
        g_string_append(out, "\n"
                             "            set path $path $word\n"
                             "        end\n"
                             "    end\n"
                             "    test \"$path\" = \"$argv\"\n"
                             "end\n\n");
}

void tn_completion_fish(GString *out)
{
        g_string_append(out, "# Completion of tenonctl for fish, made from its table of verbs.\n");
        append_at(out);
        g_string_append(out, "complete -c tenonctl -f\n");
        append_options(out, NULL, tn_common_options);
        append_options(out, "", tn_first_options);
        append_names(out, "", tn_verbs);
        tn_completion_each(out, append_verb);
}
