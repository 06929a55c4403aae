/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* A channel of a bench, with the host's end of it: both in this process, over a socket pair. */
#pragma once

#include "bench.h"
#include "peer.h"

#include "agent/channel.h"

struct line {
        struct bench *bench;
        struct tn_channel *channel; /* NULL once it is gone */
        struct peer *host;
        unsigned gone;
};

void line_up(struct line *line, struct bench *bench, enum tn_channel_kind kind);
void line_down(struct line *line);
typedef struct line line_t;
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(line_t, line_down)

/* For a channel that a test makes itself: @data is its line. */
void line_on_gone(struct tn_channel *channel, void *data);
