/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* Running the hooks of one freeze on the main loop, one after the other. */
#pragma once

#include <glib.h>

#include "plugins/freeze/board.h"
#include "tenon/plugin.h"

/* @failure: NULL, or why the freeze must not go on; borrowed. Called once, possibly before the function
 * that was called returns. */
typedef void (*freeze_sequence_done)(const char *failure, void *data);

struct freeze_sequence {
        struct tenon_host *host;
        GPtrArray *hooks; /* struct freeze_hook; borrowed, like the board */
        struct freeze_board *board;
        freeze_sequence_done done;
        void *data;
        guint index; /* of the hook that runs */
        bool cancelled;
};

/* "freeze", first to last; ends at the first that fails or cannot be trusted. */
void freeze_sequence_freeze(struct freeze_sequence *sequence);
/* No further hook is begun; the one that runs is waited for. */
void freeze_sequence_cancel(struct freeze_sequence *sequence);
/* "thaw" of all whose "freeze" was begun, last to first. A failure is logged and noted, nothing more. */
void freeze_sequence_thaw(struct freeze_sequence *sequence);
