/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* Memory that programs can still get without swapping, as the kernel reckons it. */
#include <stdio.h>
#include <string.h>

#include "lib/env.h"
#include "plugins/health/check.h"
#include "plugins/health/measures.h"

static bool find_kib(const char *text, const char *name, uint64_t *ret)
{
        const char *at = strstr(text, name);
        unsigned long long kib;

        if (!at || sscanf(at + strlen(name), " %llu kB", &kib) != 1)
                return false;
        *ret = kib;
        return true;
}

bool health_parse_memory(const char *text, uint64_t *ret_available, uint64_t *ret_total)
{
        uint64_t available, total;

        if (!find_kib(text, "MemAvailable:", &available) || !find_kib(text, "MemTotal:", &total) ||
            total == 0)
                return false;
        *ret_available = available;
        *ret_total = total;
        return true;
}

static void measure(struct health_check *check)
{
        g_autoptr(GError) error = NULL;
        g_autofree char *text = NULL;
        uint64_t available, total;

        if (!tn_env_read(check->host->env, "proc/meminfo", &text, NULL, &error)) {
                health_check_result(check, HEALTH_UNKNOWN, "%s", error->message);
        } else if (!health_parse_memory(text, &available, &total)) {
                health_check_result(check, HEALTH_UNKNOWN, "/proc/meminfo lacks MemAvailable or MemTotal");
        } else {
                double percent = 100.0 * (double) available / (double) total;

                health_check_value(check, percent,
                                   "%.0f %% of the memory is left, %" G_GUINT64_FORMAT " MiB", percent,
                                   available / 1024);
        }
}

const struct health_type health_type_memory_available = {
        .name = "memory-available",
        .remedy = "look at what needs so much: top -o %MEM; or give the machine more memory",
        .unit = "%",
        .falling = true,
        .deadline_ms = 1000,
        .measure = measure,
};
