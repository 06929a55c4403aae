/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* tenonctl: the options before the verb, and what the verbs share. */
#include <glib.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/config.h"
#include "cli/cli.h"
#include "cli/options.h"
#include "cli/verbs.h"
#include "lib/env.h"
#include "lib/error.h"
#include "lib/json.h"
#include "lib/names.h"

static char *socket_path;

static void complain(const char *who, const char *text)
{
        g_autofree char *clean = tn_screen_escape(text);

        fprintf(stderr, "%s: %s\n", who, clean);
}

void tn_cli_warn(const char *text)
{
        complain(g_get_prgname(), text);
}

int tn_cli_complain(const GError *error)
{
        complain("tenonctl", error->message);
        return g_error_matches(error, TN_ERROR, TN_ERROR_NOT_FOUND) ? TN_EXIT_NOT_RUNNING : TN_EXIT_USAGE;
}

json_t *tn_cli_error_json(const GError *error, int status)
{
        int code = error->domain == TN_ERROR ? error->code : TN_ERROR_FAILED;

        return json_pack("{s:s, s:o, s:i}", "code", tn_error_name(code), "message",
                         tn_json_text(error->message), "exit-status", status);
}

static int tell_json(const GError *error, int status)
{
        json_auto_t *value = NULL;
        g_autofree char *line = NULL;

        if (!tn_cli_wants_json())
                return status;
        value = json_pack("{s:o}", "error", tn_cli_error_json(error, status));
        line = tn_json_line(value);
        puts(line);
        return status;
}

int tn_cli_fail(const GError *error)
{
        return tell_json(error, tn_cli_complain(error));
}

int tn_cli_fail_with(const GError *error, int status)
{
        tn_cli_warn(error->message);
        return tell_json(error, status);
}

bool tn_cli_is_root(const char *why, int failure)
{
        g_autoptr(GError) error = NULL;

        if (geteuid() == 0)
                return true;
        (void) tn_error_set(&error, TN_ERROR_DENIED, "%s", why);
        (void) tn_cli_fail_with(error, failure);
        return false;
}

void tn_cli_print_json(const json_t *value)
{
        g_autofree char *text = tn_json_pretty(value);

        puts(text);
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

void tn_cli_set_socket(const char *path)
{
        g_free(socket_path);
        socket_path = g_strdup(path);
}

const char *tn_cli_socket(void)
{
        if (!socket_path)
                socket_path = tn_cli_setting("agent", "control-socket");
        return socket_path && *socket_path ? socket_path : TN_PATH_CONTROL;
}

static int wrong(const char *option)
{
        fprintf(stderr, "tenonctl: unknown option '%s'; try tenonctl --help\n", option);
        return TN_EXIT_USAGE;
}

static int print_help(FILE *out, int status)
{
        g_autofree char *help = tn_cli_help();

        fputs(help, out);
        return status;
}

/* --NAME VALUE or --NAME=VALUE at *at; steps over it. */
static bool take_common(int argc, char **argv, int *at)
{
        g_autoptr(GError) error = NULL;
        const char *equals = strchr(argv[*at], '='), *value = equals ? equals + 1 : NULL;
        g_autofree char *name = g_strndup(argv[*at],
                                          equals ? (gsize) (equals - argv[*at]) : strlen(argv[*at]));

        for (const struct tn_option *option = tn_common_options; option->name; option++) {
                if (!g_str_has_prefix(name, "--") || !g_str_equal(name + 2, option->name))
                        continue;
                if (!value && *at + 1 < argc)
                        value = argv[++*at];
                if (value && tn_cli_set_common(option->name, value, &error))
                        return true;
                fprintf(stderr, "tenonctl: %s; try tenonctl --help\n",
                        error ? error->message : "the value of the option is missing");
                exit(TN_EXIT_USAGE);
        }
        return false;
}

int main(int argc, char **argv)
{
        int i = 1;

        setlocale(LC_ALL, "");
        for (; i < argc && argv[i][0] == '-'; i++) {
                if (take_common(argc, argv, &i))
                        continue;
                if (g_str_equal(argv[i], "--help") || g_str_equal(argv[i], "-h"))
                        return print_help(stdout, TN_EXIT_OK);
                if (!g_str_equal(argv[i], "--version") && !g_str_equal(argv[i], "-V"))
                        return wrong(argv[i]);
                printf("Tenon %s\n", TN_VERSION);
                return TN_EXIT_OK;
        }
        return i < argc ? tn_cli_run(argc - i, argv + i) : print_help(stderr, TN_EXIT_USAGE);
}
