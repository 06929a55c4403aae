/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* Binding to a path. */
#define _GNU_SOURCE
#include "lib/unix-socket.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "lib/error.h"
#include "lib/fd.h"

/* True when a connection to @addr is refused: the socket was left behind by a process that is gone. */
static bool is_stale(const struct sockaddr_un *addr, int type)
{
        tn_autofd int probe = socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

        return probe >= 0 && connect(probe, (const struct sockaddr *) addr, sizeof *addr) < 0 &&
               errno == ECONNREFUSED;
}

static bool clear_path(const char *path, const struct sockaddr_un *addr, int type, GError **error)
{
        struct stat st;

        if (lstat(path, &st) < 0)
                return true;
        if (!S_ISSOCK(st.st_mode))
                return tn_error_set(error, TN_ERROR_BUSY,
                                    "%s exists and is not a socket; choose another path", path);
        if (!is_stale(addr, type))
                return tn_error_set(error, TN_ERROR_BUSY, "%s is in use by another process; stop it first",
                                    path);
        if (unlink(path) < 0)
                return tn_error_errno(error, errno, "remove the stale socket %s", path);
        return true;
}

int tn_unix_socket_bind(const char *path, int type, mode_t mode, GError **error)
{
        struct sockaddr_un addr = {.sun_family = AF_UNIX};
        tn_autofd int fd = -1;

        if (strlen(path) >= sizeof addr.sun_path) {
                tn_error_set(error, TN_ERROR_INVALID, "socket path %s is longer than %zu bytes", path,
                             sizeof addr.sun_path - 1);
                return -1;
        }
        memcpy(addr.sun_path, path, strlen(path));
        if (!clear_path(path, &addr, type, error))
                return -1;
        fd = socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (fd < 0 || bind(fd, (const struct sockaddr *) &addr, sizeof addr) < 0 || chmod(path, mode) < 0) {
                tn_error_errno(error, errno, "listen on %s", path);
                return -1;
        }
        return tn_fd_steal(&fd);
}
