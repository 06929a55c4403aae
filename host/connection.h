/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * A stream to a guest, as lines, with deadlines and limits. Knows nothing of what the lines say. Deadlines
 * are times of g_get_monotonic_time().
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>

#define TN_CONNECTION_FOREVER  G_MAXINT64
#define TN_CONNECTION_LINE_MAX (16 * 1024 * 1024) /* bytes; what most replies may have */

struct tn_connection;

/* @address: path of a unix socket, or "vsock:CID:PORT". */
struct tn_connection *tn_connection_open(const char *address, gint64 deadline, GError **error);
/* Takes over @fd, a socket. */
struct tn_connection *tn_connection_new(int fd);
/* NULL is fine. */
void tn_connection_free(struct tn_connection *connection);
typedef struct tn_connection tn_connection_t;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(tn_connection_t, tn_connection_free)

bool tn_connection_send(struct tn_connection *connection, const char *bytes, size_t len, gint64 deadline,
                        GError **error);
/* The next line without its end, of @max bytes at most. *ret is borrowed until the next call, and not
 * terminated. Also fails when lines keep coming and the deadline has passed. */
bool tn_connection_read_line(struct tn_connection *connection, size_t max, gint64 deadline, const char **ret,
                             size_t *ret_len, GError **error);
