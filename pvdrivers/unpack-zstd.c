/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* zstd, by libzstd: one frame. Its own limit on the window, 128 MiB, is the kernel's, too. */
#include "pvdrivers/unpack.h"

#include <zstd.h>

#include "lib/error.h"

static void *zstd_open(void)
{
        return ZSTD_createDStream();
}

static bool zstd_step(void *state, struct tn_unpack_io *io, GError **error)
{
        ZSTD_inBuffer in = {io->in, io->in_len, 0};
        ZSTD_outBuffer out = {io->out, io->out_len, 0};
        size_t result = ZSTD_decompressStream(state, &out, &in);

        if (ZSTD_isError(result))
                return tn_unpack_damaged(ZSTD_getErrorName(result), error);
        io->in += in.pos;
        io->in_len -= in.pos;
        io->out += out.pos;
        io->out_len -= out.pos;
        io->ended = result == 0;
        return true;
}

static void zstd_close(void *state)
{
        (void) ZSTD_freeDStream(state);
}

const struct tn_unpack_method tn_unpack_zstd = {
        .name = "zstd",
        .magic = "\x28\xb5\x2f\xfd",
        .magic_len = 4,
        .open = zstd_open,
        .step = zstd_step,
        .close = zstd_close,
};
