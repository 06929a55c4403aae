/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * The status of a program that wrote much, as a stream: its outputs become base64 while they are sent. They
 * count as kept until then, so a host that asks and does not read makes us keep no more than one that does
 * not ask.
 */
#include "lib/base64.h"
#include "lib/json.h"
#include "plugins/exec/exec.h"

#define PIECE_BYTES (96 * 1024) /* divides by 3 */

struct telling {
        struct tn_exec_job *job;
        char *rest;      /* all members but for the outputs, without the bracket that opens the object */
        unsigned number; /* of the output whose turn it is */
        bool begun;
        bool inside; /* of the text of an output */
        size_t at;
        tn_exec_told told;
        void *data;
};

static const struct {
        const char *data;
        const char *truncated;
} names[] = {{"out-data", "out-truncated"}, {"err-data", "err-truncated"}};

/* The output whose turn it is; NULL behind the last one. */
static const struct tn_exec_output *find_output(struct telling *telling)
{
        for (; telling->number < G_N_ELEMENTS(names); telling->number++) {
                const struct tn_exec_output *output = tn_exec_job_output(telling->job, telling->number);

                if (output && output->bytes->len > 0)
                        return output;
        }
        return NULL;
}

static void append_piece(struct telling *telling, const struct tn_exec_output *output, GString *out)
{
        size_t n = MIN(PIECE_BYTES, output->bytes->len - telling->at);

        if (!telling->inside)
                g_string_append_printf(out, "\"%s\": \"", names[telling->number].data);
        telling->inside = true;
        tn_base64_append(out, output->bytes->data + telling->at, n);
        telling->at += n;
}

static void end_output(struct telling *telling, const struct tn_exec_output *output, GString *out)
{
        bool truncated = output->truncated || telling->at < output->bytes->len;

        g_string_append_printf(out, "\", \"%s\": %s, ", names[telling->number].truncated,
                               truncated ? "true" : "false");
        telling->inside = false;
        telling->at = 0;
        telling->number++;
}

static bool next(void *data, GString *out, bool cut)
{
        struct telling *telling = data;
        const struct tn_exec_output *output = find_output(telling);

        if (!telling->begun)
                g_string_append_c(out, '{');
        telling->begun = true;
        if (output && !cut)
                append_piece(telling, output, out);
        if (output && telling->inside && (cut || telling->at == output->bytes->len))
                end_output(telling, output, out);
        if (output && !cut)
                return true;
        g_string_append(out, telling->rest);
        return false;
}

static void telling_free(void *data)
{
        struct telling *telling = data;

        telling->told(telling->job, telling->data);
        g_free(telling->rest);
        g_free(telling);
}

void tn_exec_tell(struct tenon_host *host, struct tenon_call *call, struct tn_exec_job *job, json_t *status,
                  tn_exec_told told, void *data)
{
        static const struct tenon_stream stream = {.next = next, .free = telling_free};
        struct telling *telling = g_new0(struct telling, 1);
        g_autofree char *text = tn_json_line(status);

        *telling = (struct telling){.job = job, .rest = g_strdup(text + 1), .told = told, .data = data};
        json_decref(status);
        host->reply_stream(call, &stream, telling);
}
