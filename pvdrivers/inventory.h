/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * The inventory: each device of the machine with its driver, whether it is paravirtual or emulated, what the
 * running kernel knows of its module, and what could be better. Reads sysfs and the kernel's lists of
 * modules.
 */
#pragma once

#include <glib.h>
#include <jansson.h>

#include "detect/detect.h"
#include "pvdrivers/catalogue.h"
#include "pvdrivers/device.h"
#include "pvdrivers/judge.h"
#include "pvdrivers/kernel.h"

struct tn_inventory_item {
        struct tn_judgement is;
        enum tn_module_state state; /* of is.module; the maximum when it is unknown */
        char *problem; /* why it has no driver, and what to do; NULL: it has one, or needs none */
        enum tn_module_state better_state; /* of is.better's module */
};

struct tn_inventory {
        enum tn_pv_platform platform;
        const char *const *hosts; /* tn_platform_hosts() */
        const char *release;      /* the running kernel, or NULL; borrowed from the kernels */
        GPtrArray *devices;       /* tn_device_list() */
        GPtrArray *items;         /* of struct tn_inventory_item, one for each device that is worth a line */
        GPtrArray *explicit_rows; /* const struct tn_pv_driver *: of this platform, without a device */
        struct tn_kernel *kernel; /* borrowed; NULL: there is no telling which it is */
};

/* All arguments are borrowed and must outlive the inventory. Never fails. */
struct tn_inventory *tn_inventory_new(const struct tn_env *env, const struct tn_catalogue *catalogue,
                                      const struct tn_detect *detect, const struct tn_kernels *kernels);
void tn_inventory_free(struct tn_inventory *inventory);
typedef struct tn_inventory tn_inventory_t;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(tn_inventory_t, tn_inventory_free)

/* Is there a device, bound or not, of a row with @role that is made for guests? */
bool tn_inventory_has_role(const struct tn_inventory *inventory, enum tn_pv_role role);

/* The whole, as tenonctl(1) describes it. New reference. */
json_t *tn_inventory_to_json(const struct tn_inventory *inventory);
