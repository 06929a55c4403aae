/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * Guest tools of other hypervisors. They are told before a move and removed after it, never before: until
 * then the present host may need them.
 */
#pragma once

#include <glib.h>
#include <jansson.h>
#include <stdbool.h>

#include "pvdrivers/catalogue.h"
#include "pvdrivers/packages.h"
#include "pvdrivers/progress.h"

/* Tools here that do not belong to @target: [{"name", "file", "package" or null, "remove": text}]. New
 * reference. */
json_t *tn_leftovers_to_json(const struct tn_env *env, enum tn_pv_platform target);

/* Removes those that came as packages. False with @error: the guest does not run on @target yet
 * (TN_ERROR_DENIED), or the package manager failed. @ret is {"removed": [package], "left": [text]}: what has
 * to be removed by hand, and how. */
bool tn_leftovers_remove(const struct tn_env *env, enum tn_pv_platform target, bool dry_run,
                         tn_tool_run_func run, struct tn_progress *progress, json_t **ret, GError **error);
