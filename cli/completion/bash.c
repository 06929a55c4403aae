/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* Completion for bash. It needs nothing of the package bash-completion but its folder. */
#include "cli/completion/completion.h"

/* The words of an option's value. Bash hands "--color=al" over as three words. */
static void value_case(GString *out, const struct tn_option *option)
{
        if (!option->value)
                return;
        g_string_append_printf(out, "                --%s) ", option->name);
        if (option->words)
                g_string_append_printf(out, "COMPREPLY=($(compgen -W '%s' -- \"$cur\")); ", option->words);
        else if (option->kind == TN_OPTION_DIR)
                g_string_append(out, "COMPREPLY=($(compgen -d -- \"$cur\")); ");
        else if (option->kind == TN_OPTION_FILE)
                g_string_append(out, "COMPREPLY=($(compgen -f -- \"$cur\")); ");
        g_string_append(out, "return ;;\n");
}

static void value_name(GString *out, const struct tn_option *option)
{
        if (option->value)
                g_string_append_printf(out, "%s--%s", option == tn_common_options ? "" : "|", option->name);
}

static void group_name(GString *out)
{
        const char *between = "";

        for (const struct tn_verb *verb = tn_verbs; verb->name; verb++)
                if (verb->verbs) {
                        g_string_append_printf(out, "%s%s", between, verb->name);
                        between = "|";
                }
}

static void append_options(GString *out, const struct tn_option *options)
{
        for (; options && options->name; options++)
                g_string_append_printf(out, " --%s", options->name);
}

static void path_case(GString *out, const char *path, const struct tn_verb *verb)
{
        g_string_append_printf(out, "                '%s') words='", path);
        tn_completion_names(out, verb->verbs, " ");
        if (verb->words)
                g_string_append(out, verb->words);
        append_options(out, verb->options);
        append_options(out, tn_common_options);
        g_string_append(out, " --help' ;;\n");
}

void tn_completion_bash(GString *out)
{
        g_string_append(out, "# Completion of tenonctl for bash, made from its table of verbs.\n"
                             "_tenonctl()\n"
                             "{\n"
                             "        local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} "
                             "verb= action= words= i\n"
                             "        if [[ $cur == = ]]; then cur=\n"
                             "        elif [[ $prev == = ]]; then prev=${COMP_WORDS[COMP_CWORD-2]}; fi\n"
                             "        for ((i = 1; i < COMP_CWORD; i++)); do\n"
                             "                case ${COMP_WORDS[i]} in\n"
                             "                --) COMPREPLY=($(compgen -c -- \"$cur\")); return ;;\n"
                             "                ");
        tn_completion_each_option(out, value_name);
        g_string_append(out, ")\n"
                             "                        [[ ${COMP_WORDS[i+1]} == = ]] && ((i++))\n"
                             "                        ((i++)) ;;\n"
                             "                -*|=) ;;\n"
                             "                *) case $verb in\n"
                             "                        '') verb=${COMP_WORDS[i]} ;;\n"
                             "                        ");
        group_name(out);
        g_string_append(out, ") [[ $action ]] || action=\" ${COMP_WORDS[i]}\" ;;\n"
                             "                        esac ;;\n"
                             "                esac\n"
                             "        done\n"
                             "        compopt -o filenames 2>/dev/null\n"
                             "        case $prev in\n");
        tn_completion_each_option(out, value_case);
        g_string_append(out, "        esac\n"
                             "        compopt +o filenames 2>/dev/null\n"
                             "        case $verb$action in\n"
                             "                '') words='");
        tn_completion_names(out, tn_verbs, " ");
        append_options(out, tn_common_options);
        append_options(out, tn_first_options);
        g_string_append(out, "' ;;\n");
        tn_completion_each(out, path_case);
        g_string_append(out, "        esac\n"
                             "        COMPREPLY=($(compgen -W \"$words\" -- \"$cur\"))\n"
                             "}\n"
                             "complete -F _tenonctl tenonctl\n");
}
