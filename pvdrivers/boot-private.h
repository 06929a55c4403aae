/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* What the readers of the boot loaders' files share. */
#pragma once

#include "pvdrivers/boot.h"

struct tn_boot_reader {
        const struct tn_env *env;
        const struct tn_kernels *kernels;
        struct tn_boot *boot;
};

/* A new entry at the end of the list; NULL when there are too many. */
struct tn_boot_entry *tn_boot_add(struct tn_boot_reader *reader, const char *file, unsigned line);
/* A path as the boot loader has it, on its own file system, as a path of the root; NULL: no such file. */
char *tn_boot_locate(const struct tn_env *env, const char *path);
void tn_boot_set_image(struct tn_boot_reader *reader, struct tn_boot_entry *entry, const char *path);
void tn_boot_add_initrds(struct tn_boot_reader *reader, struct tn_boot_entry *entry, const char *paths);
/* The entry is the default, because of @evidence. */
void tn_boot_choose(struct tn_boot *boot, const struct tn_boot_entry *entry, const char *format, ...)
        G_GNUC_PRINTF(3, 4);

/* The readers. Each returns true when its boot loader is here. */
bool tn_boot_grub_read(struct tn_boot_reader *reader);
bool tn_boot_bls_read(struct tn_boot_reader *reader);
bool tn_boot_extlinux_read(struct tn_boot_reader *reader);
/* Adds the entries of BLS files below @folder, newest first; true when there were any. */
bool tn_boot_bls_add(struct tn_boot_reader *reader, const char *folder, const GPtrArray *variables);
/* Variables of GRUB's environment block, NAME=VALUE, as lines. Free with g_ptr_array_unref(). */
GPtrArray *tn_boot_grub_variables(const struct tn_env *env, char **ret_file);
