/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* What would be frozen, in which order, and what would not, and why. Pure: made from the mount table and
 * sysfs, touches no mount point. */
#pragma once

#include <glib.h>
#include <jansson.h>
#include <stdbool.h>
#include <sys/types.h>

#include "lib/env.h"
#include "plugins/freeze/board.h"

/* One file system, however often it is mounted. */
struct freeze_fs {
        dev_t device;
        char *source;
        char *type;
        GPtrArray *targets;  /* char *: where it is mounted, the first is its name */
        GPtrArray *reach;    /* char *: those of them that may be touched */
        const char *why_not; /* static text; NULL: it is frozen */
        bool flush_only;     /* the kernel cannot freeze the type: its data are only written out */
        GPtrArray *files;    /* char *: files that its devices lie on */
        unsigned order;      /* 1, 2, …; 0 when it is not frozen */
};

struct freeze_plan {
        GPtrArray *mounts; /* struct freeze_mount */
        GPtrArray *all;    /* struct freeze_fs, in the order of their first mounts */
        GPtrArray *steps;  /* borrowed: those to freeze, first to last */
};

/* @exclude: globs on mount points, or NULL. @only: mount points, NULL for all. NULL with @error when the
 * mount table cannot be read. */
struct freeze_plan *freeze_plan_new(const struct tn_env *env, const char *const *exclude,
                                    const char *const *only, GError **error);
void freeze_plan_free(struct freeze_plan *plan);
typedef struct freeze_plan freeze_plan_t;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(freeze_plan_t, freeze_plan_free)

/* Puts those of @list (struct freeze_fs) on the board that are not left out. */
bool freeze_plan_fill(const GPtrArray *list, struct freeze_board *board, GError **error);

const char *freeze_fs_name(const struct freeze_fs *fs);

/* [{mountpoint, device, type, verdict, order?, reason?}]: steps first, then the others. New reference. */
json_t *freeze_plan_to_json(const struct freeze_plan *plan);
