/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* tenon-drivers plan: what `tenonctl drivers plan --json` prints, in one line, for the agent. */
#include <stdio.h>

#include "lib/json.h"
#include "pvdrivers/plan-request.h"
#include "pvdrivers/program.h"

static int print_plan(const struct tn_env *env, const char *target, const char *devices)
{
        g_autoptr(GPtrArray) mistakes = g_ptr_array_new_with_free_func(g_free);
        g_autoptr(GError) error = NULL;
        g_autoptr(tn_plan_t) plan = tn_plan_request(env, target, devices, mistakes, &error);
        json_auto_t *value = NULL;

        if (!plan) {
                fprintf(stderr, "%s\n", error->message);
                return TN_PROGRAM_FAILED;
        }
        value = tn_plan_to_json(plan);
        json_object_set_new(value, "mistakes", tn_json_texts(mistakes));
        tn_program_print_json(value);
        return TN_PROGRAM_OK;
}

int tn_program_plan(const struct tn_env *env, int argc, char **argv)
{
        g_autofree char *target = NULL, *devices = NULL;
        gboolean json = FALSE;
        const GOptionEntry entries[] = {
                {"target", 0, 0, G_OPTION_ARG_STRING, &target, "Where to: kvm, vmware, …", "PLATFORM"},
                {"devices", 0, 0, G_OPTION_ARG_STRING, &devices, "Modules of the devices that are there",
                 "MODULE,…"},
                {"json", 0, 0, G_OPTION_ARG_NONE, &json, "Print JSON, which it does anyway", NULL},
                {NULL},
        };

        if (!tn_program_options(&argc, &argv, entries,
                                "Prints what a move to another hypervisor would meet."))
                return TN_PROGRAM_USAGE;
        return print_plan(env, target, devices);
}
