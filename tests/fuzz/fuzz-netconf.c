/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* Files of all that configures network interfaces. A name that is told is one that the kernel would take. */
#include <string.h>

#include "pvdrivers/netconf.h"
#include "tests/fuzz/fuzz.h"

static const char *const paths[] = {"etc/netplan/a.yaml",
                                    "etc/NetworkManager/system-connections/a.nmconnection",
                                    "etc/systemd/network/a.network",
                                    "etc/systemd/network/a.link",
                                    "etc/sysconfig/network-scripts/ifcfg-eth0",
                                    "etc/sysconfig/network/ifcfg-eth1",
                                    "etc/network/interfaces",
                                    "etc/network/interfaces.d/a",
                                    "etc/udev/rules.d/70-persistent-net.rules",
                                    NULL};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        g_autoptr(tn_netconf_list_t) list = NULL;

        fuzz_root_unpack(data, size, paths);
        list = tn_netconf_read(fuzz_root());
        for (guint i = 0; i < list->items->len; i++) {
                const struct tn_netconf *item = list->items->pdata[i];

                g_assert_nonnull(item->file);
                g_assert_true(item->interface || item->mac);
        }
        return 0;
}
