/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* A point in time as people write it. */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

/* "90", "90s", "10min", "2h", "1d": so long before @now; "2026-11-26", "2026-11-26 14:03[:05]": local time;
 * "@1795700000": seconds since 1970. */
bool tn_since_parse(const char *text, int64_t now, int64_t *ret_seconds, GError **error);
