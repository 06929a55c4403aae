/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* All that touches a file system, as a table of functions, so that tests can hang, fail and be slow in
 * place of the kernel. They run in child processes only. */
#pragma once

#include <stdint.h>

/* Each returns 0 (open: a descriptor) or a negative errno. @path is the file system's name. */
struct freeze_kernel {
        /* @targets: mount points, each NUL-ended, ended by an empty one; the first that leads to @device
         * is opened. -ENODEV: it is not mounted any more; -ESTALE: it is, but no path leads there. */
        int (*open)(const char *targets, uint64_t device);
        int (*flush)(int fd, const char *path);
        int (*freeze)(int fd, const char *path);
        int (*thaw)(int fd, const char *path);
        int (*trim)(int fd, const char *path, uint64_t *minimum, uint64_t *ret_trimmed);
};

extern const struct freeze_kernel freeze_kernel_linux;

/* The table in use. */
const struct freeze_kernel *freeze_kernel_get(void);
/* For tests: another table; NULL is the real one again. */
void freeze_kernel_set(const struct freeze_kernel *kernel);
