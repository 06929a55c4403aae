/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* Which program made an initramfs image, and how it is told to put modules in. */
#pragma once

#include <glib.h>

#include "lib/env.h"
#include "pvdrivers/initramfs.h"

enum tn_generator {
        TN_GENERATOR_DRACUT,
        TN_GENERATOR_INITRAMFS_TOOLS,
        TN_GENERATOR_MKINITCPIO,
        TN_GENERATOR_MKINITFS,
        TN_GENERATOR_MAKE_INITRD,
        _TN_GENERATOR_MAX, /* unknown */
};

/* "dracut", "initramfs-tools", …, "unknown". Static. */
const char *tn_generator_name(enum tn_generator generator);

/* By what is in the image: a program that is installed need not have made it. Only without one (NULL) by the
 * programs that are installed. */
enum tn_generator tn_generator_find(const struct tn_env *env, const struct tn_initramfs *image);

/* The commands that put @modules (char *) into the image of @release. Free with g_free(). */
char *tn_generator_remedy(enum tn_generator generator, const GPtrArray *modules, const char *release);
/* The command that makes the image of @release anew. Free with g_free(). */
char *tn_generator_rebuild(enum tn_generator generator, const char *release);

/* Why the generator leaves drivers out that this machine does not need: "MODULES=dep in /etc/…", or NULL.
 * Free with g_free(). */
char *tn_generator_reason(const struct tn_env *env, enum tn_generator generator);
