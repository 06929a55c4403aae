/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* What sysfs says of paravirtual devices and clocks. Read when asked for; opens no device. All return new
 * references. */
#pragma once

#include <jansson.h>

#include "lib/env.h"

/* [{"bus", "device", "driver" (null: none bound)}] for virtio, Hyper-V's vmbus and Xen's bus. */
json_t *tn_hardware_drivers(const struct tn_env *env);
/* {"realtime": ns, "clocksource"?, "ptp": [names]} */
json_t *tn_hardware_time(const struct tn_env *env);
