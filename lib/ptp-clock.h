/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * PTP hardware clocks that a hypervisor or its network card offers: which are there, by the name that their
 * driver gives them and never by their number. They are not opened here.
 */
#pragma once

#include <glib.h>
#include <stdint.h>

#include "lib/env.h"

struct tn_ptp_kind {
        const char *clock_name; /* what sysfs says, to be matched with g_pattern_match_simple() */
        const char *name;       /* ours */
        int64_t error_nsec; /* how far it is from the host's clock at worst, beside a reading's own error */
        const char *reason;
};

/* The best clock that is there: its row of a static table, and "ptp0" in @ret_device, to be freed with
 * g_free(). NULL when there is none that is known. */
const struct tn_ptp_kind *tn_ptp_clock_find(const struct tn_env *env, char **ret_device);
