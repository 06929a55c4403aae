/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* Block devices in sysfs: from a device number or a path in /dev to the disks below it. A device is named by
 * its path in sysfs, relative to the root ("sys/devices/…/block/vda/vda1"). */
#pragma once

#include <glib.h>
#include <jansson.h>
#include <stdbool.h>
#include <sys/types.h>

#include "lib/env.h"

/* Path of the device, or NULL. Free with g_free(). */
char *tn_block_find_number(const struct tn_env *env, dev_t number);
char *tn_block_find_name(const struct tn_env *env, const char *kernel_name);
/* @node is what mounts have as source: "/dev/vda1", "/dev/mapper/vg-root". */
char *tn_block_find_node(const struct tn_env *env, const char *node);

/* "/dev/vda1" of ".../block/vda/vda1". Free with g_free(). */
char *tn_block_node(const char *syspath);

/* Devices that this one is made of (device mapper, md), as paths; empty for a plain disk. Never NULL. */
char **tn_block_slaves(const struct tn_env *env, const char *syspath);

/* "nvme0", a controller that reaches the NVMe namespace (a whole disk) at @syspath, or NULL. Free: g_free().
 */
char *tn_block_nvme_controller(const struct tn_env *env, const char *syspath);

/* Appends to the array @list one GuestDiskAddress for each plain disk or partition that @syspath is made
 * of in the end: itself, or its slaves' slaves. False: that may change without an event of the kernel
 * (RAID members come and go silently; device mapper says so). */
bool tn_block_append_addresses(const struct tn_env *env, const char *syspath, json_t *list);

/* The GuestDiskAddress of one plain disk or partition. New reference. */
json_t *tn_block_address(const struct tn_env *env, const char *syspath);
