/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* Temporary file, fsync, rename, fsync of the folder: the order that survives a power cut. */
#define _GNU_SOURCE
#include "lib/replace.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/error.h"
#include "lib/fd.h"

static bool write_new(int folder, const char *name, const char *text, mode_t mode)
{
        tn_autofd int fd = openat(folder, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);

        /* Not what the umask made of it. */
        return fd >= 0 && fchmod(fd, mode) == 0 && tn_fd_write_all(fd, text, strlen(text)) && fsync(fd) == 0;
}

bool tn_replace_file(const struct tn_env *env, const char *path, const char *text, mode_t mode,
                     GError **error)
{
        g_autofree char *folder_path = g_path_get_dirname(path), *name = g_path_get_basename(path);
        g_autofree char *temporary = g_strdup_printf(".%s.new", name);
        tn_autofd int folder = tn_env_open(env, folder_path, O_RDONLY | O_DIRECTORY, error);

        if (folder < 0)
                return false;
        (void) unlinkat(folder, temporary, 0); /* of a run that was cut off */
        if (!write_new(folder, temporary, text, mode) || renameat(folder, temporary, folder, name) < 0) {
                (void) tn_error_errno(error, errno, "write /%s", path);
                (void) unlinkat(folder, temporary, 0);
                return false;
        }
        (void) fsync(folder); /* some file systems cannot, and need not */
        return true;
}
