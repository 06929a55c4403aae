/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* Which devices a target is assumed to have. */
#pragma once

#include <glib.h>

#include "pvdrivers/catalogue.h"

/* The rows of @names (modules, NULL-ended), or of the standard set of @target when it is NULL. Of const
 * struct tn_pv_driver *, free with g_ptr_array_unref(). NULL with @error: the catalogue has no such device
 * on @target, or no disk is among them. */
GPtrArray *tn_plan_devices_find(const struct tn_catalogue *catalogue, enum tn_pv_platform target,
                                const char *const *names, GError **error);
/* How the kernel names disks behind @module: "vd", "sd", "xvd", "nvme". Static. */
const char *tn_plan_devices_disk(const char *module);
