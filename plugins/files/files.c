/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * The commands guest-file-*. There is no buffering: what a write took is visible at once. What is asked of a
 * handle is done in its turn (handles.c).
 */
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/error.h"
#include "lib/file-open.h"
#include "lib/names.h"
#include "lib/outside.h"
#include "plugins/files/files.h"

#define READ_DEFAULT 4096
#define READ_MAX     (48 * 1024 * 1024)

struct files {
        struct tn_files_numbers *numbers;
        struct tn_files_handles *handles;
        struct tn_files_opener *opener; /* NULL: they are opened here */
        guint opening;                  /* how many are on their way */
        GPtrArray *flushes;             /* struct flush under way */
};

struct opening {
        struct tenon_host *host;
        struct tenon_call *call;
        const char *path, *mode; /* the call's */
};

struct flush {
        struct tenon_host *host;
        struct tenon_call *call;
        struct tn_files_sync *sync;
};

static bool invalid_count(int64_t count, GError **error)
{
        return tn_error_set(error, TN_ERROR_INVALID,
                            "value '%" G_GINT64_FORMAT "' is invalid for argument count", count);
}

static bool text_argument(json_t *args, const char *name, const char **ret, GError **error)
{
        json_t *value = json_object_get(args, name);

        *ret = json_string_value(value);
        if (*ret && strlen(*ret) != json_string_length(value))
                return tn_error_set(error, TN_ERROR_INVALID, "Parameter '%s' has a NUL in it", name);
        return true;
}

static bool check_room(struct tenon_host *host, GError **error)
{
        struct files *files = host->data;
        const char *text = host->config(host, "files", "max-handles");
        unsigned max = text ? (unsigned) g_ascii_strtoull(text, NULL, 10) : 64;
        unsigned open = tn_files_handles_count(files->handles) + files->opening;

        if (open < max)
                return true;
        return tn_error_set(
                error, TN_ERROR_LIMIT,
                "%u files are open; close one first (the limit is max-handles in the group [files] "
                "of the configuration)",
                open);
}

static void keep(struct opening *opening, int fd)
{
        struct tenon_host *host = opening->host;
        struct files *files = host->data;
        int64_t number = tn_files_numbers_next(files->numbers);

        tn_files_handles_add(files->handles, number, fd);
        host->log(host, 6, "file %s opened (mode %s) as handle %" G_GINT64_FORMAT, opening->path,
                  opening->mode ? opening->mode : "r", number);
        host->reply(opening->call, json_integer(number));
}

/* A handle of which nobody learns could never be closed. */
static void on_opened(int fd, const GError *error, void *data)
{
        g_autofree struct opening *opening = data;
        struct tenon_host *host = opening->host;
        struct files *files = host->data;

        files->opening--;
        if (error) {
                host->fail(opening->call, g_error_copy(error));
        } else if (host->is_awaited(opening->call)) {
                keep(opening, fd);
        } else {
                close(fd);
                host->fail(opening->call, g_error_new(TN_ERROR, TN_ERROR_FAILED, "nobody waits any more"));
        }
}

static bool is_outside(const struct files *files, const char *path, const char *mode)
{
        /* What cannot be opened anywhere need not be carried outside. */
        return files->opener && tn_file_mode_find(mode) && strlen(path) < PATH_MAX;
}

static void open_start(struct tenon_host *host, struct tenon_call *call, json_t *args)
{
        struct files *files = host->data;
        struct opening opening = {.host = host, .call = call}, *kept;
        bool nofollow = json_is_true(json_object_get(args, "nofollow"));
        GError *error = NULL;
        int fd;

        if (!text_argument(args, "path", &opening.path, &error) ||
            !text_argument(args, "mode", &opening.mode, &error) || !check_room(host, &error)) {
                host->fail(call, error);
                return;
        }
        files->opening++;
        kept = g_memdup2(&opening, sizeof opening);
        if (is_outside(files, opening.path, opening.mode)) {
                tn_files_opener_open(files->opener, opening.path, opening.mode, nofollow, on_opened, kept);
                return;
        }
        fd = tn_file_open(host->env, opening.path, opening.mode, nofollow, &error);
        on_opened(fd, error, kept);
        g_clear_error(&error);
}

/* Ends a call with what a function returned: a value, or NULL with @error. */
static void answer(struct tenon_host *host, struct tenon_call *call, json_t *value, GError *error)
{
        if (value)
                host->reply(call, value);
        else
                host->fail(call, error);
}

static void close_task(struct tenon_host *host, struct tenon_call *call, struct tn_files_handle *handle,
                       json_t *args)
{
        GError *error = NULL;
        bool closed = tn_files_handles_close(handle, &error);

        (void) args;
        answer(host, call, closed ? json_object() : NULL, error);
}

static void read_task(struct tenon_host *host, struct tenon_call *call, struct tn_files_handle *handle,
                      json_t *args)
{
        json_t *count_arg = json_object_get(args, "count");
        int64_t count = count_arg ? json_integer_value(count_arg) : READ_DEFAULT;
        GError *error = NULL;

        if (count >= 0 && count <= READ_MAX) {
                tn_files_read(host, call, handle, (size_t) count);
        } else {
                (void) invalid_count(count, &error);
                host->fail(call, error);
        }
}

static void write_task(struct tenon_host *host, struct tenon_call *call, struct tn_files_handle *handle,
                       json_t *args)
{
        json_t *text = json_object_get(args, "buf-b64"), *count_arg = json_object_get(args, "count");
        int64_t count = json_integer_value(count_arg);
        GError *error = NULL;
        json_t *reply = NULL;

        if (count >= 0)
                reply = tn_files_write(handle->fd, json_string_value(text), json_string_length(text),
                                       count_arg ? count : -1, &error);
        else
                (void) invalid_count(count, &error);
        answer(host, call, reply, error);
}

static void seek_task(struct tenon_host *host, struct tenon_call *call, struct tn_files_handle *handle,
                      json_t *args)
{
        int64_t offset = json_integer_value(json_object_get(args, "offset"));
        GError *error = NULL;
        json_t *reply = tn_files_seek(handle->fd, offset, json_object_get(args, "whence"), &error);

        answer(host, call, reply, error);
}

static void on_synced(struct tn_files_sync *sync, int errnum, void *data)
{
        struct flush *flush = data;
        struct files *files = flush->host->data;
        GError *error = NULL;

        if (errnum) {
                (void) tn_error_errno(&error, errnum, "failed to flush file");
                flush->host->fail(flush->call, error);
        } else {
                flush->host->reply(flush->call, NULL);
        }
        tn_files_sync_free(sync);
        g_ptr_array_remove_fast(files->flushes, flush);
}

/* Pipes and terminals have nothing that could be written to a disk. */
static bool has_storage(int fd)
{
        struct stat st;

        return fstat(fd, &st) == 0 && (S_ISREG(st.st_mode) || S_ISBLK(st.st_mode));
}

static void flush_task(struct tenon_host *host, struct tenon_call *call, struct tn_files_handle *handle,
                       json_t *args)
{
        struct files *files = host->data;
        GError *error = NULL;
        struct flush *flush;

        (void) args;
        if (!has_storage(handle->fd)) {
                host->reply(call, NULL);
                return;
        }
        flush = g_new0(struct flush, 1);
        flush->host = host;
        flush->call = call;
        flush->sync = tn_files_sync_start(handle->fd, on_synced, flush, &error);
        if (flush->sync) {
                g_ptr_array_add(files->flushes, flush);
        } else {
                g_free(flush);
                host->fail(call, error);
        }
}

#define HANDLE_COMMAND(verb)                                                                                \
        static void verb##_start(struct tenon_host *host, struct tenon_call *call, json_t *args)            \
        {                                                                                                   \
                tn_files_handles_run(((struct files *) host->data)->handles, call, args, verb##_task);      \
        }
HANDLE_COMMAND(close)
HANDLE_COMMAND(read)
HANDLE_COMMAND(write)
HANDLE_COMMAND(seek)
HANDLE_COMMAND(flush)

static bool plugin_start(struct tenon_host *host, GError **error)
{
        const char *helper = host->config(host, "files", "helper");
        struct files *files = g_new0(struct files, 1);

        (void) error;
        files->numbers = tn_files_numbers_new(host, host->config(host, "agent", "statedir"));
        files->handles = tn_files_handles_new(host);
        if (tn_outside_is_other(host->env))
                files->opener = tn_files_opener_new(host->env, helper ? helper : TN_PATH_FILES_HELPER);
        files->flushes = g_ptr_array_new_with_free_func(g_free);
        host->data = files;
        return true;
}

static void plugin_stop(struct tenon_host *host)
{
        struct files *files = host->data;

        for (guint i = 0; i < files->flushes->len; i++) {
                struct flush *flush = g_ptr_array_index(files->flushes, i);

                host->fail(flush->call, g_error_new(TN_ERROR, TN_ERROR_FAILED, "the agent is stopping"));
                tn_files_sync_free(flush->sync);
        }
        g_ptr_array_unref(files->flushes);
        tn_files_opener_free(files->opener);
        tn_files_handles_free(files->handles);
        tn_files_numbers_free(files->numbers);
        g_free(files);
        host->data = NULL;
}

static const struct tenon_command commands[] = {
        {.name = "guest-file-open",
         .args = "path:str,mode:str?,nofollow:bool?",
         .summary = "Open a file; with nofollow, no part of its path may be a symbolic link",
         .category = TENON_CATEGORY_FILES,
         .flags = TENON_COMMAND_CHANGES, /* most of its modes do */
         .start = open_start},
        {.name = "guest-file-close",
         .args = "handle:int",
         .summary = "Close an open file",
         .category = TENON_CATEGORY_FILES,
         .start = close_start},
        {.name = "guest-file-read",
         .args = "handle:int,count:int?",
         .summary = "Read up to 48 MiB of an open file as base64",
         .category = TENON_CATEGORY_FILES,
         .start = read_start},
        {.name = "guest-file-write",
         .args = "handle:int,buf-b64:str,count:int?",
         .summary = "Write base64 data to an open file, visible at once",
         .category = TENON_CATEGORY_FILES,
         .flags = TENON_COMMAND_CHANGES,
         .start = write_start},
        {.name = "guest-file-seek",
         .args = "handle:int,offset:int,whence:<int|str>",
         .summary = "Move in an open file; also to the next data or hole of a sparse one",
         .category = TENON_CATEGORY_FILES,
         .start = seek_start},
        {.name = "guest-file-flush",
         .args = "handle:int",
         .summary = "Wait until what was written is on the disk",
         .category = TENON_CATEGORY_FILES,
         .flags = TENON_COMMAND_CHANGES,
         .start = flush_start},
        {.name = NULL},
};

const struct tenon_plugin tenon_plugin = {
        .abi = TENON_PLUGIN_ABI,
        .name = "files",
        .summary = "Reading and writing of files by the host",
        .start = plugin_start,
        .stop = plugin_stop,
        .commands = commands,
};
