/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * What the checks of a plan share: the machine as it was read once, and how a finding is added. A check is
 * one file with one function; it reads, and adds at least one finding.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "lib/env.h"
#include "pvdrivers/boot.h"
#include "pvdrivers/catalogue.h"
#include "pvdrivers/initramfs.h"
#include "pvdrivers/kernel.h"
#include "pvdrivers/plan.h"
#include "pvdrivers/root.h"

/* An installed kernel and the images that its boot entry loads. */
struct tn_check_kernel {
        struct tn_kernel *kernel;
        bool boots;        /* it is the one that the boot loader takes; else a fallback */
        GPtrArray *paths;  /* char *: of the images; empty: it boots without */
        GPtrArray *images; /* struct tn_initramfs; as many as paths, or fewer with an error */
        GError *error;     /* the first image that could not be read */
};

struct tn_check_context {
        const struct tn_env *env;
        const struct tn_catalogue *catalogue;
        enum tn_pv_platform target;
        struct tn_plan *plan;
        struct tn_kernels *kernels;
        GPtrArray *subjects; /* struct tn_check_kernel */
        GPtrArray *devices;  /* const struct tn_pv_driver *: assumed of the target, storage first */
        GPtrArray *disks;    /* char *: names in sys/block; empty where there is no sysfs */
        struct tn_boot *boot;
        struct tn_root *root;
        const char *id; /* of the check that runs */
};

typedef void (*tn_check_func)(struct tn_check_context *context);

/* A new finding of the running check. Borrowed. */
struct tn_check *tn_check_add(struct tn_check_context *context, enum tn_verdict verdict, const char *format,
                              ...) G_GNUC_PRINTF(3, 4);
void tn_check_set_remedy(struct tn_check *check, const char *format, ...) G_GNUC_PRINTF(2, 3);
/* Marks a finding as one about this kernel. */
void tn_check_set_kernel(struct tn_check *check, const struct tn_check_kernel *subject);
/* Takes @data over. */
void tn_check_set_data(struct tn_check *check, json_t *data);

/* The command line of the default entry, or the running one; *ret_where says which. Free both with g_free().
 */
char *tn_check_options(const struct tn_check_context *context, char **ret_where);
/* Value of the last KEY=VALUE of a command line, or NULL; "" of a bare KEY. Free with g_free(). */
char *tn_check_option(const char *options, const char *key);
/* Has /etc/os-release this distribution in ID or ID_LIKE? */
bool tn_check_like(const struct tn_env *env, const char *id);
/* Words joined by ", ", or by @separator. Free with g_free(). */
char *tn_check_join(const GPtrArray *words, const char *separator);

/* The fifteen. */
void tn_check_kernel_modules(struct tn_check_context *context);
void tn_check_initramfs(struct tn_check_context *context);
void tn_check_boot_entry(struct tn_check_context *context);
void tn_check_root_device(struct tn_check_context *context);
void tn_check_interface_names(struct tn_check_context *context);
void tn_check_leftovers(struct tn_check_context *context);
void tn_check_clock(struct tn_check_context *context);
void tn_check_console(struct tn_check_context *context);
void tn_check_disk_order(struct tn_check_context *context);
void tn_check_cpu_level(struct tn_check_context *context);
void tn_check_disk_keys(struct tn_check_context *context);
void tn_check_freeze_hooks(struct tn_check_context *context);
void tn_check_access_control(struct tn_check_context *context);
void tn_check_agent(struct tn_check_context *context);
void tn_check_boot_space(struct tn_check_context *context);
