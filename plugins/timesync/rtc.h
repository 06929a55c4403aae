/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* The hardware clock (rtc(4)), read and set in whole seconds, without hwclock(8). */
#pragma once

#include <glib.h>
#include <linux/rtc.h>
#include <stdbool.h>
#include <stdint.h>

#include "lib/env.h"

#define TN_RTC_DEVICE "dev/rtc0"

/* Calendar ↔ seconds since 1970, proleptic Gregorian, no leap seconds. Parsing refuses fields out of range.
 */
bool tn_rtc_to_seconds(const struct rtc_time *rtc, int64_t *ret_seconds);
void tn_rtc_from_seconds(int64_t seconds, struct rtc_time *ret);

/* True when etc/adjtime's third line says that the hardware clock keeps local time (hwclock(8)). */
bool tn_rtc_keeps_local_time(const struct tn_env *env);

/* Local calendar time, as seconds as if it were UTC, to UTC. */
int64_t tn_rtc_local_to_utc(int64_t seconds);

/* UTC seconds since 1970. */
bool tn_rtc_read(const struct tn_env *env, int64_t *ret_seconds, GError **error);
bool tn_rtc_write(const struct tn_env *env, int64_t seconds, GError **error);
