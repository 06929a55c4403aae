/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* However the bytes of a stream are cut into pieces, the same messages come out of it, each within the
 * limit and without a quote that JSON does not have. */
#include <glib.h>
#include <string.h>

#include "agent/frame.h"
#include "tests/fuzz/fuzz.h"

#define LIMIT 4096

static size_t limit; /* of what is delivered: a " between two ' gets a backslash */

static void keep(enum tn_frame_kind kind, const char *text, size_t len, void *data)
{
        GString *said = data;

        if (kind == TN_FRAME_MESSAGE)
                g_assert_cmpuint(len, <=, limit);
        g_string_append_printf(said, "%c%zu:", kind == TN_FRAME_MESSAGE ? 'M' : 'E', len);
        g_string_append_len(said, text, (gssize) len);
}

static GString *push(const uint8_t *data, size_t size, size_t piece)
{
        GString *said = g_string_new(NULL);
        struct tn_frame *frame = tn_frame_new(LIMIT, keep, said);

        for (size_t at = 0; at < size; at += piece)
                tn_frame_push(frame, (const char *) data + at, MIN(piece, size - at));
        tn_frame_shrink(frame);
        tn_frame_free(frame);
        return said;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        GString *whole, *bytes, *pieces;

        limit = size > 0 && memchr(data, '\'', size) ? 2 * LIMIT : LIMIT;
        whole = push(data, size, MAX(size, 1));
        bytes = push(data, size, 1);
        pieces = push(data, size, 7);
        g_assert_true(g_string_equal(whole, bytes));
        g_assert_true(g_string_equal(whole, pieces));
        g_string_free(whole, TRUE);
        g_string_free(bytes, TRUE);
        g_string_free(pieces, TRUE);
        return 0;
}
