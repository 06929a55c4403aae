/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * The commands guest-file-*: handles, and what is done with them. There is no buffering: what a write took
 * is visible at once. Deferred are only flushes, see sync.c.
 */
#include <malloc.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/error.h"
#include "plugins/files/files.h"

#define READ_DEFAULT 4096
#define READ_MAX     (48 * 1024 * 1024)
#define TRIM_BYTES   (1024 * 1024) /* after a read of this size memory is given back to the system */
#define TRIM_MS      1000

struct files {
        struct tn_files_numbers *numbers;
        GHashTable *handles; /* int64_t → file descriptor, as pointers to either */
        GPtrArray *flushes;  /* struct flush under way */
        guint trim_source;
};

struct flush {
        struct tenon_host *host;
        struct tenon_call *call;
        struct tn_files_sync *sync;
};

static void close_fd(void *fd)
{
        if (*(int *) fd >= 0)
                close(*(int *) fd);
        g_free(fd);
}

static bool invalid_count(int64_t count, GError **error)
{
        return tn_error_set(error, TN_ERROR_INVALID,
                            "value '%" G_GINT64_FORMAT "' is invalid for argument count", count);
}

static int *find_handle(struct tenon_host *host, json_t *args, GError **error)
{
        struct files *files = host->data;
        int64_t number = json_integer_value(json_object_get(args, "handle"));
        int *fd = g_hash_table_lookup(files->handles, &number);

        if (!fd)
                (void) tn_error_set(error, TN_ERROR_NOT_FOUND,
                                    "handle '%" G_GINT64_FORMAT "' has not been found", number);
        return fd;
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

        if (g_hash_table_size(files->handles) < max)
                return true;
        return tn_error_set(
                error, TN_ERROR_LIMIT,
                "%u files are open; close one first (the limit is max-handles in the group [files] "
                "of the configuration)",
                g_hash_table_size(files->handles));
}

static json_t *open_run(struct tenon_host *host, json_t *args, GError **error)
{
        struct files *files = host->data;
        const char *path, *mode;
        bool nofollow = json_is_true(json_object_get(args, "nofollow"));
        int64_t number;
        int fd;

        if (!text_argument(args, "path", &path, error) || !text_argument(args, "mode", &mode, error) ||
            !check_room(host, error))
                return NULL;
        fd = tn_files_open(host->env, path, mode, nofollow, error);
        if (fd < 0)
                return NULL;
        number = tn_files_numbers_next(files->numbers);
        g_hash_table_insert(files->handles, g_memdup2(&number, sizeof number), g_memdup2(&fd, sizeof fd));
        host->log(host, 6, "file %s opened (mode %s) as handle %" G_GINT64_FORMAT, path, mode ? mode : "r",
                  number);
        return json_integer(number);
}

static json_t *close_run(struct tenon_host *host, json_t *args, GError **error)
{
        struct files *files = host->data;
        int64_t number = json_integer_value(json_object_get(args, "handle"));
        int *fd = find_handle(host, args, error);
        int r;

        if (!fd)
                return NULL;
        r = close(*fd);
        *fd = -1;
        g_hash_table_remove(files->handles, &number);
        if (r < 0) {
                (void) tn_error_errno(error, errno, "failed to close handle");
                return NULL;
        }
        return json_object();
}

static gboolean on_trim(void *data)
{
        struct files *files = data;

        files->trim_source = 0;
        (void) malloc_trim(0);
        return G_SOURCE_REMOVE;
}

static json_t *read_run(struct tenon_host *host, json_t *args, GError **error)
{
        struct files *files = host->data;
        int *fd = find_handle(host, args, error);
        json_t *count_arg = json_object_get(args, "count");
        int64_t count = count_arg ? json_integer_value(count_arg) : READ_DEFAULT;

        if (!fd)
                return NULL;
        if (count < 0 || count > READ_MAX) {
                (void) invalid_count(count, error);
                return NULL;
        }
        /* Later: now the reply is still to be made and sent. */
        if (count >= TRIM_BYTES && !files->trim_source)
                files->trim_source = g_timeout_add(TRIM_MS, on_trim, files);
        return tn_files_read(*fd, (size_t) count, error);
}

static json_t *write_run(struct tenon_host *host, json_t *args, GError **error)
{
        int *fd = find_handle(host, args, error);
        json_t *text = json_object_get(args, "buf-b64"), *count_arg = json_object_get(args, "count");
        int64_t count = json_integer_value(count_arg);

        if (!fd)
                return NULL;
        if (count < 0) {
                (void) invalid_count(count, error);
                return NULL;
        }
        return tn_files_write(*fd, json_string_value(text), json_string_length(text), count_arg ? count : -1,
                              error);
}

static json_t *seek_run(struct tenon_host *host, json_t *args, GError **error)
{
        int *fd = find_handle(host, args, error);

        return fd ? tn_files_seek(*fd, json_integer_value(json_object_get(args, "offset")),
                                  json_object_get(args, "whence"), error)
                  : NULL;
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

static void flush_start(struct tenon_host *host, struct tenon_call *call, json_t *args)
{
        struct files *files = host->data;
        GError *error = NULL;
        int *fd = find_handle(host, args, &error);
        struct flush *flush;

        if (!fd) {
                host->fail(call, error);
                return;
        }
        if (!has_storage(*fd)) {
                host->reply(call, NULL);
                return;
        }
        flush = g_new0(struct flush, 1);
        flush->host = host;
        flush->call = call;
        flush->sync = tn_files_sync_start(*fd, on_synced, flush, &error);
        if (flush->sync) {
                g_ptr_array_add(files->flushes, flush);
        } else {
                g_free(flush);
                host->fail(call, error);
        }
}

static bool plugin_start(struct tenon_host *host, GError **error)
{
        struct files *files = g_new0(struct files, 1);

        (void) error;
        files->numbers = tn_files_numbers_new(host, host->config(host, "agent", "statedir"));
        files->handles = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, close_fd);
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
        g_clear_handle_id(&files->trim_source, g_source_remove);
        g_hash_table_unref(files->handles);
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
         .run = open_run},
        {.name = "guest-file-close",
         .args = "handle:int",
         .summary = "Close an open file",
         .category = TENON_CATEGORY_FILES,
         .run = close_run},
        {.name = "guest-file-read",
         .args = "handle:int,count:int?",
         .summary = "Read up to 48 MiB of an open file as base64",
         .category = TENON_CATEGORY_FILES,
         .run = read_run},
        {.name = "guest-file-write",
         .args = "handle:int,buf-b64:str,count:int?",
         .summary = "Write base64 data to an open file, visible at once",
         .category = TENON_CATEGORY_FILES,
         .flags = TENON_COMMAND_CHANGES,
         .run = write_run},
        {.name = "guest-file-seek",
         .args = "handle:int,offset:int,whence:<int|str>",
         .summary = "Move in an open file; also to the next data or hole of a sparse one",
         .category = TENON_CATEGORY_FILES,
         .run = seek_run},
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
