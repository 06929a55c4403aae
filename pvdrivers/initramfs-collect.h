/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* What is kept of the entries of an image's archives while they go by. */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "pvdrivers/cpio.h"
#include "pvdrivers/initramfs.h"

struct tn_initramfs_collect {
        struct tn_initramfs *into;
        unsigned files;   /* entries of all segments */
        size_t names;     /* bytes of all names and targets of links */
        size_t texts;     /* bytes of all texts that are kept */
        char *name;       /* of the entry under way */
        GString *text;    /* its body, where that is wanted */
        bool link;        /* it is a symbolic link */
        GHashTable *seen; /* names; borrowed from into->files */
};

struct tn_initramfs *tn_initramfs_collect_begin(struct tn_initramfs_collect *collect, const char *path);
/* Sorts what was collected. */
void tn_initramfs_collect_end(struct tn_initramfs_collect *collect);
/* The functions that an archive's parser calls. */
struct tn_cpio_sink tn_initramfs_collect_sink(struct tn_initramfs_collect *collect);
