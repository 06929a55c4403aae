/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* The framing's log; see framing.h. */
#include "framing.h"

#include <string.h>

static void on_frame(enum tn_frame_kind kind, const char *text, size_t len, void *data)
{
        struct framing *framing = data;

        g_string_append(framing->log, kind == TN_FRAME_MESSAGE ? "M:" : "E:");
        g_string_append_len(framing->log, text, (gssize) len);
        g_string_append_c(framing->log, '\n');
        if (kind == TN_FRAME_MESSAGE)
                framing->messages++;
        else
                framing->errors++;
}

struct framing *framing_new(size_t max_bytes)
{
        struct framing *framing = g_new0(struct framing, 1);

        framing->log = g_string_new(NULL);
        framing->frame = tn_frame_new(max_bytes, on_frame, framing);
        return framing;
}

void framing_free(struct framing *framing)
{
        if (!framing)
                return;
        tn_frame_free(framing->frame);
        g_string_free(framing->log, TRUE);
        g_free(framing);
}

void framing_push(struct framing *framing, const char *text)
{
        tn_frame_push(framing->frame, text, strlen(text));
}

void framing_push_times(struct framing *framing, const char *text, unsigned times)
{
        while (times-- > 0)
                framing_push(framing, text);
}

void assert_delivered_at(struct framing *framing, const char *wanted, const char *file, int line)
{
        if (strcmp(framing->log->str, wanted) != 0) {
                print_error("%s:%d: delivered\n%.2000s\nwanted\n%.2000s\n", file, line, framing->log->str,
                            wanted);
                _fail(file, line);
        }
        g_string_truncate(framing->log, 0);
        framing->messages = framing->errors = 0;
}
