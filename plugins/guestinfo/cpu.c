/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * guest-get-vcpus, guest-get-load and guest-get-cpustats: what /sys/devices/system/cpu, /proc/loadavg and
 * /proc/stat say. The surprising thing: a CPU without an "online" file is online and cannot be taken
 * offline (on x86 usually the first one).
 */
#include <string.h>
#include <unistd.h>

#include "lib/error.h"
#include "lib/json.h"
#include "plugins/guestinfo/guestinfo.h"

#define CPU_PATH "sys/devices/system/cpu"

static gint compare_numbers(gconstpointer a, gconstpointer b)
{
        guint64 x = *(const guint64 *) a, y = *(const guint64 *) b;

        return (x > y) - (x < y);
}

static json_t *describe_cpu(const struct tn_env *env, guint64 id)
{
        g_autofree char *path = g_strdup_printf(CPU_PATH "/cpu%" G_GUINT64_FORMAT "/online", id);
        bool can_offline = tn_env_exists(env, path);
        json_t *entry = json_object();
        int64_t online = 1;

        if (can_offline)
                (void) tn_env_read_int64(env, path, &online);
        (void) json_object_set_new(entry, "logical-id", tn_guestinfo_uint(id));
        (void) json_object_set_new(entry, "online", json_boolean(online != 0));
        (void) json_object_set_new(entry, "can-offline", json_boolean(can_offline));
        return entry;
}

json_t *tn_cpu_run_vcpus(struct tenon_host *host, json_t *args, GError **error)
{
        g_auto(GStrv) names = tn_env_list(host->env, CPU_PATH);
        g_autoptr(GArray) ids = g_array_new(FALSE, FALSE, sizeof(guint64));
        json_t *reply;

        (void) args;
        if (!names) {
                (void) tn_error_set(error, TN_ERROR_UNSUPPORTED, "/" CPU_PATH " cannot be listed");
                return NULL;
        }
        for (size_t i = 0; names[i]; i++) {
                guint64 id;

                if (tn_guestinfo_numbered(names[i], "cpu", &id))
                        g_array_append_val(ids, id);
        }
        g_array_sort(ids, compare_numbers);
        reply = json_array();
        for (guint i = 0; i < ids->len; i++)
                (void) json_array_append_new(reply, describe_cpu(host->env, g_array_index(ids, guint64, i)));
        return reply;
}

json_t *tn_cpu_run_load(struct tenon_host *host, json_t *args, GError **error)
{
        static const char *const fields[] = {"load1m", "load5m", "load15m"};
        g_autofree char *text = NULL;
        json_t *reply;
        char *p;

        (void) args;
        if (!tn_env_read(host->env, "proc/loadavg", &text, NULL, error))
                return NULL;
        reply = json_object();
        p = text;
        for (size_t i = 0; i < G_N_ELEMENTS(fields); i++) {
                char *end;
                double load = g_ascii_strtod(p, &end);

                if (end == p) {
                        json_decref(reply);
                        (void) tn_error_set(error, TN_ERROR_INVALID, "/proc/loadavg has no three numbers");
                        return NULL;
                }
                (void) json_object_set_new(reply, fields[i], json_real(load));
                p = end;
        }
        return reply;
}

/* In the order of /proc/stat; the kernel has added columns over the years, the first four are always there.
 */
static const char *const stat_columns[] = {
        "user", "nice", "system", "idle", "iowait", "irq", "softirq", "steal", "guest", "guestnice",
};
#define STAT_COLUMNS_MIN 4

/* "cpu3 10 20 …" as GuestCpuStats, or NULL for any other line. */
static json_t *describe_stat(const char *line, guint64 ticks_per_second)
{
        g_auto(GStrv) columns = g_strsplit(line, " ", -1);
        json_t *entry;
        guint64 id;
        size_t i;

        if (!columns[0] || !tn_guestinfo_numbered(columns[0], "cpu", &id))
                return NULL;
        entry = json_object();
        tn_json_set_text(entry, "type", "linux");
        (void) json_object_set_new(entry, "cpu", tn_guestinfo_uint(id));
        for (i = 0; columns[i + 1] && i < G_N_ELEMENTS(stat_columns); i++) {
                guint64 ticks;

                if (!g_ascii_string_to_unsigned(columns[i + 1], 10, 0, G_MAXUINT64 / 1000, &ticks, NULL))
                        break;
                (void) json_object_set_new(entry, stat_columns[i],
                                           tn_guestinfo_uint(ticks * 1000 / ticks_per_second));
        }
        if (i < STAT_COLUMNS_MIN)
                g_clear_pointer(&entry, json_decref);
        return entry;
}

json_t *tn_cpu_run_stats(struct tenon_host *host, json_t *args, GError **error)
{
        guint64 ticks_per_second = (guint64) MAX(sysconf(_SC_CLK_TCK), 1);
        g_autofree char *text = NULL;
        g_auto(GStrv) lines = NULL;
        json_t *reply;

        (void) args;
        if (!tn_env_read(host->env, "proc/stat", &text, NULL, error))
                return NULL;
        lines = g_strsplit(text, "\n", -1);
        reply = json_array();
        for (size_t i = 0; lines[i]; i++) {
                json_t *entry = describe_stat(lines[i], ticks_per_second);

                if (entry)
                        (void) json_array_append_new(reply, entry);
        }
        return reply;
}
