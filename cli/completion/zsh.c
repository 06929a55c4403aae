/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* Completion for zsh: _arguments for each verb, in the order of the table. */
#include "cli/completion/completion.h"

/* Inside of '…' there is no quote, and inside of […] no bracket. */
static void append_text(GString *out, const char *text)
{
        g_auto(GStrv) parts = g_strsplit(text, "'", 0);
        g_autofree char *quoted = g_strjoinv("'\\''", parts);

        tn_completion_quote(out, quoted, "[]:");
}

static const char *action_of(const struct tn_option *option)
{
        return option->kind == TN_OPTION_DIR ? "_files -/" : option->kind == TN_OPTION_FILE ? "_files" : " ";
}

static void append_option(GString *out, const struct tn_option *option)
{
        g_string_append(out, " \\\n                '");
        if (option->letter)
                g_string_append_printf(out, "(-%c --%s)'{-%c,--%s}'", option->letter, option->name,
                                       option->letter, option->name);
        else
                g_string_append_printf(out, "--%s%s", option->name, option->value ? "=" : "");
        g_string_append_c(out, '[');
        append_text(out, option->help);
        g_string_append_c(out, ']');
        if (option->value && option->words)
                g_string_append_printf(out, ":%s:(%s)", option->value, option->words);
        else if (option->value)
                g_string_append_printf(out, ":%s:%s", option->value, action_of(option));
        g_string_append_c(out, '\'');
}

static void append_options(GString *out, const struct tn_option *options)
{
        for (; options && options->name; options++)
                append_option(out, options);
}

static void append_names(GString *out, const struct tn_verb *verbs)
{
        for (; verbs->name; verbs++) {
                g_string_append_printf(out, " \\\n                '%s:", verbs->name);
                append_text(out, verbs->summary);
                g_string_append_c(out, '\'');
        }
}

static void begin_arguments(GString *out, const struct tn_option *options)
{
        g_string_append(out, "        _arguments -C -S");
        append_options(out, options);
        append_options(out, tn_common_options);
}

/* One function for each path: _tenonctl_drivers_plan. */
static void append_function_name(GString *out, const char *path)
{
        g_autofree char *name = g_strdup(path);

        g_string_append_printf(out, "_tenonctl_%s", g_strdelimit(name, " ", '_'));
}

static void append_dispatch(GString *out, const char *path, const struct tn_verb *verbs)
{
        g_string_append_printf(out,
                               " \\\n                '1:%s:->name' '*::argument:->rest'\n"
                               "        case $state in\n"
                               "        name) names=(",
                               path ? "action" : "verb");
        append_names(out, verbs);
        g_string_append(out, "); _describe name names ;;\n"
                             "        rest) case $words[1] in\n");
        for (; verbs->name; verbs++) {
                g_autofree char *below = g_strdup_printf("%s%s%s", path ? path : "", path ? " " : "",
                                                         verbs->name);

                g_string_append_printf(out, "                %s) ", verbs->name);
                append_function_name(out, below);
                g_string_append(out, " ;;\n");
        }
        g_string_append(out, "                esac ;;\n        esac\n");
}

static void append_function(GString *out, const char *path, const struct tn_verb *verb)
{
        append_function_name(out, path);
        g_string_append(out, "()\n{\n        local context state line\n"
                             "        local -a names\n        typeset -A opt_args\n");
        begin_arguments(out, verb->options);
        g_string_append(out, " \\\n                '(-h --help)'{-h,--help}'[Explain it]'");
        if (verb->verbs)
                append_dispatch(out, path, verb->verbs);
        else if (verb->words)
                g_string_append_printf(out, " \\\n                '*:operand:(%s)'\n", verb->words);
        else if (*verb->operands == '-')
                g_string_append(out, " \\\n                '*::command:_normal'\n");
        else
                g_string_append_c(out, '\n');
        g_string_append(out, "}\n\n");
}

void tn_completion_zsh(GString *out)
{
        g_string_append(
                out,
                "#compdef tenonctl\n# Completion of tenonctl for zsh, made from its table of verbs.\n\n");
        tn_completion_each(out, append_function);
        g_string_append(out, "_tenonctl()\n{\n        local context state line\n"
                             "        local -a names\n        typeset -A opt_args\n");
        begin_arguments(out, tn_first_options);
        append_dispatch(out, NULL, tn_verbs);
        g_string_append(out, "}\n\n_tenonctl \"$@\"\n");
}
