/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * Handle numbers that are never given out twice, also not after a restart: a host that still has an old
 * one gets an error, not somebody else's file. The file is qemu-ga's (qga.state, [global] fd_counter), so
 * its count is carried over; but numbers are reserved in blocks, so that it is not written for each open.
 * What cannot be read or written is only logged.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/env.h"
#include "lib/error.h"
#include "lib/fd.h"
#include "plugins/files/files.h"

#define FIRST_NUMBER 1000
#define LAST_NUMBER  (INT64_MAX - 2 * BLOCK)
#define BLOCK        1000
#define STATE_FILE   "qga.state"
#define STATE_NEW    STATE_FILE ".new"
#define GROUP        "global"
#define KEY          "fd_counter"

struct tn_files_numbers {
        struct tenon_host *host;
        char *statedir; /* relative to the root; NULL: nothing is kept */
        GKeyFile *state;
        int64_t next;
        int64_t reserved; /* below this, numbers may be given out */
};

static void load(struct tn_files_numbers *numbers)
{
        g_autofree char *path = g_build_filename(numbers->statedir, STATE_FILE, NULL);
        g_autofree char *text = NULL;
        g_autoptr(GError) error = NULL;
        size_t len;
        int64_t next = 0;

        if (!tn_env_read(numbers->host->env, path, &text, &len, &error)) {
                if (!g_error_matches(error, TN_ERROR, TN_ERROR_NOT_FOUND))
                        numbers->host->log(numbers->host, 4, "%s; handle numbers begin at %d",
                                           error->message, FIRST_NUMBER);
                return;
        }
        if (g_key_file_load_from_data(numbers->state, text, len, G_KEY_FILE_NONE, &error))
                next = g_key_file_get_int64(numbers->state, GROUP, KEY, &error);
        if (error || next < FIRST_NUMBER || next > LAST_NUMBER)
                numbers->host->log(numbers->host, 4, "/%s has no handle number (%s); they begin at %d", path,
                                   error ? error->message : "out of range", FIRST_NUMBER);
        else
                numbers->next = next;
}

static bool write_new(int dir, const char *text, size_t len, GError **error)
{
        tn_autofd int fd = openat(dir, STATE_NEW, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC,
                                  0600);

        if (fd < 0)
                return tn_error_errno(error, errno, "create " STATE_NEW);
        if (write(fd, text, len) != (ssize_t) len)
                return tn_error_errno(error, errno ? errno : ENOSPC, "write " STATE_NEW);
        if (renameat(dir, STATE_NEW, dir, STATE_FILE) < 0)
                return tn_error_errno(error, errno, "rename " STATE_NEW);
        return true;
}

static void store(struct tn_files_numbers *numbers, int64_t next)
{
        tn_autofd int dir = -1;
        g_autofree char *text = NULL;
        g_autoptr(GError) error = NULL;
        size_t len;

        numbers->reserved = next;
        if (!numbers->statedir)
                return;
        g_key_file_set_int64(numbers->state, GROUP, KEY, next);
        text = g_key_file_to_data(numbers->state, &len, NULL);
        dir = tn_env_open(numbers->host->env, numbers->statedir, O_RDONLY | O_DIRECTORY, &error);
        errno = 0;
        if (dir >= 0 && write_new(dir, text, len, &error))
                return;
        numbers->host->log(numbers->host, 4, "handle numbers are not kept in /%s: %s", numbers->statedir,
                           error->message);
}

struct tn_files_numbers *tn_files_numbers_new(struct tenon_host *host, const char *statedir)
{
        struct tn_files_numbers *numbers = g_new0(struct tn_files_numbers, 1);

        numbers->host = host;
        numbers->state = g_key_file_new();
        numbers->next = FIRST_NUMBER;
        if (statedir) {
                numbers->statedir = g_strdup(statedir + strspn(statedir, "/"));
                load(numbers);
        }
        numbers->reserved = numbers->next;
        return numbers;
}

void tn_files_numbers_free(struct tn_files_numbers *numbers)
{
        if (!numbers)
                return;
        if (numbers->reserved > numbers->next)
                store(numbers, numbers->next);
        g_key_file_unref(numbers->state);
        g_free(numbers->statedir);
        g_free(numbers);
}

int64_t tn_files_numbers_next(struct tn_files_numbers *numbers)
{
        if (numbers->next >= numbers->reserved)
                store(numbers, numbers->next + BLOCK);
        return numbers->next++;
}
