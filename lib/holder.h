/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* Who has a device open, as far as /proc lets us see: without CAP_SYS_PTRACE that is only ourselves. */
#pragma once

#include "lib/env.h"

/* "watchdogd (pid 12)" of the device at @path, or NULL. Free with g_free(). */
char *tn_holder_find(const struct tn_env *env, const char *path);
/* The same for a watchdog, "watchdog0". The first one has an older node as well, which has a number of its
 * own, and most programs open that one. */
char *tn_holder_find_watchdog(const struct tn_env *env, const char *device);
