/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* Reads the segments of an image; what they mean is kept by initramfs-collect.c. */
#pragma once

#include <glib.h>

#include "pvdrivers/initramfs-source.h"
#include "pvdrivers/initramfs.h"

/* Takes @source over. @path is for messages. NULL with @error as of tn_initramfs_read(). */
struct tn_initramfs *tn_initramfs_scan(const char *path, const struct tn_initramfs_source *source,
                                       GError **error);
