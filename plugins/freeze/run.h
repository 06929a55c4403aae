/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* The agent's part of a freeze: hooks, keeper, replies, the fact "freeze". At most one at a time. */
#pragma once

#include <jansson.h>
#include <stdbool.h>

#include "tenon/plugin.h"

struct freeze_run;

/* When a marker says so, begins with thawing what an agent before this one left frozen. */
struct freeze_run *freeze_run_new(struct tenon_host *host);
/* Thaws, and waits for that for a short while; the keeper runs the thaw hooks that are due. */
void freeze_run_free(struct freeze_run *run);

/* @only: mount points (copied), NULL for all. Ends @call now or later. */
void freeze_run_freeze(struct freeze_run *run, struct tenon_call *call, unsigned timeout_ms,
                       const char *const *only);
void freeze_run_thaw(struct freeze_run *run, struct tenon_call *call);

/* "frozen" from the first file system on until the last one is thawed, else "thawed". */
const char *freeze_run_status(const struct freeze_run *run);
/* Of the present freeze, or of the last one. New reference. */
json_t *freeze_run_report(const struct freeze_run *run);
