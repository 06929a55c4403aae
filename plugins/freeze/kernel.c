/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * The real system calls. The surprising thing is open: a path of the machine's mount table may lead
 * somewhere else in our own mount namespace, or by now, so what was opened is compared with the table by
 * its mount id. Until then it is only an O_PATH descriptor: opening the root of a FUSE file system for
 * reading would ask its server.
 */
#define _GNU_SOURCE
#include "plugins/freeze/kernel.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "lib/fd.h"

static const char *const tables[] = {"/proc/1/mountinfo", "/proc/self/mountinfo"};

/* proc_pid_fdinfo(5): "mnt_id:" is the first column of mountinfo. */
static int mount_id(int fd)
{
        char path[64], line[128];
        int id = -1;
        FILE *file;

        (void) snprintf(path, sizeof path, "/proc/self/fdinfo/%d", fd);
        file = fopen(path, "re");
        while (file && fgets(line, sizeof line, file))
                if (sscanf(line, "mnt_id: %d", &id) == 1)
                        break;
        if (file)
                (void) fclose(file);
        return id;
}

/* Calls back for no line but counts: how many mounts of @device a table has, and whether one is @id. */
static bool search(const char *table, int id, uint64_t device, bool *ret_mounted)
{
        FILE *file = fopen(table, "re");
        size_t size = 0;
        char *line = NULL;
        bool found = false;

        while (file && !found && getline(&line, &size, file) >= 0) {
                unsigned minor_number, major_number;
                int line_id;

                if (sscanf(line, "%d %*d %u:%u", &line_id, &major_number, &minor_number) != 3 ||
                    makedev(major_number, minor_number) != (dev_t) device)
                        continue;
                *ret_mounted = true;
                found = line_id == id;
        }
        free(line);
        if (file)
                (void) fclose(file);
        return found;
}

static bool leads_to(int fd, uint64_t device, bool *ret_mounted)
{
        int id = fd >= 0 ? mount_id(fd) : -1;

        for (size_t i = 0; i < sizeof tables / sizeof *tables; i++)
                if (search(tables[i], id, device, ret_mounted))
                        return true;
        return false;
}

/* A descriptor on which ioctl(2) works. Devices and FIFOs, which a bind mount may put anywhere, are left
 * alone: opening those does something. */
static int open_for_real(int path_fd)
{
        struct stat st;
        char path[64];
        int fd;

        if (fstat(path_fd, &st) < 0)
                return -errno;
        if (!S_ISDIR(st.st_mode) && !S_ISREG(st.st_mode))
                return -ESTALE;
        (void) snprintf(path, sizeof path, "/proc/self/fd/%d", path_fd);
        fd = open(path, O_RDONLY | O_NONBLOCK | O_NOATIME | O_CLOEXEC);
        if (fd < 0 && errno == EPERM) /* O_NOATIME is for the owner */
                fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
        return fd < 0 ? -errno : fd;
}

/* By our own namespace's path, then by that of the machine's first process. */
static int try_target(const char *target, uint64_t device, bool *ret_mounted)
{
        static const char *const roots[] = {"", "/proc/1/root"};
        int r = -ESTALE;

        for (size_t i = 0; i < sizeof roots / sizeof *roots; i++) {
                size_t size = strlen(roots[i]) + strlen(target) + 1;
                char *path = malloc(size);
                tn_autofd int path_fd = -1;

                if (!path)
                        return -ENOMEM;
                (void) snprintf(path, size, "%s%s", roots[i], target);
                path_fd = open(path, O_PATH | O_CLOEXEC);
                free(path);
                if (leads_to(path_fd, device, ret_mounted))
                        return open_for_real(path_fd);
        }
        return r;
}

static int linux_open(const char *targets, uint64_t device)
{
        bool mounted = false;
        int r = -ESTALE;

        for (const char *target = targets; *target; target += strlen(target) + 1) {
                r = try_target(target, device, &mounted);
                if (r >= 0)
                        return r;
        }
        return mounted ? r : -ENODEV;
}

static int linux_flush(int fd, const char *path)
{
        (void) path;
        return syncfs(fd) < 0 ? -errno : 0;
}

static int linux_freeze(int fd, const char *path)
{
        (void) path;
        return ioctl(fd, FIFREEZE, 0) < 0 ? -errno : 0;
}

static int linux_thaw(int fd, const char *path)
{
        (void) path;
        return ioctl(fd, FITHAW, 0) < 0 ? -errno : 0;
}

static int linux_trim(int fd, const char *path, uint64_t *minimum, uint64_t *ret_trimmed)
{
        struct fstrim_range range = {.len = UINT64_MAX, .minlen = *minimum};

        (void) path;
        if (ioctl(fd, FITRIM, &range) < 0)
                return -errno;
        *minimum = range.minlen;
        *ret_trimmed = range.len;
        return 0;
}

const struct freeze_kernel freeze_kernel_linux = {
        .open = linux_open,
        .flush = linux_flush,
        .freeze = linux_freeze,
        .thaw = linux_thaw,
        .trim = linux_trim,
};

static const struct freeze_kernel *in_use = &freeze_kernel_linux;

const struct freeze_kernel *freeze_kernel_get(void)
{
        return in_use;
}

void freeze_kernel_set(const struct freeze_kernel *kernel)
{
        in_use = kernel ? kernel : &freeze_kernel_linux;
}
