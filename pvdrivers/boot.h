/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * What the boot loader would start: the entries of GRUB, of the Boot Loader Specification (systemd-boot, and
 * GRUB on Fedora's family), of extlinux, and unified kernel images; and which of them is the default.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "lib/env.h"
#include "pvdrivers/kernel.h"

#define TN_BOOT_ENTRIES_MAX 256

struct tn_boot_entry {
        char *id;    /* what a default may name: file name, --id, label */
        char *title; /* for people */
        GPtrArray
                *levels; /* char *, of GRUB's menu and each submenu: "NUMBER\nID\nTITLE"; empty elsewhere */
        char *image;     /* kernel, relative to the root; NULL: not found in this root */
        GPtrArray *initrds; /* char *, relative to the root, in order */
        char *options;      /* kernel command line; never NULL */
        char *release;      /* of an installed kernel, or NULL */
        char *file;         /* where the entry stands */
        unsigned line;
};

struct tn_boot {
        const char *loader; /* "grub", "systemd-boot", "extlinux", "unified kernel images", or NULL */
        GPtrArray *entries; /* struct tn_boot_entry */
        const struct tn_boot_entry *chosen; /* the default, or NULL */
        char *evidence;                     /* why that one; never NULL */
        bool denied;                        /* the configuration is there, but this user may not read it */
};

/* Never NULL; without a boot loader (a container, a guest whose host has the kernel) there are no entries.
 */
struct tn_boot *tn_boot_read(const struct tn_env *env, const struct tn_kernels *kernels);
void tn_boot_free(struct tn_boot *boot);
typedef struct tn_boot tn_boot_t;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(tn_boot_t, tn_boot_free)

/* First entry of a kernel, the default one if it is that, or NULL. */
const struct tn_boot_entry *tn_boot_find(const struct tn_boot *boot, const char *release);
