/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* One file system as guest-get-fsinfo tells it. */
#pragma once

#include <glib.h>
#include <jansson.h>
#include <stdbool.h>

#include "lib/env.h"
#include "plugins/guestinfo/mounts.h"

struct tn_fs_size {
        guint64 used, total, privileged; /* bytes */
};

/* Asks the file system itself. May block where mount->may_hang. False: it is not to be had. */
bool tn_fs_entry_read_size(const struct tn_env *env, const struct tn_mount *mount, struct tn_fs_size *ret);

/* Puts a size into an entry, whether it had one or not. */
void tn_fs_entry_set_size(json_t *entry, const struct tn_fs_size *size);

/* The entry, with @size unless that is NULL. *ret_steady (may be NULL) becomes false if its disks may change
 * without an event of the kernel, else it is left alone. New reference. */
json_t *tn_fs_entry_new(const struct tn_env *env, const struct tn_mount *mount,
                        const struct tn_fs_size *size, bool *ret_steady);
