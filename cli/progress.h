/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* Progress of long work on standard error: one line that is renewed on a terminal, one line a step
 * elsewhere. */
#pragma once

#include "pvdrivers/progress.h"

void tn_cli_progress_init(struct tn_progress *progress);
/* Ends the line that is renewed. */
void tn_cli_progress_end(struct tn_progress *progress);
