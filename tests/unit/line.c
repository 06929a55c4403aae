/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* See line.h. */
#define _GNU_SOURCE
#include "line.h"

#include <sys/socket.h>

void line_on_gone(struct tn_channel *channel, void *data)
{
        struct line *line = data;

        assert_ptr_equal(channel, line->channel);
        tn_channel_free(channel);
        line->channel = NULL;
        line->gone++;
}

void line_up(struct line *line, struct bench *bench, enum tn_channel_kind kind)
{
        int fds[2];

        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
        *line = (struct line){.bench = bench, .host = peer_new(fds[1])};
        line->channel = tn_channel_new(bench->dispatch, bench->config, fds[0], kind, TN_TRUST_HOST, "test",
                                       "host", line_on_gone, line, NULL);
        assert_non_null(line->channel);
}

void line_down(struct line *line)
{
        tn_channel_free(line->channel);
        g_clear_pointer(&line->host, peer_free);
}
