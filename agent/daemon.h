/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* Going to the background, for systems without systemd. */
#pragma once

#include <glib.h>
#include <stdbool.h>

/* Opens and locks @pidfile (mode 0644); fails when another process holds the lock. Call before forking,
 * while an error can still be told. Returns a descriptor to keep, or -1. */
int tn_daemon_lock_pidfile(const char *pidfile, GError **error);

/* Forks; the parent exits with status 0, the child goes on in a session of its own, with the umask 0077, in
 * "/", without a terminal. Writes its pid to @pidfile_fd. */
bool tn_daemon_detach(int pidfile_fd, GError **error);
