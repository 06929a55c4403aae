/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* Unix sockets in the file system: a path that is left over from a process that is gone is taken, one that
 * somebody uses is not. */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <sys/types.h>

/* A socket of @type (SOCK_STREAM, SOCK_DGRAM), close-on-exec, not blocking, bound to @path, with @mode. -1
 * with
 * @error. */
int tn_unix_socket_bind(const char *path, int type, mode_t mode, GError **error);
