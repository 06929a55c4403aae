/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* The keeper of one freeze: a process that holds the deadline, and ends only when nothing is frozen. */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <sys/types.h>

#include "plugins/freeze/board.h"
#include "plugins/freeze/kernel.h"

/* Said to the keeper, one byte each. The end of the connection is an order too: thaw, and run the thaw
 * hooks in place of the agent, which is gone. */
enum freeze_order {
        FREEZE_GO = 'G',   /* freeze what stands on the board */
        FREEZE_THAW = 'T', /* thaw, or do not begin */
        FREEZE_QUIT = 'Q', /* end; the agent runs the thaw hooks */
};

struct freeze_keeper {
        pid_t pid;
        int pid_fd;  /* readable when it has ended */
        int control; /* readable when the board has changed; what is read means nothing */
};

/* Forks. @hooks (struct freeze_hook) and @board are used by the child as they are now; the marker lies below
 * @root_fd. With @rescue it begins by thawing what the board says is frozen. */
bool freeze_keeper_start(struct freeze_board *board, const struct freeze_kernel *kernel,
                         const GPtrArray *hooks, int root_fd, bool rescue, struct freeze_keeper *ret,
                         GError **error);
void freeze_keeper_order(struct freeze_keeper *keeper, enum freeze_order order);
/* Reads the keeper's pokes away. */
void freeze_keeper_drain(struct freeze_keeper *keeper);
/* Reaps, if it has ended, and closes. */
void freeze_keeper_forget(struct freeze_keeper *keeper);
