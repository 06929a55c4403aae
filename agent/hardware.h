/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* What sysfs says of watchdogs and clocks. Read when asked for; opens no device, and so
 * arms no watchdog. All return new references. */
#pragma once

#include <jansson.h>

#include "lib/env.h"

/* [{"device", "identity"?, "state"?, "timeout"?, "bootstatus"?}] seconds. */
json_t *tn_hardware_watchdogs(const struct tn_env *env);
/* {"realtime": ns, "clocksource"?, "ptp": [names]} */
json_t *tn_hardware_time(const struct tn_env *env);
