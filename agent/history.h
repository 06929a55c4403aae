/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* The latest events, for clients that come later and ask what happened before. Bounded in number and bytes;
 * the oldest go first. */
#pragma once

#include <glib.h>
#include <jansson.h>
#include <stdint.h>

#define TN_HISTORY_EVENTS 64
#define TN_HISTORY_BYTES  (64 * 1024) /* of all texts together; one that is larger is not kept */

struct tn_history {
        GQueue entries; /* the oldest first; nobody else's */
        size_t bytes;
};

void tn_history_init(struct tn_history *history);
void tn_history_deinit(struct tn_history *history);
/* Keeps @event, which happened at @usec of the real time. */
void tn_history_push(struct tn_history *history, uint64_t usec, const json_t *event);
/* Calls @func for each event at or after @usec, the oldest first. */
typedef void (*tn_history_func)(json_t *event, void *data);
void tn_history_each(const struct tn_history *history, uint64_t usec, tn_history_func func, void *data);
