/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* The edges of a descriptor: called once for each change of what can be done with it, and never for a state
 * that merely lasts. */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

struct tn_edge;

/* @events as in epoll_ctl(2). May free the edge. */
typedef void (*tn_edge_func)(uint32_t events, void *data);

/* Watches @fd, which is borrowed and must outlive the edge. With @output each edge of "there is room for
 * output" is told of, else only the one after tn_edge_await_room(). NULL with @error. */
struct tn_edge *tn_edge_new(int fd, bool output, tn_edge_func func, void *data, GError **error);
/* NULL is fine. */
void tn_edge_free(struct tn_edge *edge);
/* A write has not taken all: tells when there is room again, also when there is by now. */
void tn_edge_await_room(struct tn_edge *edge);
