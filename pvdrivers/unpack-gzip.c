/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* gzip, by zlib: one member, with its checksum verified. */
#include "pvdrivers/unpack.h"

#define ZLIB_CONST
#include <zlib.h>

#include "lib/error.h"

static void *gzip_open(void)
{
        z_stream *stream = g_new0(z_stream, 1);

        if (inflateInit2(stream, 16 + MAX_WBITS) != Z_OK)
                g_clear_pointer(&stream, g_free);
        return stream;
}

static bool gzip_step(void *state, struct tn_unpack_io *io, GError **error)
{
        z_stream *stream = state;
        uInt in_len = (uInt) MIN(io->in_len, G_MAXINT), out_len = (uInt) MIN(io->out_len, G_MAXINT);
        int result;

        stream->next_in = io->in;
        stream->avail_in = in_len;
        stream->next_out = io->out;
        stream->avail_out = out_len;
        result = inflate(stream, Z_NO_FLUSH);
        io->in += in_len - stream->avail_in;
        io->in_len -= in_len - stream->avail_in;
        io->out += out_len - stream->avail_out;
        io->out_len -= out_len - stream->avail_out;
        io->ended = result == Z_STREAM_END;
        if (result == Z_OK || result == Z_STREAM_END || result == Z_BUF_ERROR)
                return true;
        return tn_unpack_damaged(stream->msg ? stream->msg : zError(result), error);
}

static void gzip_close(void *state)
{
        (void) inflateEnd(state);
        g_free(state);
}

const struct tn_unpack_method tn_unpack_gzip = {
        .name = "gzip",
        .magic = "\x1f\x8b",
        .magic_len = 2,
        .open = gzip_open,
        .step = gzip_step,
        .close = gzip_close,
};
