/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* Names of network cards. */
#pragma once

#include <glib.h>

#include "lib/env.h"

/* A file for each card that ties its name to its MAC address. Which card is left alone, and why, is in
 * @notes. */
void tn_fixes_pins(const struct tn_env *env, GPtrArray *changes, GPtrArray *notes);
