/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* Asking the package manager for the newest version: PackageKit, where polkit decides, or as root its own
 * program. Waits. */
#pragma once

#include <glib.h>
#include <jansson.h>

#include "pvdrivers/progress.h"
#include "update/check.h"

/* {"state": "done" or "current", "from", "to", "by"}. NULL with @error. */
json_t *tn_update_install(const struct tn_env *env, const struct tn_update_settings *settings,
                          struct tn_progress *progress, GError **error);
