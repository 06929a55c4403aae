/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* Which drivers are wanted, and which of them which kernel lacks. */
#pragma once

#include "pvdrivers/install.h"
#include "pvdrivers/kernel.h"

struct tn_install_missing {
        const struct tn_pv_driver *row; /* borrowed from the catalogue */
        const struct tn_kernel *kernel; /* borrowed */
};

/* Of struct tn_install_missing, for the running and the default kernel. Free with g_ptr_array_unref(). NULL
 * with @error when neither has its folder of modules, so that what they lack cannot be told. */
GPtrArray *tn_install_wanted_missing(const struct tn_env *env, const struct tn_catalogue *catalogue,
                                     const struct tn_kernels *kernels,
                                     const struct tn_install_options *options, GError **error);
