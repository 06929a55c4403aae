/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* Open files of the whole system against the most that the kernel allows, fs.file-max. */
#include <stdio.h>

#include "lib/env.h"
#include "plugins/health/check.h"
#include "plugins/health/measures.h"

bool health_parse_handles(const char *text, uint64_t *ret_used, uint64_t *ret_max)
{
        unsigned long long allocated, unused, max;

        if (sscanf(text, "%llu %llu %llu", &allocated, &unused, &max) != 3 || unused > allocated || max == 0)
                return false;
        *ret_used = allocated - unused;
        *ret_max = max;
        return true;
}

static void measure(struct health_check *check)
{
        g_autofree char *text = tn_env_read_line(check->host->env, "proc/sys/fs/file-nr");
        uint64_t used, max;

        if (!text || !health_parse_handles(text, &used, &max)) {
                health_check_result(check, HEALTH_UNKNOWN, "/proc/sys/fs/file-nr cannot be read");
                return;
        }
        health_check_value(check, 100.0 * (double) used / (double) max,
                           "%" G_GUINT64_FORMAT " of at most %" G_GUINT64_FORMAT " files are open", used,
                           max);
}

const struct health_type health_type_file_handles = {
        .name = "file-handles",
        .remedy = "find who holds so many open: lsof; or raise fs.file-max",
        .unit = "%",
        .deadline_ms = 1000,
        .measure = measure,
};
