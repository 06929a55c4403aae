/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * guest-file-open, -read, -write, -close. The surprising thing: nothing that the agent says about a piece is
 * taken as it is. Its count must be what the base64 is, and no more than was asked for, and an agent that
 * says "no end yet" without bytes is not asked for ever.
 */
#include "host/transfer.h"

#include <string.h>

#include "host/arguments.h"
#include "host/trouble.h"
#include "lib/base64.h"

#define EMPTY_PAUSE_USEC 50000

static bool open_file(struct tn_guest *guest, const char *path, const char *mode, json_int_t *ret,
                      GError **error)
{
        json_auto_t *value = NULL;
        json_t *name = tn_arguments_text(path, error);

        if (!name || !tn_guest_ask(guest, "guest-file-open",
                                   json_pack("{s:o, s:s}", "path", name, "mode", mode), &value, error))
                return false;
        if (!json_is_integer(value))
                return tn_trouble_set(error, TN_TROUBLE_LINK, "guest-file-open: the answer is no handle");
        *ret = json_integer_value(value);
        return true;
}

/* After a failure, too; then what it says is not of interest. */
static bool close_file(struct tn_guest *guest, json_int_t handle, GError **error)
{
        json_auto_t *value = NULL;

        return tn_guest_ask(guest, "guest-file-close", json_pack("{s:I}", "handle", handle), &value, error);
}

static bool read_piece(struct tn_guest *guest, json_int_t handle, uint8_t **ret, size_t *ret_len,
                       bool *ret_eof, GError **error)
{
        json_t *args = json_pack("{s:I, s:i}", "handle", handle, "count", TN_TRANSFER_PIECE);
        json_auto_t *value = NULL;
        g_autofree uint8_t *bytes = NULL;
        json_t *text;
        size_t len = 0;

        if (!tn_guest_ask(guest, "guest-file-read", args, &value, error))
                return false;
        text = json_object_get(value, "buf-b64");
        if ((text && !json_is_string(text)) || json_string_length(text) > 2 * TN_TRANSFER_PIECE ||
            (text &&
             !tn_base64_decode(json_string_value(text), json_string_length(text), &bytes, &len, NULL)) ||
            len > TN_TRANSFER_PIECE || !json_is_integer(json_object_get(value, "count")) ||
            json_integer_value(json_object_get(value, "count")) != (json_int_t) len)
                return tn_trouble_set(error, TN_TROUBLE_LINK,
                                      "guest-file-read: the guest's answer is not what was asked for");
        *ret = g_steal_pointer(&bytes);
        *ret_len = len;
        *ret_eof = json_is_true(json_object_get(value, "eof"));
        return true;
}

static bool read_all(struct tn_guest *guest, json_int_t handle, uint64_t max, tn_transfer_sink sink,
                     void *data, GError **error)
{
        gint64 last = g_get_monotonic_time();
        uint64_t sum = 0;
        bool eof = false;

        while (!eof) {
                g_autofree uint8_t *bytes = NULL;
                size_t len = 0;

                if (!read_piece(guest, handle, &bytes, &len, &eof, error))
                        return false;
                if (len > max - sum)
                        return tn_trouble_set(error, TN_TROUBLE_LOCAL,
                                              "the guest's file is larger than %" G_GUINT64_FORMAT
                                              " MiB; --max-size allows more",
                                              max / 1024 / 1024);
                sum += len;
                if (!sink(bytes, len, sum, data, error))
                        return false;
                if (len > 0)
                        last = g_get_monotonic_time();
                else if (!eof && g_get_monotonic_time() - last > (gint64) guest->timeout_ms * 1000)
                        return tn_trouble_set(error, TN_TROUBLE_TIMEOUT,
                                              "guest-file-read: no more bytes come, and no end");
                else if (!eof)
                        g_usleep(EMPTY_PAUSE_USEC);
        }
        return true;
}

bool tn_transfer_get(struct tn_guest *guest, const char *path, uint64_t max, tn_transfer_sink sink,
                     void *data, GError **error)
{
        json_int_t handle;
        bool good;

        if (!open_file(guest, path, "r", &handle, error))
                return false;
        good = read_all(guest, handle, max, sink, data, error);
        return close_file(guest, handle, good ? error : NULL) && good;
}

static bool write_piece(struct tn_guest *guest, json_int_t handle, const uint8_t *bytes, size_t len,
                        size_t *ret_done, GError **error)
{
        g_autofree char *text = g_malloc(TN_BASE64_SIZE(len));
        json_t *args = json_pack("{s:I, s:o}", "handle", handle, "buf-b64",
                                 json_stringn(text, tn_base64_encode(bytes, len, text)));
        json_auto_t *value = NULL;
        json_int_t count;

        if (!tn_guest_ask(guest, "guest-file-write", args, &value, error))
                return false;
        count = json_integer_value(json_object_get(value, "count"));
        if (count <= 0 || count > (json_int_t) len)
                return tn_trouble_set(error, TN_TROUBLE_LINK,
                                      "guest-file-write: the guest says it wrote %" JSON_INTEGER_FORMAT
                                      " of %zu bytes",
                                      count, len);
        *ret_done = (size_t) count;
        return true;
}

static bool write_all(struct tn_guest *guest, json_int_t handle, tn_transfer_source source, void *data,
                      GError **error)
{
        g_autofree uint8_t *bytes = g_malloc(TN_TRANSFER_PIECE);
        size_t len, done = 0;

        for (;;) {
                if (!source(bytes, TN_TRANSFER_PIECE, &len, data, error))
                        return false;
                if (len == 0)
                        return true;
                for (const uint8_t *at = bytes; len > 0; at += done, len -= done)
                        if (!write_piece(guest, handle, at, len, &done, error))
                                return false;
        }
}

bool tn_transfer_put(struct tn_guest *guest, const char *path, tn_transfer_source source, void *data,
                     GError **error)
{
        json_int_t handle;
        bool good;

        if (!open_file(guest, path, "w", &handle, error))
                return false;
        good = write_all(guest, handle, source, data, error);
        return close_file(guest, handle, good ? error : NULL) && good;
}
