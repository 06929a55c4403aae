/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * tenonctl status: one screen. What needs attention comes first, then one row for each part. Without an
 * agent it says so first, and still tells what can be seen from here.
 */
#include <stdio.h>

#include "agent/hardware.h"
#include "cli/cli.h"
#include "cli/client.h"
#include "cli/drivers.h"
#include "cli/machine.h"
#include "cli/status-rows.h"
#include "detect/detect.h"
#include "lib/env.h"
#include "lib/error.h"
#include "lib/problems.h"
#include "pvdrivers/judge.h"
#include "pvdrivers/platform.h"

static void print_status(const struct tn_env *env, const json_t *status, const json_t *clock)
{
        json_auto_t *inventory = tn_cli_inventory(env, NULL);
        const struct tn_status_view view = {env, status, clock, inventory};

        tn_status_print_attention(&view);
        tn_status_print_parts(&view);
}

/* The members of tenon-get-status that need no agent. */
static json_t *look_around(const struct tn_env *env, const GError *error)
{
        json_t *health = json_pack("{s:s}", "state", "not-running");
        g_autoptr(tn_detect_t) detected = tn_detect_run(env);
        g_autoptr(tn_catalogue_t) catalogue = tn_catalogue_new(env, NULL);

        tn_problems_add(health, "systemctl start tenond", "%s", error->message);
        return json_pack("{s:o, s:o, s:o, s:o}", "health", health, "hypervisor", tn_detect_to_json(detected),
                         "drivers", tn_judge_machine(env, catalogue, tn_platform_of(detected)), "time",
                         tn_hardware_time(env));
}

static int without_agent(const struct tn_env *env, const GError *error)
{
        json_auto_t *value = NULL;
        int status;

        if (!g_error_matches(error, TN_ERROR, TN_ERROR_NOT_FOUND))
                return tn_cli_fail(error);
        status = tn_cli_complain(error);
        value = look_around(env, error);
        json_object_set_new(value, "error", tn_cli_error_json(error, status));
        if (tn_cli_wants_json())
                tn_cli_print_json(value);
        else
                print_status(env, value, NULL);
        return status;
}

static int show(const struct tn_env *env, void *data)
{
        g_autoptr(GError) error = NULL;
        json_auto_t *status = tn_client_ask(tn_cli_socket(), "tenon-get-status", &error);
        json_auto_t *clock = NULL;

        (void) data;
        if (!status)
                return without_agent(env, error);
        if (tn_cli_wants_json()) {
                tn_cli_print_json(status);
        } else {
                clock = tn_client_ask(tn_cli_socket(), "tenon-get-time-status", NULL); /* NULL: no plugin */
                print_status(env, status, clock);
        }
        return g_str_equal(tn_cli_text(json_object_get(status, "health"), "state"), "ok") ? TN_EXIT_OK
                                                                                          : TN_EXIT_NO;
}

int tn_cli_status(int argc, char **argv)
{
        gboolean json = FALSE;
        const struct tn_cli_value values[] = {{"json", &json}, {NULL}};

        return tn_cli_options(&argc, &argv, values) ? tn_cli_on_machine(NULL, show, NULL, TN_EXIT_USAGE)
                                                    : TN_EXIT_USAGE;
}
