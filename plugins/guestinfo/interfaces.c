/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * Interfaces as JSON. The surprising thing: a hardware address is printed as long as it is (6 bytes of
 * Ethernet, 20 of InfiniBand, 4 of some tunnels), and not at all where there is none.
 */
#include "plugins/guestinfo/interfaces.h"

#include <arpa/inet.h>
#include <string.h>

#include "lib/json.h"
#include "plugins/guestinfo/guestinfo.h"

static const struct {
        const char *name;
        size_t offset;
} statistics_fields[] = {
        {"rx-bytes", offsetof(struct rtnl_link_stats64, rx_bytes)},
        {"rx-packets", offsetof(struct rtnl_link_stats64, rx_packets)},
        {"rx-errs", offsetof(struct rtnl_link_stats64, rx_errors)},
        {"rx-dropped", offsetof(struct rtnl_link_stats64, rx_dropped)},
        {"tx-bytes", offsetof(struct rtnl_link_stats64, tx_bytes)},
        {"tx-packets", offsetof(struct rtnl_link_stats64, tx_packets)},
        {"tx-errs", offsetof(struct rtnl_link_stats64, tx_errors)},
        {"tx-dropped", offsetof(struct rtnl_link_stats64, tx_dropped)},
};

struct tn_interface *tn_interfaces_new_entry(int index)
{
        struct tn_interface *interface = g_new0(struct tn_interface, 1);

        interface->index = index;
        interface->addresses = g_array_new(FALSE, FALSE, sizeof(struct tn_interface_address));
        return interface;
}

void tn_interfaces_free_entry(struct tn_interface *interface)
{
        g_clear_pointer(&interface->hardware, g_bytes_unref);
        g_array_unref(interface->addresses);
        g_free(interface);
}

static void interface_free(gpointer data)
{
        tn_interfaces_free_entry(data);
}

struct tn_interfaces *tn_interfaces_new(void)
{
        struct tn_interfaces *interfaces = g_new0(struct tn_interfaces, 1);

        interfaces->by_index = g_hash_table_new_full(NULL, NULL, NULL, interface_free);
        return interfaces;
}

void tn_interfaces_free(struct tn_interfaces *interfaces)
{
        if (!interfaces)
                return;
        g_hash_table_unref(interfaces->by_index);
        g_free(interfaces);
}

void tn_interfaces_clear(struct tn_interfaces *interfaces)
{
        g_hash_table_remove_all(interfaces->by_index);
        interfaces->interrupted = false;
}

static char *format_hardware(GBytes *hardware)
{
        GString *text = g_string_new(NULL);
        size_t len;
        const unsigned char *p = g_bytes_get_data(hardware, &len);

        for (size_t i = 0; i < len; i++)
                g_string_append_printf(text, "%s%02x", i ? ":" : "", p[i]);
        return g_string_free(text, FALSE);
}

static json_t *addresses_json(const GArray *addresses)
{
        json_t *list = json_array();

        for (guint i = 0; i < addresses->len; i++) {
                const struct tn_interface_address *address = &g_array_index(addresses,
                                                                            struct tn_interface_address, i);
                char text[INET6_ADDRSTRLEN];
                json_t *entry = json_object();

                (void) inet_ntop(address->family, address->bytes, text, sizeof text); /* cannot fail: fits */
                tn_json_set_text(entry, "ip-address", text);
                tn_json_set_text(entry, "ip-address-type", address->family == AF_INET ? "ipv4" : "ipv6");
                (void) json_object_set_new(entry, "prefix", json_integer(address->prefix));
                (void) json_array_append_new(list, entry);
        }
        return list;
}

static guint64 statistic(const struct tn_interface *interface, size_t field)
{
        __u64 value;

        memcpy(&value, (const char *) &interface->statistics + statistics_fields[field].offset,
               sizeof value);
        return value;
}

static json_t *statistics_json(const struct tn_interface *interface)
{
        json_t *numbers = json_object();

        for (size_t i = 0; i < G_N_ELEMENTS(statistics_fields); i++)
                (void) json_object_set_new_nocheck(numbers, statistics_fields[i].name,
                                                   tn_guestinfo_uint(statistic(interface, i)));
        return numbers;
}

/* Members of an object keep the order in which they were set. */
static void show_statistics(const struct tn_interface *interface)
{
        void *member = json_object_iter(interface->shown);

        for (size_t i = 0; member && i < G_N_ELEMENTS(statistics_fields); i++) {
                tn_guestinfo_set_uint(json_object_iter_value(member), statistic(interface, i));
                member = json_object_iter_next(interface->shown, member);
        }
}

static json_t *interface_json(struct tn_interface *interface, bool with_statistics)
{
        json_t *entry = json_object();

        interface->shown = NULL;
        tn_json_set_text(entry, "name", interface->name);
        if (interface->hardware) {
                g_autofree char *text = format_hardware(interface->hardware);

                tn_json_set_text(entry, "hardware-address", text);
        }
        if (interface->addresses->len > 0)
                (void) json_object_set_new(entry, "ip-addresses", addresses_json(interface->addresses));
        if (with_statistics && interface->has_statistics)
                (void) json_object_set_new(entry, "statistics",
                                           interface->shown = statistics_json(interface));
        return entry;
}

static int compare_indexes(gconstpointer a, gconstpointer b)
{
        const struct tn_interface *x = a, *y = b;

        return (x->index > y->index) - (x->index < y->index);
}

json_t *tn_interfaces_json(const struct tn_interfaces *interfaces, bool with_statistics)
{
        g_autoptr(GList) list = g_list_sort(g_hash_table_get_values(interfaces->by_index), compare_indexes);
        json_t *reply = json_array();

        for (GList *l = list; l; l = l->next)
                (void) json_array_append_new(reply, interface_json(l->data, with_statistics));
        return reply;
}

void tn_interfaces_show_statistics(const struct tn_interfaces *interfaces)
{
        GHashTableIter iter;
        gpointer interface;

        g_hash_table_iter_init(&iter, interfaces->by_index);
        while (g_hash_table_iter_next(&iter, NULL, &interface))
                show_statistics(interface);
}
