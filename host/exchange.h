/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* The arithmetic of an exchange of four times, as in NTP (RFC 5905, section 8). Pure. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* CLOCK_REALTIME in nanoseconds: the host's when it asked and when the answer was there, the guest's
 * between. */
struct tn_exchange {
        int64_t asked, received, replied, answered;
};

/* Host minus guest: how far the guest is behind. The truth is within ±*ret_error of *ret_offset, however the
 * way there and the way back compare. False: the four times contradict each other. */
bool tn_exchange_offset(const struct tn_exchange *exchange, int64_t *ret_offset, int64_t *ret_error);
