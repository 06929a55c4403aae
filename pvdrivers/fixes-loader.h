/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* The boot loader at the one place where the firmware of a new machine looks for it. */
#pragma once

#include <glib.h>

#include "lib/env.h"

/* For a guest that boots by UEFI and has no such file: copies of its boot loader. What cannot be done is in
 * @notes. */
void tn_fixes_loader(const struct tn_env *env, GPtrArray *changes, GPtrArray *notes);
