/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * What long work tells while it goes on. Each event is a JSON object with the member "event":
 *
 *   {"event": "step", "step": "initramfs", "text": "building …", "done": 3, "total": 8}
 *   {"event": "output", "program": "mkinitramfs", "line": "…"}   what a program printed
 *   {"event": "note", "text": "…"}                               what people should know
 */
#pragma once

#include <glib.h>
#include <jansson.h>

struct tn_progress {
        void (*tell)(const json_t *event, void *data);
        void *data;
        unsigned done, total; /* steps */
};

/* @progress may be NULL in all of them. A step counts when it begins. */
void tn_progress_step(struct tn_progress *progress, const char *step, const char *format, ...)
        G_GNUC_PRINTF(3, 4);
void tn_progress_note(struct tn_progress *progress, const char *format, ...) G_GNUC_PRINTF(2, 3);
/* A note for each text of @notes. */
void tn_progress_notes(struct tn_progress *progress, const GPtrArray *notes);
void tn_progress_output(struct tn_progress *progress, const char *program, const char *line);
