/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * Which kernel is started when nobody chooses: the boot loader's (boot.c), else the link /vmlinuz, else the
 * only one. Where none of them tells, the answer is none, not a guess.
 */
#include "pvdrivers/boot.h"
#include "pvdrivers/kernel-private.h"

static struct tn_kernel *from_boot_loader(const struct tn_kernels *kernels)
{
        g_autoptr(tn_boot_t) boot = tn_boot_read(kernels->env, kernels);

        return boot->chosen && boot->chosen->release ? tn_kernels_find(kernels, boot->chosen->release)
                                                     : NULL;
}

static struct tn_kernel *with_image(const struct tn_kernels *kernels, const char *target)
{
        g_autofree char *name = g_path_get_basename(target);
        struct tn_kernel *kernel;

        for (size_t i = 0; (kernel = tn_kernels_at(kernels, i)); i++) {
                g_autofree char *image = kernel->image ? g_path_get_basename(kernel->image) : NULL;

                if (g_strcmp0(image, name) == 0)
                        return kernel;
        }
        return NULL;
}

/* Debian keeps a link to the newest one where no menu is wanted. */
static struct tn_kernel *from_link(const struct tn_kernels *kernels)
{
        g_autofree char *root = tn_env_readlink(kernels->env, "vmlinuz");
        g_autofree char *boot = tn_env_readlink(kernels->env, "boot/vmlinuz");

        if (root)
                return with_image(kernels, root);
        return boot ? with_image(kernels, boot) : NULL;
}

static struct tn_kernel *the_only_one(const struct tn_kernels *kernels)
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

struct tn_kernel *tn_kernel_default_find(const struct tn_kernels *kernels)
{
        static struct tn_kernel *(*const sources[])(const struct tn_kernels *) = {from_boot_loader,
                                                                                  from_link, the_only_one};
        struct tn_kernel *kernel = NULL;

        for (size_t i = 0; i < G_N_ELEMENTS(sources) && !kernel; i++)
                kernel = sources[i](kernels);
        return kernel;
}
