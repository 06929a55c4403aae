/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * LVM's devices file (lvmdevices(8)) names the disks that LVM may use, by serial number or WWID. On another
 * hypervisor the disks have others, and LVM activates nothing. Entries by device name are the exception:
 * when the name does not fit, LVM looks for the PV's own identifier on all disks (search_for_devnames in
 * lvm.conf(5)).
 */
#pragma once

#include <glib.h>

#define TN_LVMDEVICES_PATH "etc/lvm/devices/system.devices"

/* The text with all entries that have a PVID named by device, or NULL when there is nothing to change.
 * Lines that LVM computes (HASH=, product and host) are left out then, and LVM writes them anew. What was
 * changed is added to @changes. Free with g_free(). */
char *tn_lvmdevices_rewrite(const char *text, GPtrArray *changes);
