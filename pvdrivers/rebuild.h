/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * The programs that build initramfs images: how each is told to put a module in, and how it is asked for one
 * image in a file of our choice.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "pvdrivers/change.h"
#include "pvdrivers/generator.h"
#include "pvdrivers/kernel.h"
#include "pvdrivers/tool.h"

struct tn_rebuild_tool {
        const char *name;    /* "initramfs-tools" */
        const char *program; /* "mkinitramfs" */
        enum tn_generator generator;
        /* Adds the changes of its configuration that put @modules into images. */
        bool (*configure)(const struct tn_env *env, const struct tn_kernels *kernels, char **modules,
                          GPtrArray *changes, GError **error);
        /* Its command line after the program; "%k" is the kernel's release and "%o" the image. */
        const char *const *arguments;
};

/* The one that has made the image at @image. Where there is none (NULL), or one that no kernel could read,
 * of those that are installed the first. NULL with @error: TN_ERROR_NOT_FOUND when another program has made
 * the image, or may have, so that it must stay as it is; TN_ERROR_UNSUPPORTED when none is installed. */
const struct tn_rebuild_tool *tn_rebuild_find(const struct tn_env *env, const char *image, GError **error);

/* Builds the image of @kernel into the file @out, relative to the root. */
bool tn_rebuild_run(const struct tn_rebuild_tool *tool, tn_tool_run_func run, const struct tn_env *env,
                    const struct tn_kernel *kernel, const char *out, struct tn_progress *progress,
                    GError **error);

/* Reads the image at @path: does it belong to @kernel, can it start, and does it have each of @modules that
 * the kernel has as a file, with all that those need? */
bool tn_rebuild_verify(const struct tn_env *env, struct tn_kernel *kernel, const char *path, char **modules,
                       GError **error);

/* Are there programs of the distribution that want to know of a new image? Boot loaders that keep a list of
 * its blocks, or a copy on the EFI system partition, which is the one that boots then. */
bool tn_rebuild_has_hooks(const struct tn_env *env);
/* Runs them. */
bool tn_rebuild_announce(tn_tool_run_func run, const struct tn_env *env, const struct tn_kernel *kernel,
                         struct tn_progress *progress, GError **error);
/* Runs them for each kernel whose image is one of @paths; all of them, also when one fails. */
bool tn_rebuild_announce_files(tn_tool_run_func run, const struct tn_env *env, const GPtrArray *paths,
                               struct tn_progress *progress, GError **error);
