/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* The kernel says when tasks wait for memory; nobody wakes up until then. */
#pragma once

#include <glib.h>

#include "lib/env.h"

/* Tasks waited for memory for 150 ms of the last 2 s; said again at most every 2 s while it lasts. */
#define TN_PRESSURE_TRIGGER "some 150000 2000000"

struct tn_pressure;

/* @on_pressure comes from the main loop. NULL with @error: kernels before 6.5 want CAP_SYS_RESOURCE for it,
 * and some keep no figures at all. */
struct tn_pressure *tn_pressure_new(const struct tn_env *env, void (*on_pressure)(void *data), void *data,
                                    GError **error);
/* NULL is fine. */
void tn_pressure_free(struct tn_pressure *pressure);
