/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * The other end of a channel, in the same process: whatever waits, turns the main loop meanwhile. Its
 * buffers are unbounded, its patience is not (10 s).
 */
#pragma once

#include "support.h"

struct peer {
        int fd;       /* non-blocking; owned */
        GString *got; /* what was read and not yet looked at */
        bool at_end;  /* the agent closed the connection */
};

/* Takes ownership of @fd. */
struct peer *peer_new(int fd);
/* Connects to a unix socket. */
struct peer *peer_connect(const char *path);
void peer_free(struct peer *peer);
typedef struct peer peer_t;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(peer_t, peer_free)

void peer_send_len(struct peer *peer, const char *bytes, size_t len);
/* @text is JSON in which ' stands for ". */
void peer_send(struct peer *peer, const char *text);
/* Sends what the kernel takes without waiting; returns how much. */
size_t peer_try_send(struct peer *peer, const char *bytes, size_t len);

/* Waits for a whole line and returns it without its end; free with g_free(). */
char *peer_line(struct peer *peer);
/* Waits for a line, which must be @wanted, with ' for ". */
void peer_expect(struct peer *peer, const char *wanted);
/* Waits until the agent closes. */
void peer_expect_end(struct peer *peer);
/* Turns the loop a while; nothing may come. */
void peer_expect_silence(struct peer *peer);

/* Kilobytes of memory that this process has now. */
size_t rss_kib(void);
/* Milliseconds of processor time that the main loop takes in @ms when nothing happens. */
unsigned idle_cost_ms(unsigned ms);
/* Whether memory figures mean anything in this build. */
bool measures_memory(void);
