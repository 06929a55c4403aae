/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* What a row of the table of settings says of a value: does it fit, and in which spelling it is kept. Pure.
 */
#pragma once

#include <stdbool.h>

#include "agent/config-table.h"

bool tn_config_value_fits(const struct tn_config_key *row, const char *value);
/* Yes and no in one spelling, so that nobody has to parse them again; all else as it is. Borrowed. */
const char *tn_config_value_normal(const struct tn_config_key *row, const char *value);
