/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* Looks through /proc/PID/fd of all processes for the device's number, so another node of it is found, too.
 */
#define _GNU_SOURCE
#include "lib/holder.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/fd.h"

static bool has_open(const struct tn_env *env, const char *pid, dev_t rdev)
{
        g_autofree char *folder = g_strdup_printf("proc/%s/fd", pid);
        g_auto(GStrv) fds = tn_env_list(env, folder);
        tn_autofd int dir = fds ? tn_env_open(env, folder, O_PATH | O_DIRECTORY, NULL) : -1;

        for (size_t i = 0; dir >= 0 && fds[i]; i++) {
                struct stat link, st;

                /* The link's mode tells how the file is open (fs/proc/fd.c): a node that somebody only looks
                 * at, by O_PATH, has neither bit. */
                if (fstatat(dir, fds[i], &link, AT_SYMLINK_NOFOLLOW) < 0 ||
                    !(link.st_mode & (S_IRUSR | S_IWUSR)))
                        continue;
                if (fstatat(dir, fds[i], &st, 0) == 0 && S_ISCHR(st.st_mode) && st.st_rdev == rdev)
                        return true;
        }
        return false;
}

char *tn_holder_find(const struct tn_env *env, const char *path)
{
        tn_autofd int node = tn_env_open(env, path + strspn(path, "/"), O_PATH, NULL);
        g_auto(GStrv) processes = tn_env_list(env, "proc");
        struct stat st;

        if (node < 0 || fstat(node, &st) < 0 || !S_ISCHR(st.st_mode))
                return NULL;
        for (size_t i = 0; processes && processes[i]; i++) {
                g_autofree char *path_of_name = g_strdup_printf("proc/%s/comm", processes[i]);
                g_autofree char *name = NULL;

                if (!g_ascii_isdigit(processes[i][0]) || !has_open(env, processes[i], st.st_rdev))
                        continue;
                name = tn_env_read_line(env, path_of_name);
                return g_strdup_printf("%s (pid %s)", name ? name : "a process", processes[i]);
        }
        return NULL;
}

char *tn_holder_find_watchdog(const struct tn_env *env, const char *device)
{
        g_autofree char *path = g_strdup_printf("dev/%s", device);
        char *found = tn_holder_find(env, path);

        return found || !g_str_equal(device, "watchdog0") ? found : tn_holder_find(env, "dev/watchdog");
}
