/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * Makes this guest ready for another hypervisor, while it still runs on the present one: what the plan found
 * and can be done in files is done, in one transaction that `undo` takes back.
 */
#pragma once

#include <glib.h>
#include <jansson.h>
#include <stdbool.h>

#include "pvdrivers/catalogue.h"
#include "pvdrivers/progress.h"
#include "pvdrivers/tool.h"

struct tn_prepare_options {
        enum tn_pv_platform target;
        const char *const *devices; /* as in struct tn_plan_options */
        bool dry_run;
        tn_tool_run_func run; /* NULL: tn_tool_run */
};

/* The answer of `--json`; see docs/drivers-prepare.md. New reference. Its member "plan" is the plan after
 * the work, *ret_exit_status that plan's exit status. NULL with @error: nothing was changed, or all of it
 * was taken back. */
json_t *tn_prepare_run(const struct tn_env *env, const struct tn_catalogue *catalogue,
                       const struct tn_prepare_options *options, struct tn_progress *progress,
                       int *ret_exit_status, GError **error);
