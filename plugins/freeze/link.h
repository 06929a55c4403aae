/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* The agent's end of the connection to the keeper, on the main loop. */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "plugins/freeze/board.h"

struct freeze_link;

/* @changed: the board may have changed. @ended: the keeper is gone, and freeze_link_is_up() is false. */
struct freeze_link *freeze_link_new(GSourceFunc changed, GSourceFunc ended, void *data);
void freeze_link_free(struct freeze_link *link);

/* Starts a keeper; there is none yet. The other arguments are those of freeze_keeper_start(). */
bool freeze_link_start(struct freeze_link *link, struct freeze_board *board, const GPtrArray *hooks,
                       int root_fd, bool rescue, GError **error);
bool freeze_link_is_up(const struct freeze_link *link);

void freeze_link_thaw(struct freeze_link *link);
void freeze_link_go(struct freeze_link *link);
void freeze_link_quit(struct freeze_link *link);

/* The keeper does not answer: kills it, without waiting for its end. */
void freeze_link_abandon(struct freeze_link *link);

/* The agent is stopping: lets the keeper know by ending our half of the connection, which makes it thaw and
 * run the thaw hooks by itself, and waits until it has thawed or @limit_ms are over. */
void freeze_link_leave(struct freeze_link *link, const struct freeze_board *board, unsigned limit_ms);
