/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* The calls that may hang, each kind in a process of its own. These functions never return; they write
 * what they do on the board and poke @wake_fd, an eventfd, after each step. */
#pragma once

#include "plugins/freeze/board.h"
#include "plugins/freeze/kernel.h"

struct freeze_worker_task {
        struct freeze_board *board;
        const struct freeze_kernel *kernel;
        const int *fds; /* one for each item; -1: open it first */
        int wake_fd;
};

/* Writes out all, then freezes all, until the board says stop. */
_Noreturn void freeze_worker_freeze(const struct freeze_worker_task *task);
/* Thaws what is frozen and no other worker has taken, last frozen first. */
_Noreturn void freeze_worker_thaw(const struct freeze_worker_task *task);

void freeze_worker_poke(int wake_fd);
