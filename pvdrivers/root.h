/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * What the root file system stands on: its type, and the layers between it and the disks (LVM, dm-crypt,
 * RAID, multipath). From the mount table and sysfs of a running machine; of a recorded root from fstab and
 * the kernel's command line, which know less.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "lib/env.h"

struct tn_root {
        char *source;       /* "/dev/sda1", "UUID=…", or NULL */
        char *type;         /* "ext4", or NULL */
        char *evidence;     /* where that was seen; never NULL */
        GPtrArray *modules; /* char *: of the file system and of the layers, in load order */
        GPtrArray *disks;   /* char *: names in sys/block below it; empty where there is no sysfs */
        bool lvm, crypt, raid, multipath, network;
};

/* @options: the command line of the default boot entry, or NULL. Never NULL. */
struct tn_root *tn_root_read(const struct tn_env *env, const char *options);
void tn_root_free(struct tn_root *root);
typedef struct tn_root tn_root_t;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(tn_root_t, tn_root_free)
