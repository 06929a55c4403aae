/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * Names of disks that change with the hardware (/dev/sda1, /dev/vdb, /dev/disk/by-path/…) replaced by names
 * that the file systems carry with them (UUID=…), in fstab, crypttab and kernel command lines. Only the
 * names are replaced: comments, white space and all else stay as they are, byte for byte.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "lib/env.h"

/* What udev knows of the machine's disks: /dev/disk/by-*. */
struct tn_rename_map;

struct tn_rename_map *tn_rename_map_new(const struct tn_env *env);
void tn_rename_map_free(struct tn_rename_map *map);
typedef struct tn_rename_map tn_rename_map_t;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(tn_rename_map_t, tn_rename_map_free)

/* Does @name ("/dev/sda1") depend on the hardware that the disk is connected to? */
bool tn_rename_is_unstable(const char *name);

enum tn_rename_kind {
        TN_RENAME_FSTAB,     /* first field of each line */
        TN_RENAME_CRYPTTAB,  /* second field */
        TN_RENAME_CMDLINE,   /* root=, resume=, RESUME= anywhere in the text */
        TN_RENAME_PARTITION, /* the same, for a kernel that has to find its root without an initramfs */
};

/* The text with stable names, or NULL when there is nothing to replace. What was replaced is added to
 * @changes as "/dev/sda1 → UUID=…", names whose UUID nobody knows to @unknown; both are of char * with a
 * free function. Free with g_free(). */
char *tn_rename_text(const struct tn_rename_map *map, enum tn_rename_kind kind, const char *text,
                     GPtrArray *changes, GPtrArray *unknown);
