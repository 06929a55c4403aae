/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* The machine's mount table, as far as freezing cares: which path reaches which file system, and which
 * paths nobody may touch. Nothing here touches a mount point. */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/types.h>

#include "lib/env.h"

struct freeze_mount {
        int id, parent; /* as in mountinfo */
        dev_t device;   /* of the superblock */
        char *source;   /* never NULL, like the rest */
        char *target;
        char *type;
        bool hidden;   /* another mount covers it or a directory above it: its path leads elsewhere */
        bool may_hang; /* FUSE, network or cluster, or below such a mount: a look-up may never return */
};

/* Elements are struct freeze_mount, in the order in which they were mounted; owned by the array. */
GPtrArray *freeze_mounts_read(const struct tn_env *env, GError **error);
/* @file in the format of mountinfo; it is read to its end, not closed. */
GPtrArray *freeze_mounts_parse(FILE *file, GError **error);

/* The mount that @path (absolute) lies on, by its text alone; borrowed, or NULL. */
const struct freeze_mount *freeze_mounts_find(GPtrArray *mounts, const char *path);

/* Whether an answer from somebody else is needed before a look-up on this type returns. */
bool freeze_mounts_type_may_hang(const char *type);
