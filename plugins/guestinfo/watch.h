/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* A file descriptor on the main loop whose events are gathered: after the first one, one call, a little
 * later. Nothing happens, and nobody wakes up, while the descriptor is silent. */
#pragma once

#include <glib.h>

#define TN_WATCH_DELAY_MS 200 /* from the first event to the call; also the most often that calls come */

struct tn_watch;

/* Takes @fd over. @drain, which may be NULL, empties it before each call of @changed. */
struct tn_watch *tn_watch_new(int fd, GIOCondition condition, void (*drain)(int fd),
                              void (*changed)(void *data), void *data);

/* NULL is fine. Closes the descriptor. */
void tn_watch_free(struct tn_watch *watch);
