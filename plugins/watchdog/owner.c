/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * Another's /proc/PID/fd can be read only with CAP_SYS_PTRACE, which the agent does not have under systemd:
 * then it goes by the names of the programs that are known to hold watchdogs. tenonctl, run by root, sees
 * all.
 */
#include "plugins/watchdog/owner.h"

#include "lib/holder.h"

static const char *const known[] = {"watchdogd", "watchdog", "wd_keepalive", "sbd", "watchdog-mux",
                                    "corosync",  NULL};

char *watchdog_owner_find(const struct tn_env *env, const char *device)
{
        char *found = tn_holder_find_watchdog(env, device);
        g_auto(GStrv) processes = found ? NULL : tn_env_list(env, "proc");

        for (size_t i = 0; !found && processes && processes[i]; i++) {
                g_autofree char *comm = g_strdup_printf("proc/%s/comm", processes[i]);
                g_autofree char *name = g_ascii_isdigit(processes[i][0]) ? tn_env_read_line(env, comm)
                                                                         : NULL;

                if (name && g_strv_contains(known, name))
                        found = g_strdup_printf("probably %s (pid %s)", name, processes[i]);
        }
        return found;
}
