/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* What tenon-get-freeze-report tells of one freeze, and the sentences for errors. Pure. */
#pragma once

#include <glib.h>
#include <jansson.h>

#include "plugins/freeze/board.h"
#include "plugins/freeze/plan.h"

/* @plan and @hooks may be NULL; @error is what the host was told, or NULL. New reference. */
json_t *freeze_report_new(const struct freeze_board *board, const struct freeze_plan *plan,
                          const GPtrArray *hooks, const char *error);

/* "request", "deadline", … */
const char *freeze_report_why(enum freeze_why why);

/* Why the freeze did not come about, for the host. Free with g_free(). */
char *freeze_report_failure(const struct freeze_board *board);
/* Which file systems the kernel has not given back, for the host; NULL: none. Free with g_free(). */
char *freeze_report_hanging(const struct freeze_board *board);
