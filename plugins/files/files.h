/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* What the files of this plugin share. */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "tenon/plugin.h"

/* opener.c */

struct tn_files_opener;
/* @fd is the receiver's from now on; -1 with @error. */
typedef void (*tn_files_opened)(int fd, const GError *error, void *data);

/* Opens files outside of the agent's sandbox by the program @helper. */
struct tn_files_opener *tn_files_opener_new(const struct tn_env *env, const char *helper);
/* Opens under way end with an error. NULL is fine. Not from within a callback. */
void tn_files_opener_free(struct tn_files_opener *opener);
/* One after another. @opened is called exactly once, from the loop. */
void tn_files_opener_open(struct tn_files_opener *opener, const char *path, const char *mode, bool nofollow,
                          tn_files_opened opened, void *data);
/* Written by tests only. */
extern struct tn_files_opener_times {
        unsigned open_ms; /* for one open, with the start of the helper */
        unsigned idle_ms; /* the helper is kept that long after an open */
        unsigned life_ms; /* and no longer than this in all */
} tn_files_opener_times;

/* numbers.c */

struct tn_files_numbers;

/* Handle numbers that go on where the file qga.state below @statedir (NULL: nothing is kept) ends. */
struct tn_files_numbers *tn_files_numbers_new(struct tenon_host *host, const char *statedir);
/* Gives back what was reserved and not used. NULL is fine. */
void tn_files_numbers_free(struct tn_files_numbers *numbers);
int64_t tn_files_numbers_next(struct tn_files_numbers *numbers);

/* handles.c */

/* An open file. What is asked of it is done in the order in which it was asked, whoever asks: while the
 * reply to a read is still being made, what comes next waits. */
struct tn_files_handle {
        int64_t number;
        int fd;
        bool busy;      /* a reply is being made of it */
        GQueue waiting; /* struct task */
        guint source;   /* idle: go on with what waits */
        struct tn_files_handles *handles;
};

struct tn_files_handles;
/* Does what @call asks of @handle and ends it. */
typedef void (*tn_files_task)(struct tenon_host *host, struct tenon_call *call,
                              struct tn_files_handle *handle, json_t *args);

struct tn_files_handles *tn_files_handles_new(struct tenon_host *host);
/* Closes all; what waits fails. NULL is fine. */
void tn_files_handles_free(struct tn_files_handles *handles);
guint tn_files_handles_count(const struct tn_files_handles *handles);
/* Takes over @fd. */
void tn_files_handles_add(struct tn_files_handles *handles, int64_t number, int fd);
/* Closes it and fails what waits for it. False with @error when closing failed: it is gone all the same. */
bool tn_files_handles_close(struct tn_files_handle *handle, GError **error);
/* Runs @task on the handle that @args name, now or when it is its turn; fails @call when there is none. */
void tn_files_handles_run(struct tn_files_handles *handles, struct tenon_call *call, json_t *args,
                          tn_files_task task);
/* From now on what is asked of it waits, until released. */
void tn_files_handle_hold(struct tn_files_handle *handle);
void tn_files_handle_release(struct tn_files_handle *handle);

/* read.c */

/* Replies to @call, with a stream when it is much. */
void tn_files_read(struct tenon_host *host, struct tenon_call *call, struct tn_files_handle *handle,
                   size_t count);

/* content.c: the reply, or NULL with @error. */

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
