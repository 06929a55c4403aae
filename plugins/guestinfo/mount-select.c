/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * Which mounts a host is told of. One entry per file system: "/" wins, then a mount of the whole file
 * system over a bind mount of a part of it, then the shortest path, then the first. The surprising thing: of
 * a btrfs each mounted subvolume has an entry (all with the sizes and disks of the one file system), since
 * people look for "/home"; and overlays of containers have none, since there may be hundreds.
 */
#include "plugins/guestinfo/mounts.h"

#include <string.h>

/* The last component of where container engines mount the file system of a container. */
static const char *const container_suffixes[] = {"/merged", "/rootfs"};

static bool is_containers(const struct tn_mount *mount)
{
        for (size_t i = 0; i < G_N_ELEMENTS(container_suffixes); i++)
                if (g_str_has_suffix(mount->target, container_suffixes[i]))
                        return true;
        return false;
}

static bool is_reported(const struct tn_mount *mount, bool with_network)
{
        switch (mount->kind) {
        case TN_MOUNT_LOCAL:
                return true;
        case TN_MOUNT_OVERLAY:
                return !is_containers(mount);
        case TN_MOUNT_NETWORK:
                return with_network;
        case TN_MOUNT_OTHER:
        default:
                return false;
        }
}

/* Lower is better; see the head of the file. */
static int rank(const struct tn_mount *mount)
{
        if (strcmp(mount->target, "/") == 0)
                return 0;
        return strcmp(mount->root, mount->part ? mount->part : "/") == 0 ? 1 : 2;
}

static bool is_better(const struct tn_mount *mount, const struct tn_mount *than)
{
        if (rank(mount) != rank(than))
                return rank(mount) < rank(than);
        return strlen(mount->target) < strlen(than->target);
}

GPtrArray *tn_mounts_select(GPtrArray *mounts, bool with_network)
{
        /* Device number and subvolume → place in @selected. All subvolumes of a btrfs have the number of its
         * superblock here, other than in stat(2). */
        g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
        GPtrArray *selected = g_ptr_array_new();

        for (guint i = 0; i < mounts->len; i++) {
                struct tn_mount *mount = g_ptr_array_index(mounts, i);
                g_autofree char *key = g_strdup_printf("%" G_GUINT64_FORMAT " %s", (guint64) mount->device,
                                                       mount->part ? mount->part : "");
                gpointer place;

                if (!is_reported(mount, with_network))
                        continue;
                if (!g_hash_table_lookup_extended(seen, key, NULL, &place)) {
                        g_hash_table_insert(seen, g_steal_pointer(&key), GUINT_TO_POINTER(selected->len));
                        g_ptr_array_add(selected, mount);
                } else if (is_better(mount, g_ptr_array_index(selected, GPOINTER_TO_UINT(place)))) {
                        g_ptr_array_index(selected, GPOINTER_TO_UINT(place)) = mount;
                }
        }
        return selected;
}
