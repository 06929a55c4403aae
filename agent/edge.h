/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* The edges of a descriptor: called once for each change of what can be done with it, and never for a state
 * that merely lasts. */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

struct tn_edge;

enum tn_edge_kind {
        TN_EDGE_PORT,   /* a device: each edge is told of once, that of room for output, too */
        TN_EDGE_SOCKET, /* input is told of until it has been taken, or held */
};

/* @events as in epoll_ctl(2). May free the edge. */
typedef void (*tn_edge_func)(uint32_t events, void *data);

/* Watches @fd, which is borrowed and must outlive the edge. NULL with @error. */
struct tn_edge *tn_edge_new(int fd, enum tn_edge_kind kind, tn_edge_func func, void *data, GError **error);
/* NULL is fine. */
void tn_edge_free(struct tn_edge *edge);
/* A write has not taken all: tells when there is room again, also when there is by now. */
void tn_edge_await_room(struct tn_edge *edge);
/* Of a socket: whether there is input, or an end of it, is not told for now. That both ends are closed is.
 */
void tn_edge_hold(struct tn_edge *edge, bool held);
