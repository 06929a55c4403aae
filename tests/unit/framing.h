/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* The framing under test and a log of what it delivered. */
#pragma once

#include "support.h"

#include "agent/frame.h"

struct framing {
        struct tn_frame *frame;
        GString *log; /* "M:text" or "E:text" for each delivery, each with a line end */
        unsigned messages, errors;
};

struct framing *framing_new(size_t max_bytes);
void framing_free(struct framing *framing);
typedef struct framing framing_t;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(framing_t, framing_free)

void framing_push(struct framing *framing, const char *text);
/* @text @times times. */
void framing_push_times(struct framing *framing, const char *text, unsigned times);
/* Compares all that was delivered since the last time, and forgets it. */
#define assert_delivered(framing, wanted) assert_delivered_at(framing, wanted, __FILE__, __LINE__)
void assert_delivered_at(struct framing *framing, const char *wanted, const char *file, int line);

/* What libvirt sends first, and what is delivered for it. */
#define LIBVIRT_SYNC "{\"execute\":\"guest-sync\", \"arguments\":{\"id\":1700000000000}}"
#define PING         "{\"execute\":\"guest-ping\"}"
