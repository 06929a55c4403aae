/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * Options are parsed by GLib's GOptionContext, which is filled from the table. A verb whose code and whose
 * row do not name the same options does not run at all, so the first test of it tells.
 */
#include "cli/options.h"

#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/screen.h"
#include "cli/verbs.h"
#include "lib/error.h"

static const struct tn_verb *running;
static bool wants_json;

static const struct tn_verb *find_verb(const struct tn_verb *verbs, const char *name)
{
        for (; verbs && verbs->name; verbs++)
                if (g_str_equal(verbs->name, name))
                        return verbs;
        return NULL;
}

static void *value_of(const struct tn_cli_value *values, const char *name)
{
        for (; values->name; values++)
                if (g_str_equal(values->name, name))
                        return values->to;
        g_error("tenonctl: the verb %s says nothing of its option '%s'", running->name, name);
}

bool tn_cli_wants_json(void)
{
        return wants_json;
}

static void note_json(const struct tn_cli_value *values)
{
        for (; values->name; values++)
                if (g_str_equal(values->name, "json"))
                        wants_json = *(const gboolean *) values->to;
}

static GOptionEntry entry_of(const struct tn_option *option, void *to)
{
        static const GOptionArg args[] = {
                [TN_OPTION_FLAG] = G_OPTION_ARG_NONE,     [TN_OPTION_TEXT] = G_OPTION_ARG_STRING,
                [TN_OPTION_FILE] = G_OPTION_ARG_FILENAME, [TN_OPTION_DIR] = G_OPTION_ARG_FILENAME,
                [TN_OPTION_NUMBER] = G_OPTION_ARG_INT,
        };

        return (GOptionEntry){option->name, option->letter, 0, args[option->kind], to,
                              option->help, option->value};
}

static size_t count_options(const struct tn_option *options)
{
        size_t n = 0;

        while (options && options[n].name)
                n++;
        return n;
}

bool tn_cli_set_common(const char *name, const char *value, GError **error)
{
        if (g_str_equal(name, "socket"))
                tn_cli_set_socket(value);
        else if (!tn_screen_set_color(value))
                return tn_error_set(error, TN_ERROR_INVALID,
                                    "'%s' is no value of --color; write auto, always or never", value);
        return true;
}

static gboolean on_common(const char *name, const char *value, void *data, GError **error)
{
        (void) data;
        return tn_cli_set_common(name + strspn(name, "-"), value, error);
}

/* The row's options, what is left over, and the common ones. */
static void add_entries(GOptionContext *context, const struct tn_cli_value *values)
{
        size_t n = count_options(running->options), common = count_options(tn_common_options);
        g_autofree GOptionEntry *entries = g_new0(GOptionEntry, n + common + 2);
        size_t at = 0;

        for (; at < n; at++)
                entries[at] = entry_of(&running->options[at], value_of(values, running->options[at].name));
        for (size_t i = 0; i < common; i++, at++) {
                entries[at] = entry_of(&tn_common_options[i], (void *) on_common);
                entries[at].arg = G_OPTION_ARG_CALLBACK;
        }
        for (; values->name; values++)
                if (!*values->name)
                        entries[at++] = (GOptionEntry){G_OPTION_REMAINING,        0,          0,
                                                       G_OPTION_ARG_STRING_ARRAY, values->to, NULL,
                                                       running->operands};
        g_option_context_add_main_entries(context, entries, NULL);
}

/* What stands below the options. */
static char *description(void)
{
        GString *text = g_string_new(NULL);

        for (const struct tn_verb *verb = running->verbs; verb && verb->name; verb++)
                g_string_append_printf(text, "%s  %-26s %s\n", verb == running->verbs ? "Actions:\n" : "",
                                       verb->name, verb->summary);
        if (running->verbs)
                g_string_append_printf(text, "\n");
        if (running->exits)
                g_string_append_printf(text, "Exit status: %s.\n", running->exits);
        if (running->json && *running->json)
                g_string_append_printf(text, "Members in JSON: %s.\n", running->json);
        if (running->json)
                g_string_append_printf(text, "JSON of a failure: an object \"error\" with %s.\n",
                                       tn_error_members);
        return g_string_free(text, FALSE);
}

static void explain(GOptionContext *context)
{
        g_autofree char *below = description();

        g_option_context_set_summary(context, running->summary);
        g_option_context_set_description(context, below);
}

static bool parse(int *argc, char ***argv, const struct tn_cli_value *values, GError **error)
{
        g_autoptr(GOptionContext) context = g_option_context_new(running->run ? NULL : "ACTION");

        explain(context);
        add_entries(context, values);
        return g_option_context_parse(context, argc, argv, error);
}

bool tn_cli_options(int *argc, char ***argv, const struct tn_cli_value *values)
{
        g_autofree char *verb = g_strdup((*argv)[0]);
        g_autofree char *name = g_strdup_printf("tenonctl %s", verb);
        g_autoptr(GError) error = NULL;

        g_set_prgname(name);
        if (!parse(argc, argv, values, &error)) {
                fprintf(stderr, "tenonctl %s: %s; try tenonctl %s --help\n", verb, error->message, verb);
                return false;
        }
        if (*argc > 1) {
                fprintf(stderr, "tenonctl %s: unexpected argument '%s'; try tenonctl %s --help\n", verb,
                        (*argv)[1], verb);
                return false;
        }
        note_json(values);
        return true;
}

static void list_names(const struct tn_verb *verbs)
{
        for (const struct tn_verb *verb = verbs; verb->name; verb++)
                fprintf(stderr, "%s%s", verb == verbs ? "" : ", ", verb->name);
        fputc('\n', stderr);
}

static void print_option(FILE *out, const struct tn_option *option)
{
        fprintf(out, option->required ? " --%s%s%s" : " [--%s%s%s]", option->name, option->value ? " " : "",
                option->value ? option->value : "");
}

/* One line for each verb below this one. */
static void print_usage(FILE *out)
{
        for (const struct tn_verb *verb = running->verbs; verb->name; verb++) {
                fprintf(out, "%s tenonctl %s %s", verb == running->verbs ? "Usage:" : "      ",
                        running->name, verb->name);
                for (const struct tn_option *option = verb->options; option && option->name; option++)
                        print_option(out, option);
                fprintf(out, "%s%s\n", *verb->operands ? " " : "", verb->operands);
        }
}

/* A verb that does nothing without one of its own. */
static int run_group(int argc, char **argv)
{
        const struct tn_cli_value none[] = {{NULL}};

        if (tn_cli_options(&argc, &argv, none))
                print_usage(stderr);
        return TN_EXIT_USAGE;
}

static int run_below(const struct tn_verb *above, int argc, char **argv)
{
        g_autofree char *name = NULL;

        running = find_verb(above->verbs, argv[1]);
        if (!running) {
                fprintf(stderr, "tenonctl %s: unknown action '%s'; known: ", above->name, argv[1]);
                list_names(above->verbs);
                return TN_EXIT_USAGE;
        }
        name = g_strdup_printf("%s %s", above->name, running->name);
        argv[1] = name; /* by which its mistakes are told */
        return running->run(argc - 1, argv + 1);
}

int tn_cli_run(int argc, char **argv)
{
        running = find_verb(tn_verbs, argv[0]);
        if (!running) {
                fprintf(stderr, "tenonctl: unknown verb '%s'; known: ", argv[0]);
                list_names(tn_verbs);
                return TN_EXIT_USAGE;
        }
        if (running->verbs && argc > 1 && argv[1][0] != '-')
                return run_below(running, argc, argv);
        return running->run ? running->run(argc, argv) : run_group(argc, argv);
}

static void append_options(GString *text, const struct tn_option *options)
{
        for (; options->name; options++) {
                g_autofree char *name = g_strdup_printf("--%s%s%s", options->name, options->value ? " " : "",
                                                        options->value ? options->value : "");

                g_string_append_printf(text, "  %-16s %s\n", name, options->help);
        }
}

char *tn_cli_help(void)
{
        GString *text = g_string_new("Usage: tenonctl [OPTIONS] VERB [OPTIONS]\n\nVerbs:\n");

        for (const struct tn_verb *verb = tn_verbs; verb->name; verb++) {
                g_string_append_printf(text, "  %-17s %s\n", verb->name, verb->summary);
                for (const struct tn_verb *below = verb->verbs; below && below->name; below++) {
                        g_autofree char *name = g_strdup_printf("%s %s", verb->name, below->name);

                        g_string_append_printf(text, "  %-17s %s\n", name, below->summary);
                }
        }
        g_string_append(text, "\nOptions:\n");
        append_options(text, tn_common_options);
        append_options(text, tn_first_options);
        g_string_append(text, "\nSee tenonctl(1).\n");
        return g_string_free(text, FALSE);
}
