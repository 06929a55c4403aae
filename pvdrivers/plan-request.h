/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* A plan as it is asked for: names from a command line or from the host, on this machine or a root folder.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "pvdrivers/plan.h"

/* @target: name of a platform; @devices: modules with commas between them, or NULL; @mistakes as with
 * tn_catalogue_new(). NULL with @error, which lists the names that there are. */
struct tn_plan *tn_plan_request(const struct tn_env *env, const char *target, const char *devices,
                                GPtrArray *mistakes, GError **error);
