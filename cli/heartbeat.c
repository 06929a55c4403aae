/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* tenonctl heartbeat list, and the options of tenonctl heartbeat run. */
#include "cli/heartbeat.h"

#include <stdio.h>
#include <string.h>

#include "cli/ask.h"
#include "cli/cli.h"
#include "cli/table.h"
#include "lib/names.h"

void tn_cli_print_heartbeats(const json_t *heartbeats)
{
        const char *headers[] = {"HEARTBEAT", "STATE", "REQUIRED", "TIMEOUT", "UID",
                                 "PID",       "BEATS", "WHY",      NULL};
        struct libscols_table *table = tn_table_new(headers);
        json_t *row;
        size_t i;

        json_array_foreach(heartbeats, i, row)
        {
                json_int_t process = json_integer_value(json_object_get(row, "pid"));
                g_autofree char *timeout = g_strdup_printf(
                        "%.0f s", (double) json_integer_value(json_object_get(row, "timeout-ms")) / 1000);
                g_autofree char *uid = g_strdup_printf("%" JSON_INTEGER_FORMAT,
                                                       json_integer_value(json_object_get(row, "uid")));
                g_autofree char *pid = process ? g_strdup_printf("%" JSON_INTEGER_FORMAT, process) : NULL;
                g_autofree char *beats = g_strdup_printf("%" JSON_INTEGER_FORMAT,
                                                         json_integer_value(json_object_get(row, "beats")));
                const char *cells[] = {tn_cli_text(row, "name"),
                                       tn_cli_text(row, "state"),
                                       json_is_true(json_object_get(row, "required")) ? "yes" : "no",
                                       timeout,
                                       uid,
                                       pid,
                                       beats,
                                       tn_cli_text(row, "reason")};

                tn_table_add(table, cells);
        }
        tn_table_print(table);
}

static bool all_beat(const json_t *heartbeats)
{
        json_t *row;
        size_t i;

        json_array_foreach(heartbeats, i,
                           row) if (!g_str_equal(tn_cli_text(row, "state"), "ok")) return false;
        return true;
}

int tn_cli_heartbeat_list(int argc, char **argv)
{
        static const struct tn_question question = {"tenon-get-health", "heartbeats", NULL,
                                                    tn_cli_print_heartbeats, all_beat};

        return tn_ask_verb(argc, argv, &question);
}

static int usage(const char *why)
{
        fprintf(stderr, "tenonctl heartbeat run: %s; try tenonctl heartbeat run --help\n", why);
        return TN_EXIT_USAGE;
}

int tn_cli_heartbeat_run(int argc, char **argv)
{
        struct tn_heartbeat_run run = {.timeout = 60};
        g_autofree char *name = NULL, *path = NULL, *configured = NULL;
        const struct tn_cli_value values[] = {{"name", &name},
                                              {"timeout", &run.timeout},
                                              {"required", &run.required},
                                              {"heartbeat-socket", &path},
                                              {NULL}};
        int own = 0;

        while (own < argc && !g_str_equal(argv[own], "--"))
                own++;
        run.command = own + 1 < argc ? argv + own + 1 : NULL;
        if (!tn_cli_options(&own, &argv, values))
                return TN_EXIT_USAGE;
        if (!name)
                return usage("--name is missing");
        if (!run.command)
                return usage("there is no command; write it after --");
        if (run.timeout < 1 || run.timeout > 86400)
                return usage("--timeout is 1 to 86400 seconds");
        configured = path ? NULL : tn_cli_setting("heartbeat", "socket");
        run.name = name;
        run.socket = path ? path : configured ? configured : (char *) TN_PATH_HEARTBEAT;
        return tn_heartbeat_run(&run);
}

/* For one that is missed and will not come back: a required one keeps the gate closed. */
int tn_cli_heartbeat_remove(int argc, char **argv)
{
        g_autofree char *path = NULL, *configured = NULL, *message = NULL;
        gboolean json = FALSE;
        const struct tn_cli_value values[] = {{"json", &json}, {"heartbeat-socket", &path}, {NULL}};
        const char *name = argc > 1 && argv[1][0] != '-' ? argv[1] : NULL;
        struct tn_heartbeat_client client = {.fd = -1};
        g_autoptr(GError) error = NULL;
        bool ok;

        if (name) {
                argv[1] = argv[0];
                argc--;
                argv++;
        }
        if (!tn_cli_options(&argc, &argv, values))
                return TN_EXIT_USAGE;
        if (!name) {
                fprintf(stderr,
                        "tenonctl heartbeat remove: the name is missing; see tenonctl heartbeat list\n");
                return TN_EXIT_USAGE;
        }
        configured = path ? NULL : tn_cli_setting("heartbeat", "socket");
        message = g_strdup_printf(TN_BEAT_UNREGISTER "=%s", name);
        ok = tn_heartbeat_client_init(&client,
                                      path         ? path
                                      : configured ? configured
                                                   : TN_PATH_HEARTBEAT,
                                      &error) &&
             tn_heartbeat_client_ask(&client, message, &error);
        tn_heartbeat_client_deinit(&client);
        if (!ok)
                return tn_cli_fail(error);
        if (json)
                puts("{}");
        return TN_EXIT_OK;
}
