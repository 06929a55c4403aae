/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * The marker, qga.state.isfrozen as qemu-ga calls it. It holds the boot id: other than qemu-ga's, it means
 * nothing after a reboot, for a reboot thaws everything.
 */
#define _GNU_SOURCE
#include "plugins/freeze/marker.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/env.h"
#include "lib/fd.h"
#include "lib/names.h"
#include "plugins/freeze/mounts.h"

#define NAME         "qga.state.isfrozen"
#define BOOT_ID_PATH "proc/sys/kernel/random/boot_id"

static const char *const memory_types[] = {"tmpfs", "ramfs"};

/* Where a marker may be. @directories has room for two. */
static size_t candidates(struct tenon_host *host, const char **directories)
{
        const char *statedir = host->config(host, "agent", "statedir");
        size_t n = 0;

        if (statedir)
                directories[n++] = statedir;
        directories[n++] = TN_PATH_RUNDIR;
        return n;
}

static bool is_in_memory(const struct freeze_plan *plan, const char *directory)
{
        const struct freeze_mount *mount = freeze_mounts_find(plan->mounts, directory);

        for (size_t i = 0; mount && i < G_N_ELEMENTS(memory_types); i++)
                if (strcmp(mount->type, memory_types[i]) == 0)
                        return true;
        return false;
}

static char *relative(const char *directory, const char *name)
{
        return g_strdup_printf("%s/%s", directory + strspn(directory, "/"), name);
}

/* By a temporary name, so that a reader never sees half of it. */
static bool write_file(struct tenon_host *host, const char *directory, const char *text)
{
        g_autofree char *path = relative(directory, NAME), *temporary = relative(directory, "." NAME);
        tn_autofd int fd = openat(host->root_fd, temporary,
                                  O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);

        if (fd < 0 || write(fd, text, strlen(text)) != (ssize_t) strlen(text))
                return false;
        return renameat(host->root_fd, temporary, host->root_fd, path) == 0;
}

void freeze_marker_write(struct tenon_host *host, const struct freeze_plan *plan, struct freeze_board *board)
{
        const char *directories[2];
        size_t n = candidates(host, directories);
        g_autofree char *boot_id = tn_env_read_line(host->env, BOOT_ID_PATH);

        for (size_t i = 0; boot_id && i < n; i++) {
                g_autofree char *path = relative(directories[i], NAME);

                if (strlen(path) >= sizeof board->marker || !is_in_memory(plan, directories[i]) ||
                    !write_file(host, directories[i], boot_id))
                        continue;
                (void) g_strlcpy(board->marker, path, sizeof board->marker);
                return;
        }
        host->log(host, 7, "no marker of the freeze: no state directory is in memory");
}

void freeze_marker_remove(struct tenon_host *host, const struct freeze_plan *plan)
{
        const char *directories[2];
        size_t n = candidates(host, directories);

        for (size_t i = 0; i < n; i++) {
                g_autofree char *path = relative(directories[i], NAME);

                if (is_in_memory(plan, directories[i]))
                        (void) unlinkat(host->root_fd, path, 0); /* mostly it is in one of them only */
        }
}

bool freeze_marker_found(struct tenon_host *host, const struct freeze_plan *plan)
{
        const char *directories[2];
        size_t n = candidates(host, directories);
        g_autofree char *boot_id = tn_env_read_line(host->env, BOOT_ID_PATH);
        bool found = false;

        for (size_t i = 0; i < n; i++) {
                g_autofree char *path = relative(directories[i], NAME);
                g_autofree char *text = NULL;

                if (!tn_env_exists(host->env, path))
                        continue;
                text = tn_env_read_line(host->env, path);
                /* One of another boot may lie on a disk, where a restored snapshot brought it. */
                if (text && g_strcmp0(text, boot_id) != 0 && unlinkat(host->root_fd, path, 0) == 0)
                        host->log(host, 6, "removed /%s, which is of another boot", path);
                else
                        found |= is_in_memory(plan, directories[i]);
        }
        return found;
}
