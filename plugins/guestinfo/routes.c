/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * guest-network-get-route: proc/net/route and proc/net/ipv6_route. The surprising things are the kernel's
 * and the contract's: IPv4 addresses stand there as hexadecimal numbers in the machine's byte order, and
 * the two prefix lengths of IPv6 go out as decimal strings.
 */
#include "plugins/guestinfo/routes.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "lib/error.h"
#include "lib/json.h"
#include "plugins/guestinfo/guestinfo.h"

static void set_int(json_t *object, const char *key, gint64 value)
{
        (void) json_object_set_new(object, key, json_integer(value));
}

static void set_ipv4(json_t *object, const char *key, guint32 number)
{
        char text[INET_ADDRSTRLEN];

        (void) inet_ntop(AF_INET, &number, text, sizeof text); /* cannot fail: fits */
        tn_json_set_text(object, key, text);
}

/* False when @hex is not 32 hexadecimal digits. */
static bool set_ipv6(json_t *object, const char *key, const char *hex)
{
        unsigned char bytes[16];
        char text[INET6_ADDRSTRLEN];

        for (size_t i = 0; i < sizeof bytes; i++) {
                int high = g_ascii_xdigit_value(hex[2 * i]);
                int low = high < 0 ? -1 : g_ascii_xdigit_value(hex[2 * i + 1]);

                if (low < 0)
                        return false;
                bytes[i] = (unsigned char) (high << 4 | low);
        }
        if (hex[32])
                return false;
        (void) inet_ntop(AF_INET6, bytes, text, sizeof text); /* cannot fail: fits */
        tn_json_set_text(object, key, text);
        return true;
}

static void add_ipv4(const char *line, json_t *list)
{
        unsigned destination, gateway, flags, mask;
        int refcnt, use, metric, mtu, window, irtt;
        char iface[64];
        json_t *route;

        if (sscanf(line, "%63s %8x %8x %x %d %d %d %8x %d %d %d", iface, &destination, &gateway, &flags,
                   &refcnt, &use, &metric, &mask, &mtu, &window, &irtt) != 11)
                return;
        route = json_object();
        tn_json_set_text(route, "iface", iface);
        set_ipv4(route, "destination", destination);
        set_int(route, "metric", metric);
        set_ipv4(route, "gateway", gateway);
        set_ipv4(route, "mask", mask);
        set_int(route, "irtt", irtt);
        set_int(route, "flags", flags);
        set_int(route, "refcnt", refcnt);
        set_int(route, "use", use);
        set_int(route, "window", window);
        set_int(route, "mtu", mtu);
        set_int(route, "version", 4);
        (void) json_array_append_new(list, route);
}

static void set_prefix(json_t *route, const char *key, unsigned bits)
{
        g_autofree char *text = g_strdup_printf("%u", bits);

        tn_json_set_text(route, key, text);
}

static void add_ipv6(const char *line, json_t *list)
{
        char destination[40], source[40], nexthop[40], iface[64];
        unsigned destination_bits, source_bits, metric, refcnt, use, flags;
        json_t *route;

        if (sscanf(line, "%39s %x %39s %x %39s %x %x %x %x %63s", destination, &destination_bits, source,
                   &source_bits, nexthop, &metric, &refcnt, &use, &flags, iface) != 10)
                return;
        route = json_object();
        tn_json_set_text(route, "iface", iface);
        if (!set_ipv6(route, "destination", destination) || !set_ipv6(route, "source", source) ||
            !set_ipv6(route, "nexthop", nexthop)) {
                json_decref(route);
                return;
        }
        set_int(route, "metric", metric);
        set_prefix(route, "desprefixlen", destination_bits);
        set_prefix(route, "srcprefixlen", source_bits);
        set_int(route, "flags", flags);
        set_int(route, "refcnt", refcnt);
        set_int(route, "use", use);
        set_int(route, "version", 6);
        (void) json_array_append_new(list, route);
}

static void for_each_line(const char *text, json_t *list, void (*add)(const char *line, json_t *list))
{
        g_auto(GStrv) lines = g_strsplit(text, "\n", -1);

        for (size_t i = 0; lines[i]; i++)
                add(lines[i], list);
}

void tn_routes_parse_ipv4(const char *text, json_t *list)
{
        for_each_line(text, list, add_ipv4);
}

void tn_routes_parse_ipv6(const char *text, json_t *list)
{
        for_each_line(text, list, add_ipv6);
}

json_t *tn_routes_run(struct tenon_host *host, json_t *args, GError **error)
{
        g_autofree char *ipv4 = NULL, *ipv6 = NULL;
        json_t *reply;

        (void) args;
        if (!tn_env_read(host->env, "proc/net/route", &ipv4, NULL, error))
                return NULL;
        reply = json_array();
        tn_routes_parse_ipv4(ipv4, reply);
        if (tn_env_read(host->env, "proc/net/ipv6_route", &ipv6, NULL, NULL)) /* not there without IPv6 */
                tn_routes_parse_ipv6(ipv6, reply);
        return reply;
}
