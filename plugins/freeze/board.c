/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* The shared page. It is anonymous memory, so it belongs to no file system that could be frozen. */
#define _GNU_SOURCE
#include "plugins/freeze/board.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include "lib/error.h"

struct freeze_board *freeze_board_new(GError **error)
{
        struct freeze_board *board = mmap(NULL, sizeof *board, PROT_READ | PROT_WRITE,
                                          MAP_SHARED | MAP_ANONYMOUS, -1, 0);

        if (board == MAP_FAILED) {
                (void) tn_error_errno(error, errno, "memory for a freeze");
                return NULL;
        }
        return board;
}

void freeze_board_free(struct freeze_board *board)
{
        if (board)
                (void) munmap(board, sizeof *board);
}

bool freeze_board_add(struct freeze_board *board, dev_t device, bool flush_only, const GPtrArray *targets)
{
        struct freeze_item *item = &board->items[board->n_items];
        size_t need = 1;

        for (guint i = 0; i < targets->len; i++)
                need += strlen(g_ptr_array_index(targets, i)) + 1;
        if (board->n_items == FREEZE_ITEMS_MAX || need > FREEZE_TEXT_MAX - board->text_len)
                return false;
        *item = (struct freeze_item){.device = device, .flush_only = flush_only, .targets = board->text_len};
        for (guint i = 0; i < targets->len; i++) {
                size_t len = strlen(g_ptr_array_index(targets, i)) + 1;

                memcpy(board->text + board->text_len, g_ptr_array_index(targets, i), len);
                board->text_len += (uint32_t) len;
        }
        board->text[board->text_len++] = '\0';
        board->n_items++;
        return true;
}

void freeze_board_set_why(struct freeze_board *board, enum freeze_why why)
{
        int none = FREEZE_WHY_NONE;

        (void) atomic_compare_exchange_strong(&board->why, &none, (int) why);
}

unsigned freeze_board_count(const struct freeze_board *board, enum freeze_state state)
{
        unsigned n = 0;

        for (unsigned i = 0; i < board->n_items; i++)
                n += board->items[i].state == (int) state;
        return n;
}

int freeze_board_find(const struct freeze_board *board, enum freeze_state state)
{
        for (unsigned i = 0; i < board->n_items; i++)
                if (board->items[i].state == (int) state)
                        return (int) i;
        return -1;
}

unsigned freeze_board_thawed(const struct freeze_board *board)
{
        unsigned n = 0;

        for (unsigned i = 0; i < board->n_items; i++)
                n += board->items[i].thawed_by_us;
        return n;
}

bool freeze_board_holds(const struct freeze_board *board)
{
        return freeze_board_count(board, FREEZE_STATE_FREEZING) ||
               freeze_board_count(board, FREEZE_STATE_FROZEN) ||
               freeze_board_count(board, FREEZE_STATE_THAWING);
}

const char *freeze_board_name(const struct freeze_board *board, unsigned index)
{
        return board->text + board->items[index].targets;
}

uint64_t freeze_now_usec(void)
{
        struct timespec ts = {0};

        (void) clock_gettime(CLOCK_BOOTTIME, &ts); /* the clock exists since Linux 2.6.39 */
        return (uint64_t) ts.tv_sec * 1000000 + (uint64_t) ts.tv_nsec / 1000;
}
