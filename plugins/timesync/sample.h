/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * One measurement of the system clock against a source of time. Offsets are source minus CLOCK_REALTIME: a
 * positive one says that the system clock is behind. The true offset lies within ±error_nsec of it, as far
 * as the source can be believed.
 */
#pragma once

#include <stdint.h>

#define TN_NSEC_PER_SEC  INT64_C(1000000000)
#define TN_NSEC_PER_MSEC INT64_C(1000000)
#define TN_NSEC_PER_USEC INT64_C(1000)

struct tn_sample {
        int64_t offset_nsec;
        int64_t error_nsec;
        int64_t at_nsec; /* CLOCK_MONOTONIC_RAW of the measurement */
};
