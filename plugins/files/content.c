/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * Writing and seeking. The surprising thing: what is written is decoded twice, the first time only to know
 * that all of it is right before the first byte is written.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "lib/base64.h"
#include "lib/error.h"
#include "plugins/files/files.h"

#define PIECE_CHARS (128 * 1024)

/* *done counts what was written, also when it fails. */
static bool write_all(int fd, const uint8_t *bytes, size_t len, size_t *done)
{
        while (len > 0) {
                ssize_t n = write(fd, bytes, len);

                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return false;
                bytes += n;
                len -= (size_t) n;
                *done += (size_t) n;
        }
        return true;
}

/* Text that has been checked. False: errno says why it stopped. */
static bool write_text(int fd, const char *text, size_t len, size_t count, size_t *done)
{
        struct tn_base64_decoder decoder = {0};
        g_autofree uint8_t *buffer = g_malloc(TN_BASE64_BYTES(MIN(PIECE_CHARS, len)) + 1);

        for (size_t i = 0; i < len && *done < count; i += PIECE_CHARS) {
                size_t n = 0;

                (void) tn_base64_decode_piece(&decoder, text + i, MIN(PIECE_CHARS, len - i), buffer, &n,
                                              NULL);
                if (!write_all(fd, buffer, MIN(n, count - *done), done))
                        return false;
        }
        return true;
}

json_t *tn_files_write(int fd, const char *text, size_t len, int64_t count, GError **error)
{
        size_t bytes, done = 0;

        if (!tn_base64_check(text, len, &bytes, error))
                return NULL;
        if (count > (int64_t) bytes) {
                (void) tn_error_set(error, TN_ERROR_INVALID,
                                    "value '%" G_GINT64_FORMAT "' is invalid for argument count", count);
                return NULL;
        }
        /* What was taken before a pipe was full is told; the host sends the rest again. */
        if (!write_text(fd, text, len, count < 0 ? bytes : (size_t) count, &done) &&
            (errno != EAGAIN || done == 0)) {
                (void) tn_error_errno(error, errno, "failed to write to file");
                return NULL;
        }
        return json_pack("{s:I, s:b}", "count", (json_int_t) done, "eof", 0);
}

static const struct {
        const char *name;
        int number; /* on the wire; -1: none */
        int whence;
} whences[] = {
        {"set", 0, SEEK_SET},    {"cur", 1, SEEK_CUR},    {"end", 2, SEEK_END},
        {"data", -1, SEEK_DATA}, {"hole", -1, SEEK_HOLE},
};

static bool parse_whence(json_t *value, int *ret, GError **error)
{
        const char *name = json_string_value(value);

        for (size_t i = 0; i < G_N_ELEMENTS(whences); i++)
                if (name ? strcmp(whences[i].name, name) == 0
                         : whences[i].number >= 0 && whences[i].number == json_integer_value(value)) {
                        *ret = whences[i].whence;
                        return true;
                }
        if (name)
                return tn_error_set(error, TN_ERROR_INVALID, "Parameter 'whence' does not accept value '%s'",
                                    name);
        return tn_error_set(error, TN_ERROR_INVALID, "invalid whence code %" JSON_INTEGER_FORMAT,
                            json_integer_value(value));
}

json_t *tn_files_seek(int fd, int64_t offset, json_t *whence, GError **error)
{
        bool eof = false;
        off_t position;
        int how = SEEK_SET;

        if (!parse_whence(whence, &how, error))
                return NULL;
        position = lseek(fd, offset, how);
        if (position < 0 && errno == ENXIO && (how == SEEK_DATA || how == SEEK_HOLE)) {
                eof = true; /* from there on is no more data */
                position = lseek(fd, 0, SEEK_END);
        }
        if (position < 0) {
                (void) tn_error_errno(error, errno, "failed to seek file");
                return NULL;
        }
        return json_pack("{s:I, s:b}", "position", (json_int_t) position, "eof", (int) eof);
}
