/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* xz and its older brother lzma, by liblzma. */
#include "pvdrivers/unpack.h"

#include <lzma.h>

#include "lib/error.h"

static void *stream_open(lzma_ret (*init)(lzma_stream *, uint64_t))
{
        lzma_stream *stream = g_new(lzma_stream, 1);

        *stream = (lzma_stream) LZMA_STREAM_INIT;
        if (init(stream, TN_UNPACK_MEMORY_MAX) != LZMA_OK)
                g_clear_pointer(&stream, g_free);
        return stream;
}

static lzma_ret init_xz(lzma_stream *stream, uint64_t memory)
{
        return lzma_stream_decoder(stream, memory, 0);
}

static void *xz_open(void)
{
        return stream_open(init_xz);
}

static void *alone_open(void)
{
        return stream_open(lzma_alone_decoder);
}

static const char *describe(lzma_ret result)
{
        switch (result) {
        case LZMA_MEMLIMIT_ERROR:
                return "it wants more than 256 MiB of memory";
        case LZMA_FORMAT_ERROR:
                return "it is no such stream";
        case LZMA_OPTIONS_ERROR:
                return "it uses options that liblzma does not know";
        default:
                return "its data or a checksum is wrong";
        }
}

static bool stream_step(void *state, struct tn_unpack_io *io, GError **error)
{
        lzma_stream *stream = state;
        lzma_ret result;

        stream->next_in = io->in;
        stream->avail_in = io->in_len;
        stream->next_out = io->out;
        stream->avail_out = io->out_len;
        result = lzma_code(stream, LZMA_RUN);
        io->in = stream->next_in;
        io->in_len = stream->avail_in;
        io->out = stream->next_out;
        io->out_len = stream->avail_out;
        io->ended = result == LZMA_STREAM_END;
        if (result == LZMA_OK || result == LZMA_STREAM_END || result == LZMA_BUF_ERROR)
                return true;
        return tn_unpack_damaged(describe(result), error);
}

static void stream_close(void *state)
{
        lzma_end(state);
        g_free(state);
}

const struct tn_unpack_method tn_unpack_xz = {
        .name = "xz",
        .magic = "\xfd"
                 "7zXZ\0",
        .magic_len = 6,
        .open = xz_open,
        .step = stream_step,
        .close = stream_close,
};

const struct tn_unpack_method tn_unpack_lzma = {
        .name = "lzma",
        .magic = "\x5d\0\0",
        .magic_len = 3,
        .open = alone_open,
        .step = stream_step,
        .close = stream_close,
};
