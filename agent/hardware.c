/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* Read-only facts of watchdogs and clocks from sysfs. */
#include "agent/hardware.h"

#include <string.h>

#include "lib/json.h"

#define ENTRIES_MAX 1024 /* a hostile host may plug in any number of devices */

static char *read_attribute(const struct tn_env *env, const char *class, const char *device,
                            const char *name)
{
        g_autofree char *path = g_strdup_printf("sys/class/%s/%s/%s", class, device, name);

        return tn_env_read_line(env, path);
}

static void set_number(json_t *row, const struct tn_env *env, const char *device, const char *name)
{
        g_autofree char *text = read_attribute(env, "watchdog", device, name);
        gint64 value;

        if (text && g_ascii_string_to_signed(text, 10, 0, G_MAXINT64, &value, NULL))
                json_object_set_new(row, name, json_integer(value));
}

json_t *tn_hardware_watchdogs(const struct tn_env *env)
{
        g_auto(GStrv) devices = tn_env_list(env, "sys/class/watchdog");
        json_t *list = json_array();

        for (size_t i = 0; devices && devices[i] && i < ENTRIES_MAX; i++) {
                g_autofree char *identity = read_attribute(env, "watchdog", devices[i], "identity");
                g_autofree char *state = read_attribute(env, "watchdog", devices[i], "state");
                json_t *row = json_object();

                json_object_set_new(row, "device", tn_json_text(devices[i]));
                tn_json_set_text(row, "identity", identity);
                tn_json_set_text(row, "state", state);
                set_number(row, env, devices[i], "timeout");
                set_number(row, env, devices[i], "bootstatus");
                json_array_append_new(list, row);
        }
        return list;
}

json_t *tn_hardware_time(const struct tn_env *env)
{
        g_autofree char *source = tn_env_read_line(
                env, "sys/devices/system/clocksource/clocksource0/current_clocksource");
        g_auto(GStrv) clocks = tn_env_list(env, "sys/class/ptp");
        json_t *object = json_object(), *ptp = json_array();

        json_object_set_new(object, "realtime",
                            json_integer((json_int_t) env->now_usec(env, CLOCK_REALTIME) * 1000));
        tn_json_set_text(object, "clocksource", source);
        for (size_t i = 0; clocks && clocks[i] && i < ENTRIES_MAX; i++) {
                g_autofree char *name = read_attribute(env, "ptp", clocks[i], "clock_name");

                if (name)
                        json_array_append_new(ptp, tn_json_text(name));
        }
        json_object_set_new(object, "ptp", ptp);
        return object;
}
