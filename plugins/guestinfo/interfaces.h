/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* The table of network interfaces: filled by rtnetlink.c, told as JSON here. */
#pragma once

#include <glib.h>
#include <jansson.h>
#include <linux/if.h>
#include <linux/if_link.h>
#include <stdbool.h>

struct tn_interface_address {
        unsigned char family;    /* AF_INET or AF_INET6 */
        unsigned char prefix;    /* bits */
        unsigned char bytes[16]; /* 4 of them for AF_INET */
};

struct tn_interface {
        int index;
        char name[IFNAMSIZ];
        GBytes *hardware; /* of any length; NULL: none */
        bool has_statistics;
        struct rtnl_link_stats64 statistics;
        GArray *addresses; /* struct tn_interface_address */
        json_t *shown;     /* object of the statistics in the last JSON made, or NULL; borrowed from it */
};

struct tn_interfaces {
        GHashTable *by_index; /* GINT_TO_POINTER → struct tn_interface */
        bool interrupted;     /* some message of the dump under way said so */
        guint renewed;        /* interfaces whose statistics came alone, since it was last set to 0 */
        bool strangers;       /* statistics came of an interface that is not here */
};

struct tn_interfaces *tn_interfaces_new(void);
void tn_interfaces_free(struct tn_interfaces *interfaces);
typedef struct tn_interfaces tn_interfaces_t;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(tn_interfaces_t, tn_interfaces_free)
/* Forgets all interfaces, for another attempt. */
void tn_interfaces_clear(struct tn_interfaces *interfaces);

/* An empty interface, in no table yet. tn_interfaces_free_entry() is for one that got into none. */
struct tn_interface *tn_interfaces_new_entry(int index);
void tn_interfaces_free_entry(struct tn_interface *interface);

/* GuestNetworkInterface[] in the order of kernel indexes. New reference. */
json_t *tn_interfaces_json(const struct tn_interfaces *interfaces, bool with_statistics);
/* Puts the statistics of now into the JSON that the last tn_interfaces_json() gave and that still lives. */
void tn_interfaces_show_statistics(const struct tn_interfaces *interfaces);
