/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* A listening socket and its connections: unix-listen, vsock-listen, socket activation, the control socket.
 */
#pragma once

#include <glib.h>
#include <jansson.h>

#include "agent/config.h"
#include "agent/dispatch.h"

struct tn_listener;

enum tn_listener_role {
        TN_LISTENER_HOST,    /* whoever connects speaks for the host */
        TN_LISTENER_QMP,     /* the same, and QMP proper is spoken */
        TN_LISTENER_CONTROL, /* whoever connects is a user of this guest (SO_PEERCRED) */
};

/* Takes ownership of @fd, a listening socket. @unlink_path (may be NULL) is removed by free. */
struct tn_listener *tn_listener_new(struct tn_dispatch *dispatch, const struct tn_config *config, int fd,
                                    enum tn_listener_role role, const char *transport,
                                    const char *unlink_path);
void tn_listener_free(struct tn_listener *listener);

/* Listening sockets. -1 with @error. An existing socket at @path is taken over only when nobody listens on
 * it; anything else at @path is left alone and an error. @mode: permissions of the socket. */
int tn_listener_open_unix(const char *path, mode_t mode, GError **error);
/* @address is "CID:PORT"; CID "-1" or empty means any. */
int tn_listener_open_vsock(const char *address, GError **error);

/* One object for each connection. New reference. */
json_t *tn_listener_to_json(const struct tn_listener *listener);
