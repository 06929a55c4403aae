/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* The mount table of the machine and which of it is worth telling a host: one mount per file system that
 * lies on a block device, ZFS data sets, btrfs subvolumes, overlays, and network file systems on demand. */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/types.h>

#include "lib/env.h"

enum tn_mount_kind {
        TN_MOUNT_OTHER,   /* proc, tmpfs, …: not told */
        TN_MOUNT_LOCAL,   /* on block devices, or a data set */
        TN_MOUNT_OVERLAY, /* lies on other file systems */
        TN_MOUNT_NETWORK, /* a server's, or a share of the host's */
};

struct tn_mount {
        int id, parent; /* as in mountinfo */
        dev_t device;   /* major is 0 for all that lies not on one block device */
        char *source;   /* "/dev/vda1", "rpool/data"; never NULL */
        char *root;     /* which part of the file system is mounted; never NULL */
        char *target;   /* never NULL */
        char *type;     /* never NULL */
        char *part;     /* the subvolume of a btrfs; NULL: the file system has no such parts */
        char *layers;   /* directories of an overlay that its size depends on, between ':'; or NULL */
        enum tn_mount_kind kind;
        bool named_source; /* the device number is anonymous, but @source is a block device */
        bool may_hang;     /* asking for its size may block: see mounts.c */
};

/* All mounts in @file, in the format of mountinfo; the file is read to its end, not closed. Elements are
 * struct tn_mount, owned by the array. */
GPtrArray *tn_mounts_parse(FILE *file, GError **error);

/* Of @mounts those to report, in their order: borrowed elements in a new array. In mount-select.c. */
GPtrArray *tn_mounts_select(GPtrArray *mounts, bool with_network);

/* The machine's mounts: proc/1/mountinfo, or our own namespace's where that cannot be read. */
GPtrArray *tn_mounts_read(const struct tn_env *env, GError **error);
