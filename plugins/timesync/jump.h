/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* Tells when somebody sets the clock: the kernel says so through a timer that never expires. */
#pragma once

#include <glib.h>
#include <stdint.h>

#include "lib/env.h"

#define TN_JUMP_LEAST_USEC 1000 /* less is no jump but the time between two looks at clocks */

struct tn_jump;

/* CLOCK_REALTIME and CLOCK_BOOTTIME at one moment, microseconds. */
struct tn_jump_pair {
        uint64_t realtime, boottime;
};

/* How far CLOCK_REALTIME was moved between two moments, with a sign; 0 when that is no jump. */
int64_t tn_jump_distance(const struct tn_jump_pair *before, const struct tn_jump_pair *after);

/* @jumped comes on the main loop after each jump, and with a distance of 0 when the kernel says so and the
 * clock did not jump: the machine slept. NULL with @error where the kernel has no such timer. */
struct tn_jump *tn_jump_new(const struct tn_env *env,
                            void (*jumped)(int64_t distance_usec, const struct tn_jump_pair *now,
                                           void *data),
                            void *data, GError **error);
/* NULL is fine. */
void tn_jump_free(struct tn_jump *jump);
