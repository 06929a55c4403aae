/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * The catalogue: which drivers fit a Linux guest into which hypervisor. The rows are data
 * (catalogue-table.c); rows of third parties come from drivers.d (rows.c) and stand before ours, so that
 * they can overrule one. A row is immutable and lives as long as its catalogue.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>

#include "lib/env.h"

enum tn_pv_role {
        TN_PV_STORAGE,
        TN_PV_NETWORK,
        TN_PV_CONSOLE,
        TN_PV_BALLOON, /* memory that the host takes and gives */
        TN_PV_RNG,
        TN_PV_GPU,
        TN_PV_INPUT,
        TN_PV_SHARE,  /* folders of the host */
        TN_PV_SOCKET, /* AF_VSOCK and its kin */
        TN_PV_CLOCK,
        TN_PV_WATCHDOG,
        TN_PV_PANIC,
        TN_PV_BUS,   /* what the devices of other rows are found on */
        TN_PV_OTHER, /* crypto, configuration, guest services */
        _TN_PV_ROLE_MAX,
};

/* Where a guest can run; the names are what `--target` takes. */
enum tn_pv_platform {
        TN_PV_KVM, /* QEMU with or without KVM, and every other VMM whose devices are virtio */
        TN_PV_VMWARE,
        TN_PV_XEN,
        TN_PV_HYPERV,
        TN_PV_VIRTUALBOX,
        TN_PV_AWS,
        TN_PV_GCP,
        TN_PV_AZURE,
        _TN_PV_PLATFORM_MAX,
};

#define TN_PV_ON(platform) (1U << (platform))

enum tn_pv_flags {
        TN_PV_BOOT = 1 << 0,     /* the root file system may be behind it */
        TN_PV_EXPLICIT = 1 << 1, /* no device names it: must be loaded by name */
        TN_PV_UNSAFE = 1 << 2,   /* binds to anything or works without a host: only when asked for */
        TN_PV_EMULATED =
                1 << 3, /* of an emulated device, listed because guests of this platform boot with it */
};

/* Lists in one text have single spaces between their words. Modules are named as /sys/module has them,
 * with '_'. */
struct tn_pv_driver {
        unsigned platforms; /* TN_PV_ON() of each */
        enum tn_pv_role role;
        const char *module;
        const char *match;    /* modalias patterns (fnmatch) of its devices, or NULL */
        const char *config;   /* kernel option, "CONFIG_VIRTIO_BLK" */
        unsigned flags;       /* enum tn_pv_flags */
        const char *replaces; /* modules of emulated devices that it stands for, or NULL */
        const char *
                needs; /* modules of its chain that depmod does not know of, or NULL: its bus, disks on it */
        const char *reason; /* beside odd rows, or NULL */
        const char *file;   /* drivers.d file that it comes from; NULL: our own */
};

/* What the administrator wants of a module, `load=` in drivers.d. */
enum tn_pv_wish {
        TN_PV_WISH_AUTO, /* as its row says */
        TN_PV_WISH_YES,  /* also when it is unsafe, or only blacklisted for automatic loading */
        TN_PV_WISH_NO,
};

struct tn_catalogue;

/* Our rows and those of etc/tenon/drivers.d/NAME.conf below the root of @env. Never fails: a mistake in a
 * file leaves that row out; a text for people about each goes to @mistakes (of char *, with a free function;
 * may be NULL), and is kept for tn_catalogue_mistakes(). */
struct tn_catalogue *tn_catalogue_new(const struct tn_env *env, GPtrArray *mistakes);
void tn_catalogue_free(struct tn_catalogue *catalogue);
/* Texts, borrowed. */
const GPtrArray *tn_catalogue_mistakes(const struct tn_catalogue *catalogue);
typedef struct tn_catalogue tn_catalogue_t;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(tn_catalogue_t, tn_catalogue_free)

/* Rows in order; NULL behind the last one. Borrowed, as all rows below. */
const struct tn_pv_driver *tn_catalogue_at(const struct tn_catalogue *catalogue, size_t index);
/* First row of @module ('-' and '_' are the same), or NULL. */
const struct tn_pv_driver *tn_catalogue_find_module(const struct tn_catalogue *catalogue,
                                                    const char *module);
/* First row with a pattern that matches @modalias, or NULL. */
const struct tn_pv_driver *tn_catalogue_match(const struct tn_catalogue *catalogue, const char *modalias);
/* Rows of @platform with @role (_TN_PV_ROLE_MAX: any) in order of preference. Of const struct tn_pv_driver
 * *, free with g_ptr_array_unref(). */
GPtrArray *tn_catalogue_for(const struct tn_catalogue *catalogue, enum tn_pv_platform platform,
                            enum tn_pv_role role);

/* Of @module, as /sys/module names it. */
enum tn_pv_wish tn_catalogue_wish(const struct tn_catalogue *catalogue, const char *module);
/* Is one of the patterns of the row for @modalias? */
bool tn_catalogue_driver_matches(const struct tn_pv_driver *driver, const char *modalias);
/* Does a word of @list, one of the lists of a row (may be NULL), name @module? */
bool tn_catalogue_list_has(const char *list, const char *module);

/* Names as in JSON and on the command line: "storage", "kvm". Static strings. */
const char *tn_catalogue_role_name(enum tn_pv_role role);
const char *tn_catalogue_platform_name(enum tn_pv_platform platform);
/* The maximum when there is no such name. */
enum tn_pv_role tn_catalogue_role_parse(const char *name);
enum tn_pv_platform tn_catalogue_platform_parse(const char *name);
