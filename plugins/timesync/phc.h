/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * The offset of CLOCK_REALTIME against a PTP hardware clock (include/uapi/linux/ptp_clock.h) that a
 * hypervisor or its network card offers. Which are known, lib/ptp-clock.h says.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "lib/env.h"
#include "lib/ptp-clock.h"
#include "plugins/timesync/sample.h"

struct tn_phc {
        const struct tn_ptp_kind *kind;
        char *device; /* "ptp0" */
        int fd;       /* -1: not opened yet */
};

/* The best clock that is there, not opened; NULL when there is none that is known. */
struct tn_phc *tn_phc_find(const struct tn_env *env);
/* NULL is fine. */
void tn_phc_free(struct tn_phc *phc);

/* How the three requests are made; ioctl(2) in production. Returns 0, or -1 with errno. */
typedef int (*tn_phc_ioctl)(int fd, unsigned long request, void *argument);

/* Opens the clock when it is not open yet, and measures. Tries the precise request first, then the one with
 * the smallest windows, then the oldest. False with @error: it cannot be read. */
bool tn_phc_measure(struct tn_phc *phc, const struct tn_env *env, tn_phc_ioctl request,
                    struct tn_sample *ret, GError **error);
