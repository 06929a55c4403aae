/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* tenonctl time setup: makes chrony use the hypervisor's clock, or takes that back. Prints what it does. */
#pragma once

#include <glib.h>
#include <jansson.h>
#include <stdbool.h>

#include "lib/env.h"

/* Appends {"file", "before", "after"} to @changes for each file, whose texts are null where it is not there.
 */
bool tn_time_setup(const struct tn_env *env, bool take_back, bool dry_run, json_t *changes, GError **error);
