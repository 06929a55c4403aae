/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* Read-only facts of clocks from sysfs. */
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
