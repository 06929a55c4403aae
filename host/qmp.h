/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * A guest at the other end of a stream: QMP where it greets us with it (the port org.tenon.agent.0), else
 * the QEMU guest agent's dialect, which has no greeting, no ids and no events.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "host/connection.h"
#include "host/guest.h"

struct tn_qmp;

#define TN_QMP_GREETING_MS 300

/* Finds out which of both it is, and is then ready to ask. A greeting is waited for @greeting_ms. Takes over
 * @connection, also on failure. */
struct tn_qmp *tn_qmp_new(struct tn_connection *connection, unsigned greeting_ms, gint64 deadline,
                          GError **error);
bool tn_qmp_has_events(const struct tn_qmp *qmp);
/* Their data is a struct tn_qmp. */
extern const struct tn_guest_ops tn_qmp_ops;
