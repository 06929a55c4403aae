/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* The device that leads to the host: a virtio-serial port or a serial line. It may be missing, be taken by
 * another agent, be unplugged and plugged again; this keeps trying without polling. */
#pragma once

#include <jansson.h>
#include <stdbool.h>

#include "agent/config.h"
#include "agent/dispatch.h"
#include "lib/env.h"

enum tn_port_kind {
        TN_PORT_VIRTIO_SERIAL,
        TN_PORT_ISA_SERIAL,
        TN_PORT_VIRTIO_QMP, /* a virtio-serial port on which QMP proper is spoken; optional, so nothing is
                             * said of its absence */
};

struct tn_port;

/* Tries to open @path at once; failing that is a state, not an error. */
struct tn_port *tn_port_new(const struct tn_env *env, struct tn_dispatch *dispatch,
                            const struct tn_config *config, enum tn_port_kind kind, const char *path);
void tn_port_free(struct tn_port *port);

/* Calls @func after each change of the port's state. */
void tn_port_watch(struct tn_port *port, void (*func)(void *data), void *data);

/* A device came: try again unless the port is open. */
void tn_port_retry(struct tn_port *port);

/* NULL while the port is open; else what is the matter, for people. Borrowed. */
const char *tn_port_problem(const struct tn_port *port);
/* What to do about it, or NULL. Static. */
const char *tn_port_remedy(const struct tn_port *port);
/* {"state": "open"|"waiting"|"busy"|"failed", "problem"?, "remedy"?, "clients": […]} New reference. */
json_t *tn_port_to_json(const struct tn_port *port);
