/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* bzip2, by libbz2: one stream. */
#include "pvdrivers/unpack.h"

#include <bzlib.h>

#include "lib/error.h"

static void *bzip2_open(void)
{
        bz_stream *stream = g_new0(bz_stream, 1);

        if (BZ2_bzDecompressInit(stream, 0, 0) != BZ_OK)
                g_clear_pointer(&stream, g_free);
        return stream;
}

static bool bzip2_step(void *state, struct tn_unpack_io *io, GError **error)
{
        bz_stream *stream = state;
        unsigned in_len = (unsigned) MIN(io->in_len, G_MAXINT),
                 out_len = (unsigned) MIN(io->out_len, G_MAXINT);
        int result;

        stream->next_in = (char *) io->in; /* is not written to */
        stream->avail_in = in_len;
        stream->next_out = (char *) io->out;
        stream->avail_out = out_len;
        result = BZ2_bzDecompress(stream);
        io->in += in_len - stream->avail_in;
        io->in_len -= in_len - stream->avail_in;
        io->out += out_len - stream->avail_out;
        io->out_len -= out_len - stream->avail_out;
        io->ended = result == BZ_STREAM_END;
        if (result == BZ_OK || result == BZ_STREAM_END)
                return true;
        return tn_unpack_damaged("its data or a checksum is wrong", error);
}

static void bzip2_close(void *state)
{
        (void) BZ2_bzDecompressEnd(state);
        g_free(state);
}

const struct tn_unpack_method tn_unpack_bzip2 = {
        .name = "bzip2",
        .magic = "BZh",
        .magic_len = 3,
        .open = bzip2_open,
        .step = bzip2_step,
        .close = bzip2_close,
};
