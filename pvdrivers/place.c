/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * Replacing files. The surprising thing is tn_place_settle(): after fsync() a rename is safe in the file
 * system's journal, but a boot loader that does not replay the journal still sees the folder as it was, with
 * blocks that may already belong to something else.
 */
#define _GNU_SOURCE
#include "pvdrivers/place.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/magic.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/error.h"
#include "lib/fd.h"

#ifndef EXT4_IOC_CHECKPOINT
#define EXT4_IOC_CHECKPOINT _IOW('f', 43, uint32_t) /* linux/fs/ext4/ext4.h; Linux 5.14 */
#endif

bool tn_place_open(struct tn_place *place, const struct tn_env *env, const char *path, GError **error)
{
        g_autofree char *folder = g_path_get_dirname(path);
        int fd = tn_env_open(env, folder, O_RDONLY | O_DIRECTORY, error);

        if (fd < 0)
                return false;
        *place = (struct tn_place){fd, g_path_get_basename(path), g_strdup(path), !env->recorded};
        return true;
}

void tn_place_close(struct tn_place *place)
{
        if (!place->path)
                return;
        tn_fd_close(&place->dir_fd);
        g_clear_pointer(&place->name, g_free);
        g_clear_pointer(&place->path, g_free);
}

char *tn_place_temp_name(const struct tn_place *place, const char *tag)
{
        return g_strdup_printf(".%s.tenon-%s", place->name, tag);
}

int tn_place_create(const struct tn_place *place, const char *name, GError **error)
{
        int fd;

        (void) unlinkat(place->dir_fd, name, 0);
        fd = openat(place->dir_fd, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
        if (fd < 0)
                (void) tn_error_errno(error, errno, "create a file beside /%s", place->path);
        return fd;
}

bool tn_place_write_all(int fd, const void *bytes, size_t len, const char *path, GError **error)
{
        const char *at = bytes;

        while (len > 0) {
                ssize_t n = write(fd, at, len);

                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return tn_error_errno(error, errno, "write /%s", path);
                at += n;
                len -= (size_t) n;
        }
        return true;
}

bool tn_place_copy(int from, int to, const char *path, GError **error)
{
        g_autofree char *buffer = g_malloc(128 * 1024);

        for (;;) {
                ssize_t n = read(from, buffer, 128 * 1024);

                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return tn_error_errno(error, errno, "read /%s", path);
                if (n == 0)
                        return true;
                if (!tn_place_write_all(to, buffer, (size_t) n, path, error))
                        return false;
        }
}

bool tn_place_rename(const struct tn_place *place, const char *temp, GError **error)
{
        if (renameat(place->dir_fd, temp, place->dir_fd, place->name) < 0)
                return tn_error_errno(error, errno, "rename the new file over /%s", place->path);
        if (fsync(place->dir_fd) < 0)
                return tn_error_errno(error, errno, "sync the folder of /%s", place->path);
        return true;
}

bool tn_place_remove(const struct tn_place *place, const char *name, GError **error)
{
        if (unlinkat(place->dir_fd, name, 0) < 0)
                return errno == ENOENT ||
                       tn_error_errno(error, errno, "remove %s beside /%s", name, place->path);
        if (fsync(place->dir_fd) < 0)
                return tn_error_errno(error, errno, "sync the folder of /%s", place->path);
        return true;
}

/* A file system that is frozen has written its journal back. A process of its own thaws it at once: what
 * ends us meanwhile, a signal to our group or a terminal that is closed, does not leave it frozen. No signal
 * but SIGKILL ends that one, and then we thaw. Where somebody else has frozen it, this is refused, and
 * theirs has done the same. */
static void freeze_and_thaw(int fd)
{
        pid_t pid = fork();
        int status = 0;
        sigset_t all;

        if (pid == 0) {
                (void) setsid();
                sigfillset(&all);
                (void) sigprocmask(SIG_SETMASK, &all, NULL);
                if (ioctl(fd, FIFREEZE, 0) == 0)
                        (void) ioctl(fd, FITHAW, 0);
                _exit(0);
        }
        while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
                ;
        if (pid > 0 && WIFSIGNALED(status))
                (void) ioctl(fd, FITHAW, 0);
}

void tn_place_settle(const struct tn_place *place)
{
        uint32_t flags = 0;
        struct statfs fs;

        (void) syncfs(place->dir_fd);
        if (!place->live || fstatfs(place->dir_fd, &fs) < 0)
                return;
        if (fs.f_type == XFS_SUPER_MAGIC ||
            (fs.f_type == EXT4_SUPER_MAGIC && ioctl(place->dir_fd, EXT4_IOC_CHECKPOINT, &flags) < 0))
                freeze_and_thaw(place->dir_fd);
}
