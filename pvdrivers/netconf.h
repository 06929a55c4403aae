/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * Which network interfaces are configured, by which name or MAC address, and in which file: netplan,
 * NetworkManager, systemd-networkd, ifcfg files of Red Hat's and SUSE's kind, and ifupdown. Only Ethernet
 * cards; bridges, bonds, VLANs and tunnels stand on them.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "lib/env.h"

struct tn_netconf {
        const char *system; /* "netplan", "NetworkManager", …; static */
        char *interface;    /* name or pattern, or NULL */
        char *mac;          /* that it is matched by, lower case, or NULL */
        char *file;
        unsigned line;
        bool pin; /* gives the card with this MAC address this name: a .link file or a udev rule */
};

struct tn_netconf_list {
        GPtrArray *items; /* struct tn_netconf */
        char *denied;     /* a file or folder that only root may read, or NULL */
};

/* Never NULL. */
struct tn_netconf_list *tn_netconf_read(const struct tn_env *env);
void tn_netconf_free(struct tn_netconf_list *list);
typedef struct tn_netconf_list tn_netconf_list_t;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(tn_netconf_list_t, tn_netconf_free)

/* The pin of a name, borrowed, or NULL. */
const struct tn_netconf *tn_netconf_find_pin(const struct tn_netconf_list *list, const char *interface);
/* The .link file of the administrator's, not ours, that may be the one which the card @interface with the
 * permanent address @mac gets its settings from, or NULL. Free with g_free(). */
char *tn_netconf_find_link(const struct tn_env *env, const char *interface, const char *mac);

/* Adds an item; @interface and @mac may be NULL. Names that are no card's ("lo", "br0.5") are left out. */
void tn_netconf_add(struct tn_netconf_list *list, const char *system, const char *interface, const char *mac,
                    const char *file, unsigned line, bool pin);
/* Lines of a file; remembers that it could not be read. Free with g_ptr_array_unref(). */
GPtrArray *tn_netconf_lines(struct tn_netconf_list *list, const struct tn_env *env, const char *path);

/* The readers. */
void tn_netconf_netplan(struct tn_netconf_list *list, const struct tn_env *env);
void tn_netconf_keyfile(struct tn_netconf_list *list, const struct tn_env *env);
void tn_netconf_networkd(struct tn_netconf_list *list, const struct tn_env *env);
void tn_netconf_ifcfg(struct tn_netconf_list *list, const struct tn_env *env);
void tn_netconf_interfaces(struct tn_netconf_list *list, const struct tn_env *env);
void tn_netconf_rules(struct tn_netconf_list *list, const struct tn_env *env);
