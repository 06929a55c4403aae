/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * The EFI system partition, and the one file on it that a firmware without boot entries knows. Names are
 * found whatever their case, since FAT does not care.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "lib/env.h"

/* Where it is mounted, relative to the root, or NULL: not mounted, or not to be looked into. */
const char *tn_esp_find(const struct tn_env *env);
/* Its folder is there, but only root may list it. */
bool tn_esp_hidden(const struct tn_env *env);
/* "BOOTX64.EFI" on x86_64. */
const char *tn_esp_fallback_name(const struct tn_env *env);
/* The path of that file, or NULL. Free with g_free(). */
char *tn_esp_find_fallback(const struct tn_env *env);
/* The member @name of @folder as a path, or NULL. Free with g_free(). */
char *tn_esp_find_member(const struct tn_env *env, const char *folder, const char *name);
/* The same for a name in which '%' stands for what loaders of this machine are called by: "x64". */
char *tn_esp_find_named(const struct tn_env *env, const char *folder, const char *pattern);

/* The boot loader that stands in @folder: shim, else GRUB, else systemd-boot; NULL: none. Free with
 * g_free(). */
char *tn_esp_find_loader(const struct tn_env *env, const char *folder);
/* Folders of the partition that have one; of char *, free with g_ptr_array_unref(). */
GPtrArray *tn_esp_find_folders(const struct tn_env *env);
