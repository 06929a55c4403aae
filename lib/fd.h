/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* File descriptors that close themselves: `tn_autofd int fd = open(…)`; tn_fd_steal() gives one away. */
#pragma once

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <unistd.h>

/* Closes *fd if it is one, sets it to -1, keeps errno. */
static inline void tn_fd_close(int *fd)
{
        int saved_errno = errno;

        if (*fd >= 0)
                close(*fd);
        *fd = -1;
        errno = saved_errno;
}

static inline int tn_fd_steal(int *fd)
{
        int stolen = *fd;

        *fd = -1;
        return stolen;
}

/* All of it, however often a signal comes or less is taken; false with errno. */
static inline bool tn_fd_write_all(int fd, const char *text, size_t len)
{
        while (len > 0) {
                ssize_t n = write(fd, text, len);

                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return false;
                text += n;
                len -= (size_t) n;
        }
        return true;
}

#define tn_autofd __attribute__((cleanup(tn_fd_close)))
