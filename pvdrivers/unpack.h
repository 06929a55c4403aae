/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * Decompressors of initramfs images behind one small interface, a row each: bytes in, bytes out, in steps of
 * any size. A compressor that is known but cannot be unpacked here has a row without functions, so that it
 * can be named.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TN_UNPACK_MAGIC_MAX  9           /* bytes of the longest magic */
#define TN_UNPACK_MEMORY_MAX (256 << 20) /* bytes that a decompressor may use */

/* What is left of the input and of the room for output; a step moves both on. */
struct tn_unpack_io {
        const uint8_t *in;
        size_t in_len;
        uint8_t *out;
        size_t out_len;
        bool last;  /* there is no input behind this */
        bool ended; /* set by the step: the compressed stream is complete */
};

struct tn_unpack_method {
        const char *name;
        const char *magic;
        size_t magic_len;
        void *(*open)(void); /* NULL: not supported */
        /* A step that neither takes nor gives anything wants more input than it was shown. */
        bool (*step)(void *state, struct tn_unpack_io *io, GError **error);
        void (*close)(void *state);
        const char *remedy; /* for what is not supported */
};

/* The method whose stream begins with these bytes, or NULL. */
const struct tn_unpack_method *tn_unpack_find(const uint8_t *bytes, size_t len);

/* The rows, each in a file of its own. */
extern const struct tn_unpack_method tn_unpack_gzip, tn_unpack_xz, tn_unpack_lzma, tn_unpack_zstd,
        tn_unpack_lz4, tn_unpack_bzip2;

/* Sets @error: the stream is damaged, as @why says. Always returns false. */
bool tn_unpack_damaged(const char *why, GError **error);
