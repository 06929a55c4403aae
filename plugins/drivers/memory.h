/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* What the guest really uses of its memory: what a host that overcommits wants to know. */
#pragma once

#include <jansson.h>

#include "lib/env.h"

/* {"time" (ns since 1970), "total-bytes", "available-bytes", "used-bytes" (total less available),
 * "swap-used-bytes", "balloon"? {"bytes" or "current-bytes" and "target-bytes"}, "pressure"? {"some",
 * "full"}} with {"avg10", "avg60", "avg300" (percent), "total-usec"} of each kind of pressure. NULL with
 * @error where there is no /proc/meminfo. New reference. */
json_t *tn_memory_read(const struct tn_env *env, GError **error);
