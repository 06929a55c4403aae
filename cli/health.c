/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* tenonctl health: what needs attention, the gate, the checks and the heartbeats. */
#include <stdio.h>

#include "cli/ask.h"
#include "cli/cli.h"
#include "cli/heartbeat.h"
#include "cli/status-rows.h"
#include "cli/table.h"
#include "cli/when.h"

static void print_gate(const json_t *gate)
{
        g_autofree char *since = tn_when_text((time_t) json_integer_value(json_object_get(gate, "since")));

        if (json_is_true(json_object_get(gate, "feed")))
                tn_cli_line("Gate", "open: a watchdog may be fed");
        else
                tn_cli_line("Gate", "closed since %s: %s", since, tn_cli_text(gate, "reason"));
}

static void print_checks(const json_t *checks)
{
        const char *headers[] = {"CHECK", "TYPE", "STATE", "REQUIRED", "NOW", NULL};
        struct libscols_table *table = tn_table_new(headers);
        json_t *row;
        size_t i;

        json_array_foreach(checks, i, row)
        {
                const char *cells[] = {tn_cli_text(row, "name"), tn_cli_text(row, "type"),
                                       tn_cli_text(row, "state"),
                                       json_is_true(json_object_get(row, "required")) ? "yes" : "no",
                                       tn_cli_text(row, "message")};

                tn_table_add(table, cells);
        }
        tn_table_print(table);
}

static void print_health(const json_t *reply)
{
        const json_t *beats = json_object_get(reply, "heartbeats");
        const char *problem = tn_cli_text(json_object_get(reply, "heartbeat-access"), "socket-problem");

        tn_status_print_problems(json_object_get(reply, "health"));
        if (*problem)
                tn_cli_line("Attention", "no heartbeat socket: %s", problem);
        print_gate(json_object_get(reply, "gate"));
        putchar('\n');
        print_checks(json_object_get(reply, "checks"));
        if (json_array_size(beats) > 0) {
                putchar('\n');
                tn_cli_print_heartbeats(beats);
        }
}

static bool is_well(const json_t *reply)
{
        return g_str_equal(tn_cli_text(json_object_get(reply, "health"), "state"), "ok");
}

int tn_cli_health(int argc, char **argv)
{
        static const struct tn_question question = {"tenon-get-health", NULL, tn_alone_health, print_health,
                                                    is_well};

        return tn_ask_verb(argc, argv, &question);
}
