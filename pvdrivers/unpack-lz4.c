/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * lz4 in its legacy frame: a magic number, then blocks of 8 MiB, each with its packed length before it. The
 * surprising thing: the frame has no end. It ends where the next four bytes cannot be a length; they are
 * left to whoever reads on.
 */
#include "pvdrivers/unpack.h"

#include <lz4.h>
#include <string.h>

#include "lib/error.h"

#define MAGIC     0x184c2102U
#define BLOCK_MAX (8U << 20) /* bytes of an unpacked block */

struct lz4 {
        GByteArray *packed; /* of the block under way */
        size_t wanted;      /* packed length of that block; 0: its length comes next */
        uint8_t *plain;     /* BLOCK_MAX bytes */
        size_t plain_len, plain_given;
};

static void *lz4_open(void)
{
        struct lz4 *lz4 = g_new0(struct lz4, 1);

        lz4->packed = g_byte_array_new();
        lz4->plain = g_malloc(BLOCK_MAX);
        return lz4;
}

static void lz4_close(void *state)
{
        struct lz4 *lz4 = state;

        g_byte_array_unref(lz4->packed);
        g_free(lz4->plain);
        g_free(lz4);
}

static void give(struct lz4 *lz4, struct tn_unpack_io *io)
{
        size_t n = MIN(lz4->plain_len - lz4->plain_given, io->out_len);

        memcpy(io->out, lz4->plain + lz4->plain_given, n);
        lz4->plain_given += n;
        io->out += n;
        io->out_len -= n;
}

static void take_length(struct lz4 *lz4, struct tn_unpack_io *io)
{
        uint32_t length;

        if (io->in_len < 4) {
                io->ended = io->last;
                return;
        }
        memcpy(&length, io->in, 4);
        length = GUINT32_FROM_LE(length);
        if (length != MAGIC && (length == 0 || length > LZ4_COMPRESSBOUND(BLOCK_MAX))) {
                io->ended = true;
                return;
        }
        lz4->wanted = length == MAGIC ? 0 : length;
        io->in += 4;
        io->in_len -= 4;
}

static bool take_block(struct lz4 *lz4, struct tn_unpack_io *io, GError **error)
{
        size_t n = MIN(lz4->wanted - lz4->packed->len, io->in_len);
        int plain_len;

        g_byte_array_append(lz4->packed, io->in, (guint) n);
        io->in += n;
        io->in_len -= n;
        if (lz4->packed->len < lz4->wanted)
                return true;
        plain_len = LZ4_decompress_safe((const char *) lz4->packed->data, (char *) lz4->plain,
                                        (int) lz4->packed->len, (int) BLOCK_MAX);
        if (plain_len < 0)
                return tn_unpack_damaged("a block cannot be unpacked", error);
        lz4->plain_len = (size_t) plain_len;
        lz4->plain_given = 0;
        lz4->wanted = 0;
        g_byte_array_set_size(lz4->packed, 0);
        return true;
}

static bool lz4_step(void *state, struct tn_unpack_io *io, GError **error)
{
        struct lz4 *lz4 = state;

        if (lz4->plain_given < lz4->plain_len) {
                give(lz4, io);
                return true;
        }
        if (lz4->wanted > 0)
                return take_block(lz4, io, error);
        take_length(lz4, io);
        return true;
}

const struct tn_unpack_method tn_unpack_lz4 = {
        .name = "lz4",
        .magic = "\x02\x21\x4c\x18",
        .magic_len = 4,
        .open = lz4_open,
        .step = lz4_step,
        .close = lz4_close,
};
