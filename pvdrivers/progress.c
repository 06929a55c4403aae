/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* Makes the events. */
#include "pvdrivers/progress.h"

#include "lib/json.h"

static void tell(struct tn_progress *progress, json_t *event)
{
        progress->tell(event, progress->data);
        json_decref(event);
}

void tn_progress_step(struct tn_progress *progress, const char *step, const char *format, ...)
{
        g_autofree char *text = NULL;
        va_list args;

        if (!progress)
                return;
        va_start(args, format);
        text = g_strdup_vprintf(format, args);
        va_end(args);
        if (progress->done < progress->total)
                progress->done++;
        tell(progress,
             json_pack("{s:s, s:s, s:o, s:i, s:i}", "event", "step", "step", step, "text",
                       tn_json_text(text), "done", (int) progress->done, "total", (int) progress->total));
}

void tn_progress_note(struct tn_progress *progress, const char *format, ...)
{
        g_autofree char *text = NULL;
        va_list args;

        if (!progress)
                return;
        va_start(args, format);
        text = g_strdup_vprintf(format, args);
        va_end(args);
        tell(progress, json_pack("{s:s, s:o}", "event", "note", "text", tn_json_text(text)));
}

void tn_progress_notes(struct tn_progress *progress, const GPtrArray *notes)
{
        for (guint i = 0; i < notes->len; i++)
                tn_progress_note(progress, "%s", (const char *) notes->pdata[i]);
}

void tn_progress_output(struct tn_progress *progress, const char *program, const char *line)
{
        if (progress)
                tell(progress, json_pack("{s:s, s:s, s:o}", "event", "output", "program", program, "line",
                                         tn_json_text(line)));
}
