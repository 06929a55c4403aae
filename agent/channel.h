/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * One connection to a host: a file descriptor, a framing, a session, and the bytes that wait to be read by
 * the other side. Knows nothing of how the descriptor was opened; see port.h, listener.h.
 */
#pragma once

#include <glib.h>
#include <jansson.h>
#include <stdbool.h>

#include "agent/config.h"
#include "agent/dispatch.h"

enum tn_channel_kind {
        TN_CHANNEL_SOCKET, /* read() = 0: the client is gone, and so is the channel */
        TN_CHANNEL_PORT,   /* read() = 0: no host has the port open now; ENODEV: unplugged */
        TN_CHANNEL_TTY,    /* a serial line: no notion of who is at the other end; read() = 0: hung up */
};

struct tn_channel;

/* The descriptor is of no more use; called from the loop, may free the channel. */
typedef void (*tn_channel_gone)(struct tn_channel *channel, void *data);

/* Takes ownership of @fd (set to non-blocking), closed on failure too. NULL with @error when the
 * descriptor cannot be watched, e.g. a regular file. */
struct tn_channel *tn_channel_new(struct tn_dispatch *dispatch, const struct tn_config *config, int fd,
                                  enum tn_channel_kind kind, enum tn_trust trust, const char *transport,
                                  const char *peer, tn_channel_gone gone, void *data, GError **error);
/* QMP proper instead of the QGA dialect; directly after tn_channel_new(). Greets as soon as a host is there.
 */
void tn_channel_use_qmp(struct tn_channel *channel);
/* Its client may watch events without that; directly after tn_channel_new(). */
void tn_channel_allow_events(struct tn_channel *channel);
/* The agent stops: what has arrived is answered as far as that can be done at once and the other side reads,
 * the rest by an error. What a port's host sends later, before the next agent opens the port, is thrown away
 * by the kernel (drivers/char/virtio_console.c, port_fops_release), so this belongs right before
 * tn_channel_free(). NULL is allowed. */
void tn_channel_finish(struct tn_channel *channel);
void tn_channel_free(struct tn_channel *channel);

/* {"peer", "connected", "bytes-in", "bytes-out", "waiting-bytes"} New reference. */
json_t *tn_channel_to_json(const struct tn_channel *channel);
