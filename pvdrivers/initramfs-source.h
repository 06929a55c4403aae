/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * The bytes of an image through a window that moves forward, from a file or from memory. A file that shrinks
 * while it is read ends early; it cannot make us crash, as a mapping of it could.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct tn_initramfs_source {
        const uint8_t *bytes; /* the window */
        size_t len;           /* bytes in it */
        uint64_t offset;      /* of the window in the image */
        uint64_t end;         /* where the image ends */
        int fd;               /* owned; -1: in memory */
        uint8_t *buffer;
};

/* Takes @fd over, a regular file. The image is @offset to @end of it. */
void tn_initramfs_source_init(struct tn_initramfs_source *source, int fd, uint64_t offset, uint64_t end);
void tn_initramfs_source_init_memory(struct tn_initramfs_source *source, const uint8_t *bytes,
                                     uint64_t offset, uint64_t end);
void tn_initramfs_source_deinit(struct tn_initramfs_source *source);

/* Reads on until the window has @wanted bytes (64 KiB at most) or the image ends. */
bool tn_initramfs_source_fill(struct tn_initramfs_source *source, size_t wanted, GError **error);
/* Moves on by @n bytes of the window. */
void tn_initramfs_source_take(struct tn_initramfs_source *source, size_t n);
/* Nothing is behind the window. */
bool tn_initramfs_source_last(const struct tn_initramfs_source *source);
