/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* Which kernel the boot loader starts by itself, as far as that can be told from files. */
#include "pvdrivers/kernel-private.h"

struct tn_kernel *tn_kernel_default_find(const struct tn_kernels *kernels)
{
        struct tn_kernel *only = NULL;

        for (size_t i = 0; tn_kernels_at(kernels, i); i++) {
                if (!tn_kernels_at(kernels, i)->image)
                        continue;
                if (only)
                        return NULL;
                only = tn_kernels_at(kernels, i);
        }
        return only;
}
