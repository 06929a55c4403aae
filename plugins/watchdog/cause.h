/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * Why the machine was reset: what the device tells, what was recorded before, what the kernel left in
 * pstore.
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "plugins/watchdog/device.h"
#include "plugins/watchdog/record.h"

/* What is known at the first start in a boot. */
struct watchdog_evidence {
        bool card_reset;       /* a device says that it has reset the machine */
        const char *device;    /* which one, or NULL */
        const json_t *starved; /* the record's member of an earlier boot, or NULL */
        const json_t *armed;   /* the same */
        const char *panic;     /* the kernel's last words, or NULL */
        int64_t now;           /* seconds since 1970 */
};

/*
 * {"cause", "reason", "time", "device"?, "counts"}: "starved" (we stopped feeding), "test" (asked for),
 * "panic", "hang" (the device fired and nobody knows why), "unknown" (it ended while armed, and the device
 * does not tell). NULL: no reset. With "counts" true it counts for the brake. New reference.
 */
json_t *watchdog_cause_find(const struct watchdog_evidence *evidence);

/* The line of a panic that the kernel kept since @since (seconds since 1970), or NULL. g_free(). */
char *watchdog_cause_read_panic(const struct tn_env *env, int64_t since);

/* False while the device that was armed before the reset is not there yet: its module may still be loading,
 * and it has something to tell. */
bool watchdog_cause_is_due(struct watchdog_record *record, const GPtrArray *devices);
/* Finds the cause once in each boot, and keeps it, the counters and the brake in the record. True: there was
 * a reset that had not been told yet. */
bool watchdog_cause_examine(struct watchdog_record *record, const struct tn_env *env,
                            const GPtrArray *devices, unsigned brake_resets, unsigned brake_minutes);
/* Adds one reset and pulls the brake if it is the one too many. Pure. */
void watchdog_cause_count(json_t *members, int64_t now, unsigned brake_resets, unsigned brake_minutes);
