/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* The hardware clock as the keeper's source, and its phase as what shows that the guest stood still. For
 * keeper.c only. */
#pragma once

#include "plugins/timesync/keeper.h"

#define TN_KEEPER_LEAD_NSEC                                                                                 \
        (5 * TN_NSEC_PER_MSEC) /* before the turn: a look that comes later shows less                       \
                                */
/* A phase that is known worse gets a look of its own: smaller, and there are more than one in ten seconds.
 */
#define TN_KEEPER_ROUGH_NSEC (12 * TN_NSEC_PER_MSEC)

/* What no source may show: it is not believed. */
#define TN_KEEPER_ABSURD "shows a year before 2020 or after 2069"
static inline bool tn_keeper_is_absurd(int64_t seconds)
{
        return seconds < INT64_C(1577836800) || seconds >= INT64_C(3155760000); /* before 2020, after 2069 */
}

/* One reading. It may find that the clock, or the guest, has jumped, or that the clock makes no sense. */
void tn_keeper_rtc_read(struct tn_keeper *keeper);
/* The hardware clock as a source; false while its phase is not known. */
bool tn_keeper_rtc_sample(struct tn_keeper *keeper, struct tn_sample *ret);
/* What a believed clock, @offset_nsec from the system's, teaches about the hardware clock, so that it can
 * stand in for it later. */
void tn_keeper_rtc_learn(struct tn_keeper *keeper, int64_t offset_nsec, int64_t error_nsec);
/* All that is known of its phase is forgotten: it, or the guest, may have jumped. */
void tn_keeper_rtc_forget(struct tn_keeper *keeper);
/* Is what the sample says of the clock what the host has made up for lately, give or take @slack_nsec? Asked
 * once, at the first contradiction: the steps of the host's are forgotten then. */
bool tn_keeper_rtc_explained(struct tn_keeper *keeper, const struct tn_sample *sample, int64_t slack_nsec);
/* When to read it next while searching. */
int64_t tn_keeper_rtc_next(struct tn_keeper *keeper, int64_t now);
/* The look that just was would not have shown a small jump. */
bool tn_keeper_rtc_came_late(const struct tn_keeper *keeper);
