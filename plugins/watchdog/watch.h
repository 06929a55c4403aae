/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* Wakes us when a watchdog device comes, or when another program has let go of the one that we want. */
#pragma once

#include <stdbool.h>

#include "lib/env.h"

struct watchdog_watch;

typedef void (*watchdog_watch_func)(void *data);

/* Listens for devices from now on. Never NULL. */
struct watchdog_watch *watchdog_watch_new(const struct tn_env *env, watchdog_watch_func func, void *data);
void watchdog_watch_free(struct watchdog_watch *watch);
/* Waits, too, for @device to be closed by who has it; it is left alone for a minute after that, for its
 * owner may only be restarting. NULL: no longer. */
void watchdog_watch_owner(struct watchdog_watch *watch, const char *device);
