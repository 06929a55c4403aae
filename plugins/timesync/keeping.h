/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* The keeper on the agent's loop: its settings, its one timer, what it asks others to do; and the fact
 * "time-jump", which the kernel tells at once when somebody sets the clock. */
#pragma once

#include "plugins/timesync/keeper.h"
#include "tenon/plugin.h"

struct tn_keeping;

/* NULL with @error only when the settings make no sense. @clock is tn_clock_system in production. */
struct tn_keeping *tn_keeping_new(struct tenon_host *host, const struct tn_clock *clock, GError **error);
/* NULL is fine. */
void tn_keeping_free(struct tn_keeping *keeping);

/* The machine has woken from sleep. */
void tn_keeping_woke(struct tn_keeping *keeping);
/* guest-set-time was done. */
void tn_keeping_clock_was_set(struct tn_keeping *keeping);
/* The commands. */
json_t *tn_keeping_status(struct tn_keeping *keeping);
json_t *tn_keeping_exchange(struct tn_keeping *keeping, json_t *args);
json_t *tn_keeping_adjust(struct tn_keeping *keeping, json_t *args, GError **error);
