/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* pvpanic, the device by which a guest tells its host that its kernel has panicked: found and reported. */
#pragma once

#include <jansson.h>

#include "lib/env.h"

/* [{"device", "driver" (null: none bound), "capability"?, "events"?}], the last two as lists of words. */
json_t *watchdog_panic_to_json(const struct tn_env *env);
