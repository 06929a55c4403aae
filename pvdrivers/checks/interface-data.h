/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* The data of the check interface-names. */
#pragma once

#include "pvdrivers/cards.h"
#include "pvdrivers/checks/check.h"
#include "pvdrivers/netconf.h"

struct tn_interface_names {
        struct tn_check_context *context;
        struct tn_netconf_list *list;
        bool kernel_names; /* eth0, eth1, … in the order of the cards: nobody renames them */
        unsigned cards;    /* that are configured by a name of their own */
        GPtrArray *here;   /* struct tn_card: what this machine has, as far as sysfs tells */
};

/* Address of the card that has this name now, or that some file gives it; or NULL. Free with g_free(). */
char *tn_interface_data_mac(const struct tn_interface_names *names, const char *interface);
/* Sets the data of a finding about @item; @mac may be NULL. */
void tn_interface_data_set(const struct tn_interface_names *names, struct tn_check *check,
                           const struct tn_netconf *item, const char *mac);
