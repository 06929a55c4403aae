/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * What is in an initramfs image: the names of all files, the kernel modules, and the text of the few small
 * files that decide about booting. Read here and not by lsinitramfs or lsinitrd, so that a verdict does not
 * rest on a tool's exit status and does not need the tool.
 *
 * An image is a row of segments, as the kernel takes them: uncompressed cpio archives (early microcode),
 * then one or more compressed ones, with zero bytes between them. A unified kernel image (a PE program with
 * a section .initrd) is read the same way. Everything has a limit, and all memory is a small part of the
 * image's size: contents are thrown away while they are unpacked.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/env.h"

/* Limits. An image above one of them is refused with TN_ERROR_LIMIT. */
#define TN_INITRAMFS_IMAGE_MAX    (2ULL << 30) /* bytes on disk */
#define TN_INITRAMFS_UNPACKED_MAX (4ULL << 30) /* bytes of all segments, unpacked */
#define TN_INITRAMFS_RATIO_MAX    1000         /* unpacked to packed, above the first 64 MiB */
#define TN_INITRAMFS_SEGMENTS_MAX 64
#define TN_INITRAMFS_FILES_MAX    200000
#define TN_INITRAMFS_NAME_MAX     4096         /* bytes of a name, as the kernel's */
#define TN_INITRAMFS_NAMES_MAX    (32 << 20)   /* bytes of all names and targets of links */
#define TN_INITRAMFS_TEXT_MAX     (256 * 1024) /* bytes of a file whose text is kept */
#define TN_INITRAMFS_TEXTS_MAX    (4 << 20)    /* bytes of all texts that are kept */

struct tn_initramfs_segment {
        const char *compressor; /* "none", "gzip", "xz", "lzma", "zstd", "lz4", "bzip2"; static */
        uint64_t offset;        /* in the image */
        uint64_t size;          /* in the image */
        uint64_t unpacked;      /* bytes */
        unsigned files;
};

struct tn_initramfs {
        char *path;          /* as it was given */
        uint64_t size;       /* bytes on disk */
        GArray *segments;    /* struct tn_initramfs_segment */
        GPtrArray *files;    /* char *: names without "/" or "./" at their head, sorted, each once */
        GHashTable *links;   /* name of a symbolic link → its target */
        GHashTable *modules; /* "RELEASE/name", the name with '_' for '-' → file name in the image */
        GHashTable *texts; /* file name → text of the small files that are kept, see initramfs-collect.c */
};

/* Reads the image at @path, relative to the root of @env. NULL with @error, which names the file, the place
 * in it and what to do: TN_ERROR_INVALID for a damaged, cut off or foreign image, TN_ERROR_UNSUPPORTED for
 * a compressor that this build cannot unpack, TN_ERROR_DENIED when the caller may not read it,
 * TN_ERROR_NOT_FOUND when it is not there. */
struct tn_initramfs *tn_initramfs_read(const struct tn_env *env, const char *path, GError **error);
/* The same of bytes in memory; @path is for messages only. */
struct tn_initramfs *tn_initramfs_parse(const char *path, const void *bytes, size_t len, GError **error);
void tn_initramfs_free(struct tn_initramfs *initramfs);
typedef struct tn_initramfs tn_initramfs_t;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(tn_initramfs_t, tn_initramfs_free)

/* File name in the image of the module @name of the kernel @release, or NULL. '-' and '_' are the same. */
const char *tn_initramfs_find_module(const struct tn_initramfs *initramfs, const char *release,
                                     const char *name);
/* Has it modules of this kernel at all? False for an image of another kernel, and for one without modules.
 */
bool tn_initramfs_has_release(const struct tn_initramfs *initramfs, const char *release);
/* @name without "/" at its head; links on the way are not followed. */
bool tn_initramfs_has_file(const struct tn_initramfs *initramfs, const char *name);
/* Text of a file that is kept, or NULL. Borrowed. */
const char *tn_initramfs_find_text(const struct tn_initramfs *initramfs, const char *name);
/* File in the image (in one of its modprobe.d) that forbids the module @name, or NULL. Borrowed. */
const char *tn_initramfs_find_blacklist(const struct tn_initramfs *initramfs, const char *name);
/* Compressor of the last segment, which is the one with the modules. Static. */
const char *tn_initramfs_compressor(const struct tn_initramfs *initramfs);
