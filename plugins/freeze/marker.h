/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* A note on a memory file system that file systems are frozen, for an agent that starts after keeper and
 * agent were both killed. */
#pragma once

#include <stdbool.h>

#include "plugins/freeze/plan.h"
#include "tenon/plugin.h"

/* Notes it in the state directory, or in the run directory, whichever is on a tmpfs; in neither when
 * neither is: what is about to be frozen is not written to. Where it is stands on the board then, so that
 * the keeper can remove it when the agent is gone. */
void freeze_marker_write(struct tenon_host *host, const struct freeze_plan *plan,
                         struct freeze_board *board);
void freeze_marker_remove(struct tenon_host *host, const struct freeze_plan *plan);

/* True when there is a note of this boot. Notes of other boots, which a snapshot carried along or a reboot
 * left behind, are removed. */
bool freeze_marker_found(struct tenon_host *host, const struct freeze_plan *plan);
