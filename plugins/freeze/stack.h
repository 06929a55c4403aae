/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* What a block device is made of, from sysfs. */
#pragma once

#include <glib.h>
#include <sys/types.h>

#include "lib/env.h"

/* Paths of the files that the device lies on by way of loop devices, through partitions, device mapper,
 * RAID and the like. @source is the mount's, for file systems whose @device is anonymous (btrfs: all of
 * its devices). Elements are strings, owned by the array. Never NULL. */
GPtrArray *freeze_stack_files(const struct tn_env *env, dev_t device, const char *source);
