/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * tenonctl status: one screen. What needs attention comes first, then one line for each part. Without an
 * agent it says so first, and still tells what machine this is.
 */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "cli/cli.h"
#include "cli/client.h"
#include "cli/drivers.h"
#include "detect/detect.h"
#include "lib/env.h"
#include "lib/error.h"
#include "lib/holder.h"
#include "lib/names.h"

#define line tn_cli_line /* it stands in every function here */

static void print_hypervisor(const json_t *detected)
{
        const json_t *primary = json_object_get(detected, "primary");
        json_t *fact;
        size_t i;

        line("Hypervisor", "%s", json_is_object(primary) ? tn_cli_text(primary, "id") : "none (bare metal)");
        json_array_foreach(json_object_get(detected, "facts"), i, fact)
                line("", "%s %s: %s", tn_cli_text(fact, "kind"), tn_cli_text(fact, "id"),
                     tn_cli_text(fact, "evidence"));
}

static void print_channel(const struct tn_env *env, const json_t *channel)
{
        const char *state = tn_cli_text(channel, "state");
        bool qmp = g_str_equal(tn_cli_text(channel, "role"), "qmp");
        g_autofree char *owner = NULL;
        unsigned connected = 0;
        json_t *client;
        size_t i;

        json_array_foreach(json_object_get(channel, "clients"), i, client)
                connected += json_is_true(json_object_get(client, "connected"));
        if (g_str_equal(state, "busy"))
                owner = tn_holder_find(env, tn_cli_text(channel, "path"));
        line(qmp ? "QMP" : "Host", "%s at %s: %s%s%s, %s", tn_cli_text(channel, "method"),
             tn_cli_text(channel, "path"), state, owner ? ", owned by " : "", owner ? owner : "",
             connected ? "host connected" : "no host connected");
}

static void print_channels(const struct tn_env *env, const json_t *channels)
{
        json_t *channel;
        size_t i;

        json_array_foreach(channels, i, channel) if (!g_str_equal(tn_cli_text(channel, "role"), "control"))
                print_channel(env, channel);
}

static void print_plugins(const json_t *plugins)
{
        unsigned running = 0, commands = 0;
        json_t *plugin;
        size_t i;

        json_array_foreach(plugins, i, plugin) if (g_str_equal(tn_cli_text(plugin, "state"), "running"))
        {
                running++;
                commands += (unsigned) json_array_size(json_object_get(plugin, "commands"));
        }
        line("Plugins", "%u of %zu running, %u commands", running, json_array_size(plugins), commands);
}

static void print_driver_advice(const json_t *row)
{
        const json_t *advice = json_object_get(row, "advice");
        g_autofree char *used_by = tn_cli_used_by(row);

        if (json_object_get(row, "problem"))
                line("", "%s has no driver: %s", tn_cli_text(row, "device"), tn_cli_text(row, "problem"));
        if (advice && g_str_equal(tn_cli_text(advice, "importance"), "high"))
                line("", "%s (%s) is emulated, %s would be faster: see tenonctl drivers",
                     tn_cli_text(row, "device"), used_by, tn_cli_text(advice, "module"));
}

/* The agent tells which drivers are bound; what could be better is looked up here, for the agent sees no
 * modules. */
static void print_drivers(const struct tn_env *env, const json_t *drivers)
{
        g_autoptr(GString) bound = g_string_new(NULL);
        json_auto_t *inventory = tn_cli_inventory(env, NULL);
        json_t *row;
        size_t i;

        json_array_foreach(drivers, i, row)
        {
                const char *driver = tn_cli_text(row, "driver");

                if (g_str_equal(tn_cli_text(row, "kind"), "paravirtual") && *driver &&
                    !strstr(bound->str, driver))
                        g_string_append_printf(bound, "%s%s", bound->len ? ", " : "", driver);
        }
        line("Drivers", "%s", bound->len ? bound->str : "no paravirtual devices");
        json_array_foreach(json_object_get(inventory, "devices"), i, row) print_driver_advice(row);
}

static void print_watchdog(const json_t *watchdog)
{
        const json_t *last = json_object_get(watchdog, "last-reset");
        const char *device = tn_cli_text(watchdog, "device"), *reason = tn_cli_text(watchdog, "reason");

        if (!json_is_object(watchdog)) {
                line("Watchdog", "the plugin watchdog does not run");
                return;
        }
        line("Watchdog", "%s%s%s%s%s", tn_cli_text(watchdog, "state"), *device ? ", " : "", device,
             *reason ? ": " : "", reason);
        if (last)
                line("", "last reset: %s: %s", tn_cli_text(last, "cause"), tn_cli_text(last, "reason"));
        if (json_object_get(watchdog, "brake"))
                line("", "the brake is on: too many resets, so no check stops the feeding");
}

static void print_time(const json_t *now)
{
        time_t seconds = (time_t) (json_integer_value(json_object_get(now, "realtime")) / 1000000000);
        char text[64];
        struct tm tm;

        strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S %Z", localtime_r(&seconds, &tm));
        line("Time", "%s, clock source %s", text, tn_cli_text(now, "clocksource"));
}

static void print_health(const json_t *health)
{
        json_t *problem;
        size_t i;

        json_array_foreach(json_object_get(health, "problems"), i, problem)
                line(i ? "" : "Attention", "%s", json_string_value(problem));
}

static void print_status(const struct tn_env *env, const json_t *status)
{
        json_int_t seconds = json_integer_value(json_object_get(status, "uptime-seconds"));

        print_health(json_object_get(status, "health"));
        line("Agent", "Tenon %s, %s, running for %" JSON_INTEGER_FORMAT " min %" JSON_INTEGER_FORMAT " s",
             tn_cli_text(status, "version"), tn_cli_text(json_object_get(status, "health"), "state"),
             seconds / 60, seconds % 60);
        print_hypervisor(json_object_get(status, "hypervisor"));
        print_channels(env, json_object_get(status, "channels"));
        line("Policy", "%s", tn_cli_text(json_object_get(status, "policy"), "preset"));
        print_plugins(json_object_get(status, "plugins"));
        print_drivers(env, json_object_get(status, "drivers"));
        print_watchdog(json_object_get(status, "watchdog"));
        print_time(json_object_get(status, "time"));
}

/* What can be said without an agent. */
static int without_agent(const struct tn_env *env, const GError *error, bool json)
{
        struct tn_detect *detected;
        json_auto_t *value = NULL;

        fprintf(stderr, "tenonctl: %s\n", error->message);
        if (!g_error_matches(error, TN_ERROR, TN_ERROR_NOT_FOUND))
                return TN_EXIT_USAGE;
        if (!json) {
                detected = tn_detect_run(env);
                value = tn_detect_to_json(detected);
                print_hypervisor(value);
                tn_detect_free(detected);
        }
        return TN_EXIT_NOT_RUNNING;
}

static int show(const struct tn_env *env, bool json)
{
        g_autoptr(GError) error = NULL;
        json_auto_t *status = tn_client_ask(tn_cli_socket(), "tenon-get-status", &error);

        if (!status)
                return without_agent(env, error, json);
        if (json)
                tn_cli_print_json(status);
        else
                print_status(env, status);
        return g_str_equal(tn_cli_text(json_object_get(status, "health"), "state"), "ok") ? TN_EXIT_OK
                                                                                          : TN_EXIT_NO;
}

int tn_cli_status(int argc, char **argv)
{
        gboolean json = FALSE;
        const struct tn_cli_value values[] = {{"json", &json}, {NULL}};
        g_autoptr(GError) error = NULL;
        struct tn_env env;
        int status;

        if (!tn_cli_options(&argc, &argv, values))
                return TN_EXIT_USAGE;
        if (!tn_env_init_system(&env, NULL, &error))
                return tn_cli_fail(error);
        status = show(&env, json);
        tn_env_deinit(&env);
        return status;
}
