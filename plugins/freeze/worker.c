/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * Freezing and thawing. After the first freeze nothing here allocates, logs or opens. The delicate part is
 * the race with the keeper's decision to stop: the worker writes FREEZING and then reads stop, the keeper
 * writes stop and then reads the states (both sequentially consistent), so one of them sees the other, and
 * no freeze begins that nobody will thaw.
 */
#include "plugins/freeze/worker.h"

#include <errno.h>
#include <unistd.h>

#define FLUSHES_MAX  4
#define FLUSHED_USEC 50000 /* all of it took less: there was little left to write */
#define THAWS_MAX    64    /* a file system may be frozen more than once */

void freeze_worker_poke(int wake_fd)
{
        uint64_t one = 1;

        if (write(wake_fd, &one, sizeof one) < 0) /* only when the counter is full: then it is awake */
                return;
}

static void flush_each(const struct freeze_worker_task *task)
{
        struct freeze_board *board = task->board;

        for (unsigned i = 0; i < board->n_items && !board->stop; i++) {
                struct freeze_item *item = &board->items[i];
                uint64_t start = freeze_now_usec();

                if (task->fds[i] < 0)
                        continue;
                item->flush_error = -task->kernel->flush(task->fds[i], freeze_board_name(board, i));
                item->flush_usec += freeze_now_usec() - start;
        }
}

/* What is written while others are flushed is left to the freeze, which makes all writers wait. So again,
 * until it is little. */
static void flush_all(const struct freeze_worker_task *task)
{
        for (int pass = 0; pass < FLUSHES_MAX && !task->board->stop; pass++) {
                uint64_t start = freeze_now_usec();

                flush_each(task);
                if (freeze_now_usec() - start < FLUSHED_USEC)
                        return;
        }
}

/* What the kernel's answer to a freeze means. EBUSY: somebody else froze it, who will also thaw it. */
static enum freeze_state judge(int error)
{
        switch (error) {
        case 0:
                return FREEZE_STATE_FROZEN;
        case EOPNOTSUPP:
        case EBUSY:
                return FREEZE_STATE_SKIPPED;
        default:
                return FREEZE_STATE_FAILED;
        }
}

static enum freeze_state freeze_one(const struct freeze_worker_task *task, unsigned i)
{
        struct freeze_item *item = &task->board->items[i];
        uint64_t start = freeze_now_usec();
        int error = EOPNOTSUPP;

        item->state = FREEZE_STATE_FREEZING;
        if (task->board->stop) {
                item->state = FREEZE_STATE_PENDING;
                return FREEZE_STATE_PENDING;
        }
        if (!item->flush_only)
                error = -task->kernel->freeze(task->fds[i], freeze_board_name(task->board, i));
        item->error = error;
        item->frozen_at = freeze_now_usec();
        item->freeze_usec = item->frozen_at - start;
        item->state = (int) judge(error);
        freeze_worker_poke(task->wake_fd);
        return judge(error);
}

_Noreturn void freeze_worker_freeze(const struct freeze_worker_task *task)
{
        struct freeze_board *board = task->board;
        int flush = FREEZE_PHASE_FLUSH;

        flush_all(task);
        board->freeze_at = freeze_now_usec();
        if (!atomic_compare_exchange_strong(&board->phase, &flush, FREEZE_PHASE_FREEZE))
                _exit(0); /* the keeper has given up */
        freeze_worker_poke(task->wake_fd);
        for (unsigned i = 0; i < board->n_items && !board->stop; i++)
                if (task->fds[i] >= 0 && freeze_one(task, i) == FREEZE_STATE_FAILED)
                        break;
        _exit(0);
}

/* 0, or a negative errno when it is still frozen. *ret_thawed: the kernel did thaw something. */
static int thaw_one(const struct freeze_worker_task *task, unsigned i, bool *ret_thawed)
{
        const char *name = freeze_board_name(task->board, i);
        int fd = task->fds[i], r = 0;

        if (fd < 0)
                fd = task->kernel->open(name, task->board->items[i].device);
        if (fd == -ENODEV)
                return 0; /* unmounted: nothing left to thaw */
        if (fd < 0)
                return fd;
        for (int n = 0; n < THAWS_MAX && (r = task->kernel->thaw(fd, name)) == 0; n++)
                *ret_thawed = true;
        return *ret_thawed || r == -EINVAL ? 0 : r; /* EINVAL: it is not frozen */
}

_Noreturn void freeze_worker_thaw(const struct freeze_worker_task *task)
{
        struct freeze_board *board = task->board;

        for (unsigned i = board->n_items; i-- > 0;) {
                struct freeze_item *item = &board->items[i];
                int frozen = FREEZE_STATE_FROZEN, r;
                bool thawed = false;

                if (!atomic_compare_exchange_strong(&item->state, &frozen, FREEZE_STATE_THAWING))
                        continue;
                r = thaw_one(task, i, &thawed);
                item->thaw_error = -r;
                item->thawed_by_us |= thawed;
                item->thawed_at = freeze_now_usec();
                item->state = r == 0 ? FREEZE_STATE_THAWED : FREEZE_STATE_FROZEN;
                board->tries++;
                freeze_worker_poke(task->wake_fd);
        }
        _exit(0);
}
