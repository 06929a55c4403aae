/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* Opening a file as guest-file-open does; for the agent, and for its helper outside of the sandbox. */
#pragma once

#include <glib.h>
#include <stdbool.h>

struct tn_env;

/* One of fopen(3)'s modes. */
struct tn_file_mode {
        const char *name;
        int flags; /* of open(2) */
};

/* NULL when there is no such mode. NULL as @name is the default, "r". */
const struct tn_file_mode *tn_file_mode_find(const char *name);

/* A file descriptor that never blocks, or -1 with @error. With @nofollow no part of the path may be a
 * symbolic link. A new file may be read and written by everybody (0666), whatever the umask is. */
int tn_file_open(const struct tn_env *env, const char *path, const char *mode, bool nofollow,
                 GError **error);
