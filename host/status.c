/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * tenon-host status: one screen. Tenon's agent is asked once; any other agent is asked the few standard
 * commands that it may have, and what it does not have is left out.
 */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "host/host.h"
#include "host/print.h"
#include "host/trouble.h"

static const char *member(const json_t *object, const char *key)
{
        const char *text = json_string_value(json_object_get(object, key));

        return text ? text : "";
}

static void print_health(const json_t *health)
{
        json_t *problem;
        size_t i;

        json_array_foreach(json_object_get(health, "problems"), i, problem) if (json_is_string(problem))
                tn_print_labelled(i ? "" : "Attention", "%s", json_string_value(problem));
}

static void print_system(const json_t *os, const char *host_name)
{
        const char *pretty = member(os, "pretty-name");

        if (*host_name)
                tn_print_labelled("Host name", "%s", host_name);
        if (json_is_object(os))
                tn_print_labelled("System", "%s, Linux %s %s", *pretty ? pretty : member(os, "name"),
                                  member(os, "kernel-release"), member(os, "machine"));
}

static void print_addresses(const json_t *interfaces)
{
        json_t *interface, *address;
        bool first = true;
        size_t i, j;

        json_array_foreach(interfaces, i, interface)
        {
                g_autoptr(GString) text = g_string_new(NULL);

                if (g_str_equal(member(interface, "name"), "lo"))
                        continue;
                json_array_foreach(json_object_get(interface, "ip-addresses"), j, address)
                        g_string_append_printf(text, " %s", member(address, "ip-address"));
                tn_print_labelled(first ? "Network" : "", "%s:%s", member(interface, "name"),
                                  text->len ? text->str : " no address");
                first = false;
        }
}

static void print_channels(const json_t *channels)
{
        json_t *channel;
        size_t i;

        json_array_foreach(channels, i, channel) if (!g_str_equal(member(channel, "role"), "control"))
                tn_print_labelled(i ? "" : "Channels", "%s: %s at %s, %s", member(channel, "role"),
                                  member(channel, "method"), member(channel, "path"),
                                  member(channel, "state"));
}

static void print_plugins(const json_t *plugins)
{
        unsigned running = 0, commands = 0;
        json_t *plugin;
        size_t i;

        json_array_foreach(plugins, i, plugin) if (g_str_equal(member(plugin, "state"), "running"))
        {
                running++;
                commands += (unsigned) json_array_size(json_object_get(plugin, "commands"));
        }
        tn_print_labelled("Plugins", "%u of %zu running, %u commands", running, json_array_size(plugins),
                          commands);
}

static void print_drivers(const json_t *drivers)
{
        g_autoptr(GString) text = g_string_new(NULL);
        json_t *row;
        size_t i;

        json_array_foreach(drivers, i, row)
        {
                const char *driver = member(row, "driver");

                /* A driver of several devices is named once. */
                if (*driver && strstr(text->str, driver))
                        continue;
                g_string_append_printf(text, "%s%s", text->len ? ", " : "",
                                       *driver ? driver : "(no driver)");
        }
        if (text->len > 0)
                tn_print_labelled("Drivers", "%s", text->str);
}

static void print_clock(const json_t *now)
{
        json_t *realtime = json_object_get(now, "realtime");
        time_t seconds = (time_t) (json_integer_value(realtime) / 1000000000);
        double ahead = difftime(seconds, time(NULL));
        char text[64] = "";
        struct tm tm;

        if (!json_is_integer(realtime) || !localtime_r(&seconds, &tm) ||
            strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S %Z", &tm) == 0)
                return;
        if (ahead < -1 || ahead > 1)
                tn_print_labelled("Time", "%s, %.0f s %s this host, clock source %s", text,
                                  ahead > 0 ? ahead : -ahead, ahead > 0 ? "ahead of" : "behind",
                                  member(now, "clocksource"));
        else
                tn_print_labelled("Time", "%s, as on this host, clock source %s", text,
                                  member(now, "clocksource"));
}

/* What tenon-get-status said. */
static int print_tenon(const json_t *status, const char *dialect)
{
        const json_t *health = json_object_get(status, "health"), *facts = json_object_get(status, "facts");
        const json_t *primary = json_object_get(json_object_get(status, "hypervisor"), "primary");
        json_int_t uptime = json_integer_value(json_object_get(status, "uptime-seconds"));

        print_health(health);
        tn_print_labelled("Agent", "Tenon %s, %s, running for %" JSON_INTEGER_FORMAT " min; asked by %s",
                          member(status, "version"), member(health, "state"), uptime / 60, dialect);
        print_system(json_object_get(facts, "os"), "");
        if (json_is_object(primary))
                tn_print_labelled("Machine", "%s: %s", member(primary, "kind"), member(primary, "id"));
        print_addresses(json_object_get(facts, "network"));
        print_channels(json_object_get(status, "channels"));
        tn_print_labelled("Policy", "%s", member(json_object_get(status, "policy"), "preset"));
        print_plugins(json_object_get(status, "plugins"));
        print_drivers(json_object_get(status, "drivers"));
        print_clock(json_object_get(status, "time"));
        return g_str_equal(member(health, "state"), "ok") ? 0 : TN_TROUBLE_GUEST;
}

static const char *const standard[] = {"guest-info", "guest-get-host-name", "guest-get-osinfo",
                                       "guest-network-get-interfaces", "guest-fsfreeze-status"};

/* {command: what it returned}; NULL with @error when not even the first one is answered. */
static json_t *ask_standard(struct tn_guest *guest, GError **error)
{
        json_auto_t *answers = json_object();

        for (size_t i = 0; i < G_N_ELEMENTS(standard); i++) {
                GError *why = NULL;
                json_t *value = NULL;

                if (tn_guest_ask(guest, standard[i], NULL, &value, &why)) {
                        json_object_set_new(answers, standard[i], value);
                } else if (i == 0 || !tn_trouble_is_answer(why)) {
                        g_propagate_error(error, why);
                        return NULL;
                }
                g_clear_error(&why);
        }
        return g_steal_pointer(&answers);
}

static void print_standard(const json_t *answers, const char *dialect)
{
        const json_t *info = json_object_get(answers, "guest-info");
        const char *frozen = member(answers, "guest-fsfreeze-status");

        tn_print_labelled("Agent", "%s, %zu commands; not Tenon's; asked by %s", member(info, "version"),
                          json_array_size(json_object_get(info, "supported_commands")), dialect);
        print_system(json_object_get(answers, "guest-get-osinfo"),
                     member(json_object_get(answers, "guest-get-host-name"), "host-name"));
        print_addresses(json_object_get(answers, "guest-network-get-interfaces"));
        if (*frozen)
                tn_print_labelled("File systems", "%s", frozen);
}

static int without_tenon(const struct tn_host *host, struct tn_guest *guest)
{
        g_autoptr(GError) error = NULL;
        json_auto_t *answers = ask_standard(guest, &error);

        if (!answers)
                return tn_trouble_report(error);
        if (host->json)
                tn_print_json(answers);
        else
                print_standard(answers, guest->dialect);
        return 0;
}

int tn_host_status(struct tn_host *host, int argc, char **argv)
{
        g_autoptr(GError) error = NULL;
        g_autoptr(tn_guest_t) guest = NULL;
        json_auto_t *status = NULL;

        if (!tn_host_parse(host, &argc, &argv, NULL, 0, 0))
                return TN_TROUBLE_LOCAL;
        guest = tn_host_open(host, &error);
        if (guest && !tn_guest_ask(guest, "tenon-get-status", NULL, &status, &error) &&
            tn_trouble_is_answer(error))
                return without_tenon(host, guest);
        if (!status)
                return tn_trouble_report(error);
        if (!host->json)
                return print_tenon(status, guest->dialect);
        tn_print_json(status);
        return g_str_equal(member(json_object_get(status, "health"), "state"), "ok") ? 0 : TN_TROUBLE_GUEST;
}
