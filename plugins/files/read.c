/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * Reading. What is more than a piece becomes a stream: the next piece is read when the one before is on its
 * way to the host, so the memory for a read does not depend on its size. The surprising thing: the number of
 * bytes comes last in the reply, because a file may turn out to be shorter than it was when it was asked
 * for.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <unistd.h>

#include "lib/base64.h"
#include "lib/error.h"
#include "plugins/files/files.h"

#define PIECE_BYTES (96 * 1024) /* divides by 3, so that the base64 of pieces is that of the whole */

struct reading {
        struct tn_files_handle *handle;
        GString *first; /* base64 of the first piece, until it is sent */
        size_t done;
        size_t left;
        bool eof;
};

/* Fills the buffer as far as the file goes. Less than @size without *eof: it has no more just now. */
static ssize_t read_piece(int fd, uint8_t *buffer, size_t size, bool *eof)
{
        size_t used = 0;

        while (used < size) {
                ssize_t n = read(fd, buffer + used, size - used);

                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return used > 0 && errno == EAGAIN ? (ssize_t) used : -1;
                if (n == 0) {
                        *eof = true;
                        break;
                }
                used += (size_t) n;
        }
        return (ssize_t) used;
}

/* Appends the base64 of one piece. False: this was the last one, for whatever reason. */
static bool append_piece(struct reading *reading, GString *out, int *ret_errno)
{
        uint8_t buffer[PIECE_BYTES];
        size_t size = MIN(sizeof buffer, reading->left);
        ssize_t n = read_piece(reading->handle->fd, buffer, size, &reading->eof);

        *ret_errno = n < 0 ? errno : 0;
        if (n <= 0)
                return false;
        tn_base64_append(out, buffer, (size_t) n);
        reading->done += (size_t) n;
        reading->left -= (size_t) n;
        return (size_t) n == size && reading->left > 0;
}

static bool next(void *data, GString *out, bool cut)
{
        struct reading *reading = data;
        bool more = true;
        int errnum;

        if (reading->first) {
                g_string_append(out, "{\"buf-b64\": \"");
                g_string_append_len(out, reading->first->str, (gssize) reading->first->len);
                g_string_free(g_steal_pointer(&reading->first), TRUE);
        } else if (!cut) {
                /* An error in the middle ends the text; the next read meets it again and tells it. */
                more = append_piece(reading, out, &errnum);
        }
        if (more && !cut)
                return true;
        g_string_append_printf(out, "\", \"count\": %zu, \"eof\": %s}", reading->done,
                               reading->eof ? "true" : "false");
        return false;
}

static void reading_free(void *data)
{
        struct reading *reading = data;

        tn_files_handle_release(reading->handle);
        if (reading->first)
                g_string_free(reading->first, TRUE);
        g_free(reading);
}

static const struct tenon_stream stream = {.next = next, .free = reading_free};

static json_t *whole_reply(const struct reading *reading, const GString *text)
{
        json_t *reply = json_object();

        json_object_set_new(reply, "count", json_integer((json_int_t) reading->done));
        json_object_set_new(reply, "buf-b64", json_stringn_nocheck(text->str, text->len));
        json_object_set_new(reply, "eof", json_boolean(reading->eof));
        return reply;
}

void tn_files_read(struct tenon_host *host, struct tenon_call *call, struct tn_files_handle *handle,
                   size_t count)
{
        struct reading reading = {.handle = handle, .left = count};
        g_autoptr(GString) text = g_string_new(NULL);
        GError *error = NULL;
        int errnum = 0;

        if (count > 0 && append_piece(&reading, text, &errnum)) {
                reading.first = g_steal_pointer(&text);
                tn_files_handle_hold(handle);
                host->reply_stream(call, &stream, g_memdup2(&reading, sizeof reading));
        } else if (errnum) {
                (void) tn_error_errno(&error, errnum, "failed to read file");
                host->fail(call, error);
        } else {
                host->reply(call, whole_reply(&reading, text));
        }
}
