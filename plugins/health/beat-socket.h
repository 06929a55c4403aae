/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* The socket on which programs beat, in the protocol of sd_notify(3). The kernel says who sends. */
#pragma once

#include "plugins/health/access.h"
#include "plugins/health/heartbeats.h"

struct beat_socket;

/* @default_timeout_ms: of a program that beats without having told its own time. */
struct beat_socket *beat_socket_new(struct tenon_host *host, struct heartbeats *heartbeats,
                                    const struct health_access *access, unsigned default_timeout_ms);
void beat_socket_free(struct beat_socket *sock);

/* Makes the socket at @path. False with @error: something else is there, or it cannot be made. */
bool beat_socket_open(struct beat_socket *sock, const char *path, GError **error);
/* Reads what has come, up to a limit; before deadlines are judged. */
void beat_socket_drain(struct beat_socket *sock);

/* One message, as if it had come over the socket: for tests. NULL, or the reason why it was refused.
 * g_free(). */
char *beat_socket_take(struct beat_socket *sock, const char *text, size_t len, uid_t uid, pid_t pid);
