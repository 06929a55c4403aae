/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * What prepare has to change: drivers for the initramfs, names of disks and interfaces, LVM's list of disks.
 * Looks only; nothing is written.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "pvdrivers/catalogue.h"
#include "pvdrivers/change.h"
#include "pvdrivers/kernel.h"
#include "pvdrivers/rebuild.h"

/* An image that is to be built. */
struct tn_fixes_image {
        struct tn_kernel *kernel; /* whose it is; borrowed */
        const struct tn_rebuild_tool *tool;
};

struct tn_fixes {
        GPtrArray *changes; /* struct tn_change */
        GPtrArray *rebuild; /* struct tn_fixes_image */
        char **modules;     /* that each of them must have, as far as the kernel has them */
        GPtrArray *notes;   /* char *: what cannot be done here, and what to do instead */
};

/* NULL with @error when a file that decides cannot be read, or no builder of images is installed. */
struct tn_fixes *tn_fixes_collect(const struct tn_env *env, const struct tn_catalogue *catalogue,
                                  const struct tn_kernels *kernels, enum tn_pv_platform target,
                                  GError **error);
void tn_fixes_free(struct tn_fixes *fixes);
typedef struct tn_fixes tn_fixes_t;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(tn_fixes_t, tn_fixes_free)

/* Drivers of @platform that may stand before the root file system, with their chains. Free: g_strfreev(). */
char **tn_fixes_boot_modules(const struct tn_catalogue *catalogue, enum tn_pv_platform platform);
