/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * Reads rtnetlink(7) dumps. Every length in them is checked before it is believed. The surprising thing:
 * addresses are found through the interface index and not through their label, so the addresses of an
 * old-style alias ("eth0:1") stand under the interface that has them ("eth0"), where the peer invents a
 * second interface.
 */
#include "plugins/guestinfo/rtnetlink.h"

#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>

#include "lib/error.h"

/* One attribute: its payload lies completely inside the message. */
struct attribute {
        unsigned short type;
        const unsigned char *data;
        size_t len;
};

/* Takes the next attribute off *p; false at the end, or where a length does not fit what is left. */
static bool next_attribute(const unsigned char **p, size_t *left, struct attribute *ret)
{
        struct rtattr header;
        size_t step;

        if (*left < sizeof header)
                return false;
        memcpy(&header, *p, sizeof header);
        if (header.rta_len < sizeof header || header.rta_len > *left)
                return false;
        *ret = (struct attribute){
                .type = header.rta_type & NLA_TYPE_MASK,
                .data = *p + sizeof header,
                .len = header.rta_len - sizeof header,
        };
        step = MIN(RTA_ALIGN((size_t) header.rta_len), *left);
        *p += step;
        *left -= step;
        return true;
}

static bool all_attributes_fit(const unsigned char *p, size_t left)
{
        struct attribute attribute;

        while (next_attribute(&p, &left, &attribute))
                ;
        return left == 0;
}

/* Grows with the kernel: take what both know. */
static void set_statistics(struct tn_interface *interface, const struct attribute *attribute)
{
        memcpy(&interface->statistics, attribute->data, MIN(attribute->len, sizeof interface->statistics));
        interface->has_statistics = attribute->len >= 8 * sizeof(guint64);
}

static void set_link_attribute(struct tn_interface *interface, const struct attribute *attribute)
{
        switch (attribute->type) {
        case IFLA_IFNAME:
                memset(interface->name, 0, sizeof interface->name);
                memcpy(interface->name, attribute->data, MIN(attribute->len, sizeof interface->name - 1));
                break;
        case IFLA_ADDRESS:
                g_clear_pointer(&interface->hardware, g_bytes_unref);
                if (attribute->len > 0)
                        interface->hardware = g_bytes_new(attribute->data, attribute->len);
                break;
        case IFLA_STATS64:
                set_statistics(interface, attribute);
                break;
        default:
                break;
        }
}

/* False: not a link message. One without a name is passed over. */
static bool add_link(struct tn_interfaces *interfaces, const unsigned char *p, size_t left)
{
        struct tn_interface *interface;
        struct attribute attribute;
        struct ifinfomsg info;

        if (left < sizeof info || !all_attributes_fit(p + sizeof info, left - sizeof info))
                return false;
        memcpy(&info, p, sizeof info);
        p += sizeof info;
        left -= sizeof info;
        interface = tn_interfaces_new_entry(info.ifi_index);
        while (next_attribute(&p, &left, &attribute))
                set_link_attribute(interface, &attribute);
        if (interface->name[0])
                g_hash_table_replace(interfaces->by_index, GINT_TO_POINTER(info.ifi_index), interface);
        else
                tn_interfaces_free_entry(interface);
        return true;
}

static bool renew_statistics(struct tn_interfaces *interfaces, const unsigned char *p, size_t left)
{
        struct tn_interface *interface;
        struct attribute attribute;
        struct if_stats_msg info;

        if (left < sizeof info || !all_attributes_fit(p + sizeof info, left - sizeof info))
                return false;
        memcpy(&info, p, sizeof info);
        p += sizeof info;
        left -= sizeof info;
        interface = g_hash_table_lookup(interfaces->by_index, GINT_TO_POINTER((int) info.ifindex));
        interfaces->strangers |= !interface;
        while (interface && next_attribute(&p, &left, &attribute)) {
                if (attribute.type != IFLA_STATS_LINK_64)
                        continue;
                set_statistics(interface, &attribute);
                interfaces->renewed += interface->has_statistics;
        }
        return true;
}

/* IFA_LOCAL is our end of a point-to-point link, and IFA_ADDRESS then the other one. */
static bool find_address(const unsigned char *p, size_t left, size_t size, unsigned char *ret_bytes)
{
        struct attribute attribute;
        bool found = false;

        while (next_attribute(&p, &left, &attribute)) {
                bool local = attribute.type == IFA_LOCAL;

                if ((!local && attribute.type != IFA_ADDRESS) || attribute.len != size || (found && !local))
                        continue;
                memcpy(ret_bytes, attribute.data, size);
                found = true;
                if (local)
                        break;
        }
        return found;
}

static bool add_address(struct tn_interfaces *interfaces, const unsigned char *p, size_t left)
{
        struct tn_interface *interface;
        struct tn_interface_address address = {0};
        struct ifaddrmsg info;
        size_t size;

        if (left < sizeof info || !all_attributes_fit(p + sizeof info, left - sizeof info))
                return false;
        memcpy(&info, p, sizeof info);
        interface = g_hash_table_lookup(interfaces->by_index, GINT_TO_POINTER((int) info.ifa_index));
        if (!interface || (info.ifa_family != AF_INET && info.ifa_family != AF_INET6))
                return true; /* the interface came into being after we had asked for links */
        size = info.ifa_family == AF_INET ? 4 : 16;
        address.family = info.ifa_family;
        address.prefix = info.ifa_prefixlen;
        if (find_address(p + sizeof info, left - sizeof info, size, address.bytes))
                g_array_append_val(interface->addresses, address);
        return true;
}

static bool netlink_failure(const unsigned char *p, size_t left, GError **error)
{
        gint32 code;

        if (left < sizeof code)
                return tn_error_set(error, TN_ERROR_INVALID, "the kernel sent a broken netlink error");
        memcpy(&code, p, sizeof code);
        /* Zero would be an acknowledgement, which nobody asked for; INT_MIN has no positive. */
        if (code >= 0 || code == G_MININT32)
                return tn_error_set(error, TN_ERROR_INVALID, "the kernel sent netlink error %d", code);
        return tn_error_errno(error, -code, "ask the kernel for network interfaces");
}

/* The end of a dump may carry the error that ended it. */
static bool done_well(const unsigned char *p, size_t left)
{
        gint32 code = 0;

        memcpy(&code, p, MIN(left, sizeof code));
        return left < sizeof code || code >= 0;
}

/* One message of known type with its payload; *ret_done is set at the end of the dump. */
static bool add_message(struct tn_interfaces *interfaces, const struct nlmsghdr *header,
                        const unsigned char *payload, size_t len, bool *ret_done, GError **error)
{
        bool ok = true;

        if (header->nlmsg_flags & NLM_F_DUMP_INTR)
                interfaces->interrupted = true;
        if (header->nlmsg_type == NLMSG_ERROR)
                return netlink_failure(payload, len, error);
        if (header->nlmsg_type == NLMSG_DONE) {
                *ret_done = true;
                return done_well(payload, len) || netlink_failure(payload, len, error);
        }
        if (header->nlmsg_type == RTM_NEWLINK)
                ok = add_link(interfaces, payload, len);
        else if (header->nlmsg_type == RTM_NEWADDR)
                ok = add_address(interfaces, payload, len);
        else if (header->nlmsg_type == RTM_NEWSTATS)
                ok = renew_statistics(interfaces, payload, len);
        return ok || tn_error_set(error, TN_ERROR_INVALID, "the kernel sent a broken netlink message");
}

bool tn_rtnetlink_parse(struct tn_interfaces *interfaces, const void *bytes, size_t len,
                        enum tn_dump *ret_state, GError **error)
{
        const unsigned char *p = bytes;
        bool done = false;

        while (len > 0 && !done) {
                struct nlmsghdr header;
                size_t step;

                if (len < sizeof header)
                        return tn_error_set(error, TN_ERROR_INVALID, "half a netlink message");
                memcpy(&header, p, sizeof header);
                if (header.nlmsg_len < sizeof header || header.nlmsg_len > len)
                        return tn_error_set(error, TN_ERROR_INVALID, "a netlink message of %u bytes in %zu",
                                            header.nlmsg_len, len);
                if (!add_message(interfaces, &header, p + sizeof header, header.nlmsg_len - sizeof header,
                                 &done, error))
                        return false;
                step = MIN(NLMSG_ALIGN((size_t) header.nlmsg_len), len);
                p += step;
                len -= step;
        }
        if (!done)
                *ret_state = TN_DUMP_MORE;
        else
                *ret_state = interfaces->interrupted ? TN_DUMP_INTERRUPTED : TN_DUMP_DONE;
        if (done)
                interfaces->interrupted = false;
        return true;
}
