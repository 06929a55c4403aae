/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* Times as people read them. */
#pragma once

#include <stdint.h>
#include <time.h>

/* "2026-11-26 14:03:05", local time. Free with g_free(). */
char *tn_when_text(time_t seconds);
/* "12.3 ms": three figures and a unit that fits. Free with g_free(). */
char *tn_when_duration(double nsec);
/* "3 d 4 h", "5 min 2 s": the two largest units. Free with g_free(). */
char *tn_when_span(int64_t seconds);
