/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* How each initramfs builder is told to put modules in; see struct tn_rebuild_tool. */
#pragma once

#include "pvdrivers/rebuild.h"

bool tn_rebuild_config_initramfs_tools(const struct tn_env *env, const struct tn_kernels *kernels,
                                       char **modules, GPtrArray *changes, GError **error);
bool tn_rebuild_config_dracut(const struct tn_env *env, const struct tn_kernels *kernels, char **modules,
                              GPtrArray *changes, GError **error);
bool tn_rebuild_config_mkinitcpio(const struct tn_env *env, const struct tn_kernels *kernels, char **modules,
                                  GPtrArray *changes, GError **error);
bool tn_rebuild_config_mkinitfs(const struct tn_env *env, const struct tn_kernels *kernels, char **modules,
                                GPtrArray *changes, GError **error);
