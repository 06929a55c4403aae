/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * The network cards of this machine whose names can be pinned to their MAC addresses, and what stands
 * against it. The plan and prepare ask here, so that the one does what the other says.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "lib/env.h"
#include "pvdrivers/netconf.h"

struct tn_card {
        char *name;
        char *address;  /* its own, lower case; NULL when it is not to be seen */
        char *obstacle; /* why its name is not pinned, and what to do; or NULL */
        bool pinned;    /* it is, by a .link file or a udev rule */
};

/* struct tn_card, sorted by name: Ethernet cards that are not wireless, no bridges or VLANs. @list
 * is what is configured. Never NULL. */
GPtrArray *tn_cards_find(const struct tn_env *env, const struct tn_netconf_list *list);
/* The card of this name in @cards, borrowed, or NULL. */
const struct tn_card *tn_cards_get(const GPtrArray *cards, const char *name);
/* eth0, eth1: what the kernel calls cards before udev renames them. */
bool tn_cards_is_kernel_name(const char *name);
