/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * Framing: a stream of bytes in, whole JSON texts out. The host need not send newlines; a request is whole
 * when its brackets close. Pure: no I/O, no clock.
 *
 * Recovery, in the words of docs/protocol.md:
 *  - the byte 0xFF drops whatever is pending, silently;
 *  - a line end inside a string breaks that message (one error);
 *  - a line that holds a whole request while an older one is still open means that the older one was
 *    abandoned by a client that is gone: it is dropped, the whole one is delivered;
 *  - past a limit one error is reported, and the rest of that message is skipped.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#define TN_FRAME_DEPTH_MAX  1024              /* braces and brackets together */
#define TN_FRAME_TOKENS_MAX (2 * 1024 * 1024) /* commas, colons and brackets of one message */

enum tn_frame_kind {
        TN_FRAME_MESSAGE, /* text is one JSON text, in double quotes only */
        TN_FRAME_ERROR,   /* text says what was wrong with the message that is now dropped */
};

typedef void (*tn_frame_func)(enum tn_frame_kind kind, const char *text, size_t len, void *data);

struct tn_frame;

/* @max_bytes: the largest message accepted. @func is called from tn_frame_push() and may not free it. */
struct tn_frame *tn_frame_new(size_t max_bytes, tn_frame_func func, void *data);
void tn_frame_free(struct tn_frame *frame);

void tn_frame_push(struct tn_frame *frame, const char *bytes, size_t len);

/* Drops what is pending: the other side went away. */
void tn_frame_reset(struct tn_frame *frame);

/* Bytes held for an unfinished message. */
size_t tn_frame_pending(const struct tn_frame *frame);

/* After a large message its memory is kept for the next one; whoever has a clock gives it back. */
bool tn_frame_is_large(const struct tn_frame *frame);
/* Unless a message is pending. */
void tn_frame_shrink(struct tn_frame *frame);
