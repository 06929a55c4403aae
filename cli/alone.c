/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* From the configuration and from sysfs: what would be, and what is there. */
#include "cli/alone.h"

#include <stdio.h>

#include "agent/hardware.h"
#include "cli/cli.h"
#include "cli/when.h"
#include "lib/names.h"

#define WATCHDOGS "sys/class/watchdog"

int tn_alone(const GError *error, tn_alone_func tell)
{
        int status = tn_cli_fail(error);
        g_autoptr(tn_config_t) config = NULL;
        struct tn_env env;

        if (status != TN_EXIT_NOT_RUNNING || !tell || tn_cli_wants_json() ||
            !tn_env_init_system(&env, NULL, NULL))
                return status;
        config = tn_config_new(&env, TN_PATH_CONFIG, false, NULL);
        if (config)
                tell(&env, config);
        tn_env_deinit(&env);
        return status;
}

/* "a, b", or @none. Free with g_free(). */
static char *join(char **names, const char *none)
{
        return names && *names ? g_strjoinv(", ", names) : g_strdup(none);
}

void tn_alone_health(const struct tn_env *env, const struct tn_config *config)
{
        g_auto(GStrv) names = tn_config_names(config, "check");
        g_autofree char *text = join(names, "none but the agent's own");

        (void) env;
        tn_cli_line("Checks", "configured: %s", text);
}

void tn_alone_plugins(const struct tn_env *env, const struct tn_config *config)
{
        const char *folder = tn_config_get(config, "plugins", "directory");
        g_auto(GStrv) files = tn_env_list(env, folder + strspn(folder, "/"));
        g_autofree char *text = join(files, "none");

        tn_cli_line("Plugins", "in %s: %s", folder, text);
}

void tn_alone_policy(const struct tn_env *env, const struct tn_config *config)
{
        const char *origin = tn_config_origin(config, "policy", "preset");

        (void) env;
        tn_cli_line("Preset", "%s (%s)", tn_config_get(config, "policy", "preset"),
                    origin ? origin : "default");
        tn_cli_line("Allow", "%s", tn_config_get(config, "policy", "allow"));
        tn_cli_line("Block", "%s", tn_config_get(config, "policy", "block"));
}

void tn_alone_time(const struct tn_env *env, const struct tn_config *config)
{
        json_auto_t *now = tn_hardware_time(env);
        g_autofree char *text = tn_when_text(
                (time_t) (json_number_value(json_object_get(now, "realtime")) / 1e9));
        json_t *clock;
        size_t i;

        (void) config;
        tn_cli_line("Time", "%s, clock source %s", text, tn_cli_text(now, "clocksource"));
        json_array_foreach(json_object_get(now, "ptp"), i, clock)
                tn_cli_line(i ? "" : "PTP clocks", "%s", json_string_value(clock));
}

void tn_alone_watchdog(const struct tn_env *env, const struct tn_config *config)
{
        g_auto(GStrv) names = tn_env_list(env, WATCHDOGS);

        tn_cli_line("Mode", "%s", tn_config_get(config, "watchdog", "mode"));
        if (!names || !*names)
                tn_cli_line("Devices", "none");
        for (size_t i = 0; names && names[i]; i++) {
                g_autofree char *identity = g_strdup_printf(WATCHDOGS "/%s/identity", names[i]);
                g_autofree char *state = g_strdup_printf(WATCHDOGS "/%s/state", names[i]);
                g_autofree char *is = tn_env_read_line(env, identity), *does = tn_env_read_line(env, state);

                tn_cli_line(i ? "" : "Devices", "%s: %s, %s", names[i], is ? is : "unknown",
                            does ? does : "state unknown");
        }
}
