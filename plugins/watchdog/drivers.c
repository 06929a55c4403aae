/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* The table of drivers. Identities and limits are those of the kernel's drivers/watchdog. */
#include "plugins/watchdog/drivers.h"

#include <glib.h>

/* clang-format off */
const struct watchdog_driver watchdog_drivers[] = {
        {"i6300esb", "i6300ESB timer", .on_purpose = true, .min_seconds = 1, .max_seconds = 2046, .expiries = 1,
         .why = "QEMU's PCI device; a guest has it only when its host wants it watched"},
        {"diag288_wdt", "z Watchdog", .on_purpose = true, .min_seconds = 15, .max_seconds = 1800, .expiries = 1,
         .why = "the hypervisor of IBM Z itself; survives a hanging kernel"},
        {"xen_wdt", "xen_wdt", .expiries = 1,
         .why = "the Xen hypervisor itself; goes on counting while the domain is paused, so only by mode=own"},
        {"wdat_wdt", "wdat_wdt", .expiries = 1,
         .why = "what the firmware tells of in its WDAT table: VMware's and Azure's virtual watchdog"},
        {"sbsa_gwdt", "SBSA Generic Watchdog", .expiries = 1,
         .why = "the watchdog of arm64 servers"},
        {"iTCO_wdt", "iTCO_wdt", .min_seconds = 2, .max_seconds = 613, .expiries = 2,
         .why = "in the chipset of every q35 machine, wanted or not, and often cut off from the reset line"},
        {"ib700wdt", "IB700 WDT", .by_name_only = true, .min_seconds = 1, .max_seconds = 30, .expiries = 1,
         .why = "an ISA card that cannot be probed for: the driver binds on every machine"},
        {"softdog", "Software Watchdog", .software = true, .min_seconds = 1, .max_seconds = 65535, .expiries = 1,
         .why = "last resort: a timer of the same kernel, so it does not fire when the kernel hangs"},
};
/* clang-format on */

const size_t watchdog_drivers_len = G_N_ELEMENTS(watchdog_drivers);

const struct watchdog_driver *watchdog_driver_find(const char *identity)
{
        for (size_t i = 0; identity && i < watchdog_drivers_len; i++)
                if (g_str_equal(watchdog_drivers[i].identity, identity))
                        return &watchdog_drivers[i];
        return NULL;
}

size_t watchdog_driver_rank(const struct watchdog_driver *driver)
{
        if (driver)
                return driver->software ? watchdog_drivers_len : (size_t) (driver - watchdog_drivers);
        return watchdog_drivers_len - 1;
}
