/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * Another's /proc/PID/fd can be read only with CAP_SYS_PTRACE, which the agent does not have under systemd:
 * then it goes by the names of the programs that are known to hold watchdogs. tenonctl, run by root, sees
 * all.
 */
#define _GNU_SOURCE
#include "plugins/watchdog/owner.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "lib/fd.h"

static const char *const known[] = {"watchdogd", "watchdog",     "wd_keepalive",
                                    "sbd",       "watchdog-mux", "corosync"};

static bool has_open(const struct tn_env *env, const char *pid, dev_t rdev)
{
        g_autofree char *folder = g_strdup_printf("proc/%s/fd", pid);
        g_auto(GStrv) fds = tn_env_list(env, folder);
        tn_autofd int dir = fds ? tn_env_open(env, folder, O_PATH | O_DIRECTORY, NULL) : -1;

        for (size_t i = 0; dir >= 0 && fds[i]; i++) {
                struct stat st;

                if (fstatat(dir, fds[i], &st, 0) == 0 && S_ISCHR(st.st_mode) && st.st_rdev == rdev)
                        return true;
        }
        return false;
}

char *watchdog_owner_find(const struct tn_env *env, const char *device)
{
        g_autofree char *path = g_strdup_printf("dev/%s", device);
        tn_autofd int node = tn_env_open(env, path, O_PATH, NULL);
        g_auto(GStrv) processes = tn_env_list(env, "proc");
        g_autofree char *guess = NULL;
        struct stat st = {0};
        bool seen = node >= 0 && fstat(node, &st) == 0 && S_ISCHR(st.st_mode);

        for (size_t i = 0; processes && processes[i]; i++) {
                g_autofree char *comm = g_strdup_printf("proc/%s/comm", processes[i]);
                g_autofree char *name = g_ascii_isdigit(processes[i][0]) ? tn_env_read_line(env, comm)
                                                                         : NULL;

                if (!name)
                        continue;
                if (seen && has_open(env, processes[i], st.st_rdev))
                        return g_strdup_printf("%s (pid %s)", name, processes[i]);
                for (size_t k = 0; !guess && k < G_N_ELEMENTS(known); k++)
                        if (g_str_equal(known[k], name))
                                guess = g_strdup_printf("probably %s (pid %s)", name, processes[i]);
        }
        return g_steal_pointer(&guess);
}
