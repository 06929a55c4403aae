/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* Opens the machine, lets the verb work on it, closes it. */
#include "cli/machine.h"

#include "cli/cli.h"
#include "detect/machine.h"

static int on_recorded(const char *folder, tn_cli_machine_func func, void *data, int failure)
{
        g_autoptr(GError) error = NULL;
        struct tn_env env;
        int status;

        if (!tn_machine_open(&env, folder, &error)) {
                g_autoptr(GError)
                        told = g_error_new(error->domain, error->code, "%s; make one with `%s --record DIR`",
                                           error->message, g_get_prgname());

                return tn_cli_fail_with(told, failure);
        }
        status = func(&env, data);
        tn_machine_close(&env);
        return status;
}

int tn_cli_on_machine(const char *recorded, tn_cli_machine_func func, void *data, int failure)
{
        g_autoptr(GError) error = NULL;
        struct tn_env env;
        int status;

        if (recorded)
                return on_recorded(recorded, func, data, failure);
        if (!tn_env_init_system(&env, NULL, &error))
                return tn_cli_fail_with(error, failure);
        status = func(&env, data);
        tn_env_deinit(&env);
        return status;
}
