/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* The part of fixes.c that goes through files of the administrator's. Each adds to @changes, and to @notes
 * what it leaves alone and why. */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "pvdrivers/change.h"
#include "pvdrivers/kernel.h"

/* fstab, crypttab, boot loader configuration: names of disks that do not survive the move. */
bool tn_fixes_files_disks(const struct tn_env *env, const struct tn_kernels *kernels, GPtrArray *changes,
                          GPtrArray *notes, GError **error);
bool tn_fixes_files_lvm(const struct tn_env *env, GPtrArray *changes, GError **error);
