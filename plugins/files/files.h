/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* What the files of this plugin share. */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "tenon/plugin.h"

/* mode.c */

/* One of fopen(3)'s modes. */
struct tn_files_mode {
        const char *name;
        int flags; /* of open(2) */
};

/* NULL when there is no such mode. NULL as @name is the default, "r". */
const struct tn_files_mode *tn_files_mode_find(const char *name);

/* open.c */

/* A file descriptor that never blocks, or -1 with @error. With @nofollow no part of the path may be a
 * symbolic link. A new file may be read and written by everybody (0666), whatever the umask is. */
int tn_files_open(const struct tn_env *env, const char *path, const char *mode, bool nofollow,
                  GError **error);

/* numbers.c */

struct tn_files_numbers;

/* Handle numbers that go on where the file qga.state below @statedir (NULL: nothing is kept) ends. */
struct tn_files_numbers *tn_files_numbers_new(struct tenon_host *host, const char *statedir);
/* Gives back what was reserved and not used. NULL is fine. */
void tn_files_numbers_free(struct tn_files_numbers *numbers);
int64_t tn_files_numbers_next(struct tn_files_numbers *numbers);

/* content.c: the reply, or NULL with @error. */

json_t *tn_files_read(int fd, size_t count, GError **error);
/* Writes the first @count bytes of what @text is the base64 of; all of them when it is negative. */
json_t *tn_files_write(int fd, const char *text, size_t len, int64_t count, GError **error);
json_t *tn_files_seek(int fd, int64_t offset, json_t *whence, GError **error);

/* sync.c */

struct tn_files_sync;
/* @errnum is 0 when the data is on the disk. */
typedef void (*tn_files_sync_done)(struct tn_files_sync *sync, int errnum, void *data);

/* fdatasync() in a child process. @done runs once, from the loop, and frees nothing. */
struct tn_files_sync *tn_files_sync_start(int fd, tn_files_sync_done done, void *data, GError **error);
/* Also while it is under way: then @done is not called. */
void tn_files_sync_free(struct tn_files_sync *sync);
