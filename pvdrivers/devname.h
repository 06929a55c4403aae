/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* Names of disks: which stay when the controller changes, and what stays in their place. */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "lib/env.h"

enum tn_devname {
        TN_DEVNAME_STABLE, /* UUID=, LABEL=, a volume of LVM, a network share, … */
        TN_DEVNAME_KERNEL, /* /dev/sda1: by driver and order */
        TN_DEVNAME_PATH,   /* /dev/disk/by-path: by the slot in the machine */
        TN_DEVNAME_ID,     /* /dev/disk/by-id: by the serial that the hypervisor gives */
};

enum tn_devname tn_devname_kind(const char *name);
/* "sd" of "/dev/sda1", or NULL when it is not of the kernel's kind. Free with g_free(). */
char *tn_devname_family(const char *name);
/* "UUID=…" (or "PARTUUID=…" where there is no file system) of a device by /dev/disk, or NULL. Free with
 * g_free(). */
char *tn_devname_uuid(const struct tn_env *env, const char *name);
/* Names in sys/block of the disks: no loop, ram, zram, dm, md, sr. Of char *, free with g_ptr_array_unref().
 */
GPtrArray *tn_devname_disks(const struct tn_env *env);
