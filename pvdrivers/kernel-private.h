/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* What kernel.c, kernels.c and kernel-default.c share. */
#pragma once

#include "pvdrivers/kernel.h"

struct tn_kernels {
        const struct tn_env *env;
        GPtrArray *array;      /* of struct tn_kernel, newest first */
        GHashTable *blacklist; /* tn_blacklist_read(), when first asked for */
};

/* The kernel that the boot loader takes by itself, or NULL. Borrowed. */
struct tn_kernel *tn_kernel_default_find(const struct tn_kernels *kernels);

/* Does this machine let in signed modules only? */
bool tn_kernel_signature_enforced(const struct tn_env *env);
