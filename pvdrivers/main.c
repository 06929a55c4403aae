/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* tenon-drivers: what wants rights that the agent has not, one verb a run. Started by tenon-drivers.service
 * and, for the host's commands, by the agent as a unit of its own. */
#include <locale.h>
#include <stdio.h>
#include <string.h>

#include "lib/env.h"
#include "lib/json.h"
#include "lib/log.h"
#include "lib/names.h"
#include "pvdrivers/program.h"

static const struct {
        const char *name, *summary;
        int (*run)(const struct tn_env *env, int argc, char **argv);
} verbs[] = {
        {"load", "Let in the drivers that this machine wants and has not got", tn_program_load},
        {"inventory", "Devices, drivers and advice, as JSON", tn_program_inventory},
        {"plan", "What a move to another hypervisor would meet, as JSON", tn_program_plan},
        {"prepare", "Make this guest ready for another hypervisor", tn_program_prepare},
        {"undo", "Take back what prepare did", tn_program_undo},
        {"install", "Install drivers that the kernels here lack", tn_program_install},
};

static void print_help(FILE *out)
{
        fprintf(out, "Usage: tenon-drivers VERB [OPTIONS]\n\nVerbs:\n");
        for (size_t i = 0; i < G_N_ELEMENTS(verbs); i++)
                fprintf(out, "  %-10s %s\n", verbs[i].name, verbs[i].summary);
        fprintf(out, "\nPeople use tenonctl drivers. See tenon-drivers(8).\n");
}

bool tn_program_options(int *argc, char ***argv, const GOptionEntry *entries, const char *summary)
{
        g_autoptr(GOptionContext) context = g_option_context_new(NULL);
        g_autofree char *verb = g_strdup((*argv)[0]), *name = g_strdup_printf("tenon-drivers %s", verb);
        g_autoptr(GError) error = NULL;

        g_set_prgname(name);
        g_option_context_set_summary(context, summary);
        g_option_context_add_main_entries(context, entries, NULL);
        if (!g_option_context_parse(context, argc, argv, &error)) {
                fprintf(stderr, "%s: %s; try %s --help\n", name, error->message, name);
                return false;
        }
        if (*argc > 1) {
                fprintf(stderr, "%s: unexpected argument '%s'; try %s --help\n", name, (*argv)[1], name);
                return false;
        }
        return true;
}

void tn_program_print_json(const json_t *value)
{
        g_autofree char *line = tn_json_line(value);

        puts(line);
}

static int run_verb(const struct tn_env *env, int argc, char **argv)
{
        for (size_t i = 0; i < G_N_ELEMENTS(verbs); i++)
                if (g_str_equal(verbs[i].name, argv[0]))
                        return verbs[i].run(env, argc, argv);
        fprintf(stderr, "tenon-drivers: unknown verb '%s'; try tenon-drivers --help\n", argv[0]);
        return TN_PROGRAM_USAGE;
}

int main(int argc, char **argv)
{
        g_autoptr(tn_log_t) log = tn_log_new_brief("tenon-drivers", TN_LOG_INFO);
        g_autoptr(GError) error = NULL;
        struct tn_env env;
        int status;

        setlocale(LC_ALL, "");
        if (argc < 2 || g_str_equal(argv[1], "--help") || g_str_equal(argv[1], "-h")) {
                print_help(argc < 2 ? stderr : stdout);
                return argc < 2 ? TN_PROGRAM_USAGE : 0;
        }
        if (g_str_equal(argv[1], "--version") || g_str_equal(argv[1], "-V")) {
                printf("Tenon %s\n", TN_VERSION);
                return 0;
        }
        if (!tn_env_init_system(&env, log, &error)) {
                fprintf(stderr, "tenon-drivers: %s\n", error->message);
                return TN_PROGRAM_FAILED;
        }
        status = run_verb(&env, argc - 1, argv + 1);
        tn_env_deinit(&env);
        return status;
}
