/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* The load average of the last minute for each processor that is online. */
#include <stdio.h>

#include "lib/env.h"
#include "plugins/health/check.h"
#include "plugins/health/measures.h"

bool health_parse_load(const char *text, double *ret_load)
{
        char *end;
        double load = g_ascii_strtod(text, &end);

        if (end == text || load < 0)
                return false;
        *ret_load = load;
        return true;
}

unsigned health_count_cpus(const char *list)
{
        g_auto(GStrv) ranges = g_strsplit(list, ",", -1);
        unsigned count = 0;

        for (size_t i = 0; ranges[i]; i++) {
                unsigned first, last;
                int n = sscanf(ranges[i], "%u-%u", &first, &last);

                if (n < 1 || (n == 2 && last < first))
                        return 0;
                count += n == 2 ? last - first + 1 : 1;
        }
        return count;
}

static void measure(struct health_check *check)
{
        g_autofree char *text = tn_env_read_line(check->host->env, "proc/loadavg");
        g_autofree char *online = tn_env_read_line(check->host->env, "sys/devices/system/cpu/online");
        unsigned cpus = online ? health_count_cpus(online) : 0;
        double load;

        if (!text || !health_parse_load(text, &load)) {
                health_check_result(check, HEALTH_UNKNOWN, "/proc/loadavg cannot be read");
                return;
        }
        if (cpus == 0) {
                health_check_result(
                        check, HEALTH_UNKNOWN,
                        "/sys/devices/system/cpu/online does not tell how many processors there are");
                return;
        }
        health_check_value(check, 100 * load / cpus, "the load is %.2f on %u processor%s, %.0f %% for each",
                           load, cpus, cpus > 1 ? "s" : "", 100 * load / cpus);
}

const struct health_type health_type_load = {
        .name = "load",
        .remedy = "look at what runs: top; or give the machine more CPUs",
        .unit = "%",
        .deadline_ms = 1000,
        .measure = measure,
};
