/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* tenonctl: one table of verbs; help comes from it. */
#include <glib.h>
#include <locale.h>
#include <stdio.h>
#include <string.h>

#include "agent/config.h"
#include "cli/cli.h"
#include "cli/detect.h"
#include "cli/drivers.h"
#include "lib/env.h"
#include "lib/error.h"
#include "lib/json.h"
#include "lib/names.h"

static const struct verb {
        const char *name, *args, *summary;
        int (*run)(int argc, char **argv);
} verbs[] = {
        {"status", "[--json]", "What machine this is, who talks to the host, what needs attention",
         tn_cli_status},
        {"detect", "[--json] [--record DIR | --machine DIR]", "Which hypervisor, container and cloud",
         tn_cli_detect},
        {"config", "[--json] [--file FILE]", "Settings in force and where they come from; reports mistakes",
         tn_cli_config},
        {"drivers", "[--json] [--all] [--record DIR | --machine DIR]",
         "Devices, their drivers, and what would be better", tn_cli_drivers},
        {"freeze", "--check [--json]", "What a freeze for a snapshot would do, and what not, and why",
         tn_cli_freeze},
        {"health", "[--json]", "Checks, heartbeats, and whether a watchdog may be fed", tn_cli_health},
        {"heartbeat", "list [--json] | run … -- COMMAND | remove NAME",
         "Programs that must say that they are well", tn_cli_heartbeat},
        {"plugins", "[--json]", "Plugins, their state and their commands", tn_cli_plugins},
        {"policy", "[--json]", "What the host may ask, and what would allow the rest", tn_cli_policy},
        {"time", "[setup] [--json] [--watch]", "How right the clock is, and who keeps it", tn_cli_time},
        {"watchdog", "[ACTION] [--json] [--yes]", "The watchdog: status (the default), arm, disarm, test",
         tn_cli_watchdog},
};

static char *socket_path;

static void print_help(FILE *out)
{
        fprintf(out, "Usage: tenonctl [--socket PATH] VERB [OPTIONS]\n\nVerbs:\n");
        for (size_t i = 0; i < G_N_ELEMENTS(verbs); i++)
                fprintf(out, "  %-9s %-44s %s\n", verbs[i].name, verbs[i].args, verbs[i].summary);
        fprintf(out,
                "\n  --socket PATH  ask the agent whose control socket this is\n"
                "  --version      print the version\n"
                "  --help         print this; tenonctl VERB --help explains a verb\n\nSee tenonctl(1).\n");
}

bool tn_cli_options(int *argc, char ***argv, const GOptionEntry *entries, const char *summary)
{
        g_autoptr(GOptionContext) context = g_option_context_new(NULL);
        g_autoptr(GError) error = NULL;
        g_autofree char *verb = g_strdup((*argv)[0]);
        g_autofree char *name = g_strdup_printf("tenonctl %s", verb);

        g_set_prgname(name);
        g_option_context_set_summary(context, summary);
        g_option_context_add_main_entries(context, entries, NULL);
        if (!g_option_context_parse(context, argc, argv, &error)) {
                fprintf(stderr, "tenonctl %s: %s; try tenonctl %s --help\n", verb, error->message, verb);
                return false;
        }
        if (*argc > 1) {
                fprintf(stderr, "tenonctl %s: unexpected argument '%s'; try tenonctl %s --help\n", verb,
                        (*argv)[1], verb);
                return false;
        }
        return true;
}

int tn_cli_fail(const GError *error)
{
        fprintf(stderr, "tenonctl: %s\n", error->message);
        return g_error_matches(error, TN_ERROR, TN_ERROR_NOT_FOUND) ? TN_EXIT_NOT_RUNNING : TN_EXIT_USAGE;
}

void tn_cli_print_json(const json_t *value)
{
        g_autofree char *text = tn_json_pretty(value);

        puts(text);
}

void tn_cli_line(const char *label, const char *format, ...)
{
        va_list args;

        printf("%-12s ", label);
        va_start(args, format);
        vprintf(format, args);
        va_end(args);
        putchar('\n');
}

const char *tn_cli_text(const json_t *object, const char *key)
{
        const char *text = json_string_value(json_object_get(object, key));

        return text ? text : "";
}

char *tn_cli_setting(const char *group, const char *key)
{
        g_autoptr(tn_config_t) config = NULL;
        struct tn_env env;
        char *value = NULL;

        if (!tn_env_init_system(&env, NULL, NULL))
                return NULL;
        config = tn_config_new(&env, TN_PATH_CONFIG, false, NULL);
        if (config)
                value = g_strdup(tn_config_get_nonempty(config, group, key));
        tn_env_deinit(&env);
        return value;
}

const char *tn_cli_socket(void)
{
        if (!socket_path)
                socket_path = tn_cli_setting("agent", "control-socket");
        return socket_path && *socket_path ? socket_path : TN_PATH_CONTROL;
}

static int run_verb(int argc, char **argv)
{
        for (size_t i = 0; i < G_N_ELEMENTS(verbs); i++)
                if (g_str_equal(verbs[i].name, argv[0]))
                        return verbs[i].run(argc, argv);
        fprintf(stderr, "tenonctl: unknown verb '%s'; known:", argv[0]);
        for (size_t i = 0; i < G_N_ELEMENTS(verbs); i++)
                fprintf(stderr, " %s", verbs[i].name);
        fputc('\n', stderr);
        return TN_EXIT_USAGE;
}

int main(int argc, char **argv)
{
        int i = 1;

        setlocale(LC_ALL, "");
        for (; i < argc && argv[i][0] == '-'; i++) {
                if (g_str_equal(argv[i], "--socket") && i + 1 < argc) {
                        socket_path = g_strdup(argv[++i]);
                } else if (g_str_has_prefix(argv[i], "--socket=")) {
                        socket_path = g_strdup(strchr(argv[i], '=') + 1);
                } else if (g_str_equal(argv[i], "--help") || g_str_equal(argv[i], "-h")) {
                        print_help(stdout);
                        return TN_EXIT_OK;
                } else if (g_str_equal(argv[i], "--version") || g_str_equal(argv[i], "-V")) {
                        printf("Tenon %s\n", TN_VERSION);
                        return TN_EXIT_OK;
                } else {
                        fprintf(stderr, "tenonctl: unknown option '%s'; try tenonctl --help\n", argv[i]);
                        return TN_EXIT_USAGE;
                }
        }
        if (i == argc) {
                print_help(stderr);
                return TN_EXIT_USAGE;
        }
        return run_verb(argc - i, argv + i);
}
