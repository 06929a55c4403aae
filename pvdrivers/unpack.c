/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * Which compressors there are. The kernel knows gzip, bzip2, lzma, xz, lzo, lz4 (the legacy frame only) and
 * zstd; an image in anything else does not boot, so the remedy of such a row is to make another one.
 */
#include "pvdrivers/unpack.h"

#include <string.h>

#include "lib/error.h"

static const struct tn_unpack_method lzop = {
        .name = "lzop",
        .magic = "\x89LZO\0\r\n\x1a\n",
        .magic_len = 9,
        .remedy = "set another compressor (COMPRESS=zstd of initramfs-tools, compress=\"zstd\" of dracut) "
                  "and rebuild it",
};

static const struct tn_unpack_method lz4_frame = {
        .name = "lz4 in its new frame",
        .magic = "\x04\x22\x4d\x18",
        .magic_len = 4,
        .remedy = "the kernel takes the legacy frame only: compress it with lz4 -l",
};

static const struct tn_unpack_method *const methods[] = {
        &tn_unpack_gzip, &tn_unpack_xz,    &tn_unpack_zstd, &tn_unpack_lz4,
        &tn_unpack_lzma, &tn_unpack_bzip2, &lzop,           &lz4_frame,
};

const struct tn_unpack_method *tn_unpack_find(const uint8_t *bytes, size_t len)
{
        for (size_t i = 0; i < G_N_ELEMENTS(methods); i++)
                if (len >= methods[i]->magic_len &&
                    memcmp(bytes, methods[i]->magic, methods[i]->magic_len) == 0)
                        return methods[i];
        return NULL;
}

bool tn_unpack_damaged(const char *why, GError **error)
{
        return tn_error_set(error, TN_ERROR_INVALID, "the compressed data is damaged: %s", why);
}
