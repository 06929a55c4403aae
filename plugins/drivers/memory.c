/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * Reads meminfo, the kernel's pressure figures and the size of the balloon. The surprising thing is the
 * balloon: no driver tells its size in sysfs. Linux 6.16 has it in meminfo; before, the pages that drivers
 * took and gave back are counted in vmstat; Xen's own driver shows what the guest has and should have.
 */
#include "plugins/drivers/memory.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/error.h"

#define XEN_MEMORY "sys/devices/system/xen_memory/xen_memory0"

/* The number behind "NAME" and separators in one of the lines of @text. */
static bool find_number(const char *text, const char *name, int64_t *ret)
{
        size_t len = strlen(name);

        for (const char *line = text; line; line = strchr(line, '\n')) {
                char *end;
                gint64 value;

                line += *line == '\n';
                if (strncmp(line, name, len) != 0 || (line[len] != ':' && line[len] != ' '))
                        continue;
                value = g_ascii_strtoll(line + len + 1, &end, 10);
                if (end == line + len + 1 || value < 0)
                        return false;
                *ret = value;
                return true;
        }
        return false;
}

/* A row of meminfo, which has kB. */
static bool find_kb(const char *meminfo, const char *name, int64_t *ret_bytes)
{
        int64_t kb;

        if (!find_number(meminfo, name, &kb) || kb > G_MAXINT64 / 1024)
                return false;
        *ret_bytes = kb * 1024;
        return true;
}

static json_t *xen_balloon(const struct tn_env *env)
{
        int64_t current, target;

        if (!tn_env_read_int64(env, XEN_MEMORY "/info/current_kb", &current) ||
            !tn_env_read_int64(env, XEN_MEMORY "/target_kb", &target))
                return NULL;
        return json_pack("{s:I, s:I}", "current-bytes", (json_int_t) current * 1024, "target-bytes",
                         (json_int_t) target * 1024);
}

static json_t *read_balloon(const struct tn_env *env, const char *meminfo)
{
        g_autofree char *vmstat = NULL;
        int64_t bytes, inflated, deflated;
        json_t *xen = xen_balloon(env);

        if (xen)
                return xen;
        if (find_kb(meminfo, "Balloon", &bytes))
                return json_pack("{s:I}", "bytes", (json_int_t) bytes);
        if (!tn_env_read(env, "proc/vmstat", &vmstat, NULL, NULL) ||
            !find_number(vmstat, "balloon_inflate", &inflated) ||
            !find_number(vmstat, "balloon_deflate", &deflated) || inflated == 0 || inflated < deflated)
                return NULL;
        return json_pack("{s:I}", "bytes", (json_int_t) (inflated - deflated) * sysconf(_SC_PAGESIZE));
}

/* "some avg10=0.00 avg60=0.00 avg300=0.00 total=0" */
static json_t *read_pressure_line(const char *text, const char *kind)
{
        const char *line = strstr(text, kind);
        double avg10, avg60, avg300;
        unsigned long long total;

        if (!line || sscanf(line + strlen(kind), " avg10=%lf avg60=%lf avg300=%lf total=%llu", &avg10,
                            &avg60, &avg300, &total) != 4)
                return NULL;
        return json_pack("{s:f, s:f, s:f, s:I}", "avg10", avg10, "avg60", avg60, "avg300", avg300,
                         "total-usec", (json_int_t) MIN(total, (unsigned long long) G_MAXINT64));
}

/* NULL where the kernel keeps no such figures (CONFIG_PSI, psi=0). */
static json_t *read_pressure(const struct tn_env *env)
{
        g_autofree char *text = NULL;
        json_t *some, *full;

        if (!tn_env_read(env, "proc/pressure/memory", &text, NULL, NULL))
                return NULL;
        some = read_pressure_line(text, "some");
        full = read_pressure_line(text, "full");
        if (some && full)
                return json_pack("{s:o, s:o}", "some", some, "full", full);
        json_decref(some);
        json_decref(full);
        return NULL;
}

static void set_optional(json_t *object, const char *key, json_t *value)
{
        if (value)
                json_object_set_new(object, key, value);
}

json_t *tn_memory_read(const struct tn_env *env, GError **error)
{
        g_autofree char *meminfo = NULL;
        int64_t total, available, swap_total, swap_free;
        json_t *object;

        if (!tn_env_read(env, "proc/meminfo", &meminfo, NULL, error))
                return NULL;
        if (!find_kb(meminfo, "MemTotal", &total) || !find_kb(meminfo, "MemAvailable", &available)) {
                (void) tn_error_set(error, TN_ERROR_UNSUPPORTED,
                                    "/proc/meminfo has no MemTotal and MemAvailable: the kernel is too old");
                return NULL;
        }
        object = json_pack("{s:I, s:I, s:I, s:I}", "time",
                           (json_int_t) env->now_usec(env, CLOCK_REALTIME) * 1000, "total-bytes",
                           (json_int_t) total, "available-bytes", (json_int_t) available, "used-bytes",
                           (json_int_t) MAX(total - available, 0));
        if (find_kb(meminfo, "SwapTotal", &swap_total) && find_kb(meminfo, "SwapFree", &swap_free))
                json_object_set_new(object, "swap-used-bytes", json_integer(MAX(swap_total - swap_free, 0)));
        set_optional(object, "balloon", read_balloon(env, meminfo));
        set_optional(object, "pressure", read_pressure(env));
        return object;
}
