/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* The hypervisor's PTP clock as the keeper's best source. For keeper.c only. */
#pragma once

#include "plugins/timesync/keeper.h"

/* Looks for one while there is none, at most each ten minutes: its module may be loaded later than we start.
 */
void tn_keeper_phc_find(struct tn_keeper *keeper);
/* Measures by it. False: there is none, or it was dropped for a while, with the reason in the status. */
bool tn_keeper_phc_measure(struct tn_keeper *keeper, struct tn_sample *ret);
/* Has the clock jumped since the last sample? A precise source shows it when its offset moved by a step. */
bool tn_keeper_phc_jumped(const struct tn_keeper *keeper, const struct tn_sample *sample);
/* Does what the host says of our clock agree with the PTP clock, if there is one? It is the better source,
 * and looked at now: the guest may just have stood still. False with @error, which is told in the status,
 * too. */
bool tn_keeper_phc_agrees(struct tn_keeper *keeper, const struct tn_sample *host, GError **error);
