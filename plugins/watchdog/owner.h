/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* Who has a watchdog open, as far as /proc lets us see. */
#pragma once

#include "lib/env.h"

/* "watchdogd (pid 12)", "probably sbd (pid 5)", or NULL. g_free(). */
char *watchdog_owner_find(const struct tn_env *env, const char *device);
