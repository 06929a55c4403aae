/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* What sysfs says of clocks. Read when asked for; opens no device. */
#pragma once

#include <jansson.h>

#include "lib/env.h"

/* {"realtime": ns, "clocksource"?, "ptp": [names]}. New reference. */
json_t *tn_hardware_time(const struct tn_env *env);
