/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* The journal's file: appended to and read back. */
#define _GNU_SOURCE
#include "pvdrivers/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "lib/error.h"
#include "lib/fd.h"
#include "lib/json.h"

#define JOURNAL_MAX (64 * 1024 * 1024) /* bytes; a record is some hundred */

bool tn_journal_append(int dir_fd, const json_t *record, GError **error)
{
        tn_autofd int fd = openat(dir_fd, TN_JOURNAL_NAME, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
        g_autofree char *text = tn_json_line(record);
        g_autofree char *line = g_strconcat(text, "\n", NULL);
        size_t len = strlen(line);
        ssize_t n;

        if (fd < 0)
                return tn_error_errno(error, errno, "open the journal");
        n = write(fd, line, len);
        if (n < 0 || (size_t) n != len)
                return tn_error_errno(error, n < 0 ? errno : ENOSPC, "write the journal");
        if (fsync(fd) < 0 || fsync(dir_fd) < 0)
                return tn_error_errno(error, errno, "sync the journal");
        return true;
}

static bool read_text(int dir_fd, GString *text, GError **error)
{
        tn_autofd int fd = openat(dir_fd, TN_JOURNAL_NAME, O_RDONLY | O_CLOEXEC);
        char buffer[8192];
        ssize_t n;

        if (fd < 0)
                return tn_error_errno(error, errno, "open the journal");
        while ((n = read(fd, buffer, sizeof buffer)) > 0) {
                g_string_append_len(text, buffer, n);
                if (text->len > JOURNAL_MAX)
                        return tn_error_set(error, TN_ERROR_LIMIT, "the journal is larger than %d bytes",
                                            JOURNAL_MAX);
        }
        return n == 0 || tn_error_errno(error, errno, "read the journal");
}

json_t *tn_journal_read(int dir_fd, GError **error)
{
        g_autoptr(GString) text = g_string_new(NULL);
        json_t *records;
        const char *at, *end;

        if (!read_text(dir_fd, text, error))
                return NULL;
        records = json_array();
        for (at = text->str; (end = strchr(at, '\n')); at = end + 1) {
                json_t *record = json_loadb(at, (size_t) (end - at), JSON_REJECT_DUPLICATES, NULL);

                if (!json_is_object(record)) {
                        json_decref(record);
                        break;
                }
                json_array_append_new(records, record);
        }
        return records;
}
