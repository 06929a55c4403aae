/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * The table of open files. The surprising thing: a handle has a queue. The reply to a large read is made
 * while it is sent, and until its end the file's position belongs to that read; a close, a seek or a read of
 * another connection that comes meanwhile waits. They go on from an idle source, because a stream may end
 * anywhere, also within the dispatcher.
 */
#include <errno.h>
#include <unistd.h>

#include "lib/error.h"
#include "plugins/files/files.h"

struct tn_files_handles {
        struct tenon_host *host;
        GHashTable *table; /* int64_t, the number → struct tn_files_handle */
};

struct task {
        struct tenon_call *call;
        json_t *args; /* lives as long as the call */
        tn_files_task run;
};

static GError *not_found(int64_t number)
{
        return g_error_new(TN_ERROR, TN_ERROR_NOT_FOUND, "handle '%" G_GINT64_FORMAT "' has not been found",
                           number);
}

/* Fails what waits. @error is taken over. */
static void fail_waiting(struct tn_files_handle *handle, GError *error)
{
        struct tenon_host *host = handle->handles->host;
        g_autoptr(GError) owned = error;
        struct task *task;

        while ((task = g_queue_pop_head(&handle->waiting))) {
                host->fail(task->call, g_error_copy(owned));
                g_free(task);
        }
}

static void handle_free(void *data)
{
        struct tn_files_handle *handle = data;

        g_clear_handle_id(&handle->source, g_source_remove);
        if (handle->fd >= 0)
                close(handle->fd);
        g_free(handle);
}

struct tn_files_handles *tn_files_handles_new(struct tenon_host *host)
{
        struct tn_files_handles *handles = g_new0(struct tn_files_handles, 1);

        handles->host = host;
        handles->table = g_hash_table_new_full(g_int64_hash, g_int64_equal, NULL, handle_free);
        return handles;
}

void tn_files_handles_free(struct tn_files_handles *handles)
{
        struct tn_files_handle *handle;
        GHashTableIter iter;

        if (!handles)
                return;
        g_hash_table_iter_init(&iter, handles->table);
        while (g_hash_table_iter_next(&iter, NULL, (void **) &handle))
                fail_waiting(handle, g_error_new(TN_ERROR, TN_ERROR_FAILED, "the agent is stopping"));
        g_hash_table_unref(handles->table);
        g_free(handles);
}

guint tn_files_handles_count(const struct tn_files_handles *handles)
{
        return g_hash_table_size(handles->table);
}

void tn_files_handles_add(struct tn_files_handles *handles, int64_t number, int fd)
{
        struct tn_files_handle *handle = g_new0(struct tn_files_handle, 1);

        handle->number = number;
        handle->fd = fd;
        handle->handles = handles;
        g_queue_init(&handle->waiting);
        g_hash_table_insert(handles->table, &handle->number, handle);
}

bool tn_files_handles_close(struct tn_files_handle *handle, GError **error)
{
        struct tn_files_handles *handles = handle->handles;
        int r = close(handle->fd), errnum = errno;

        handle->fd = -1;
        fail_waiting(handle, not_found(handle->number));
        g_hash_table_remove(handles->table, &handle->number);
        return r == 0 || tn_error_errno(error, errnum, "failed to close handle");
}

static void go_on(struct tn_files_handle *handle);

static gboolean on_turn(void *data)
{
        struct tn_files_handle *handle = data;
        struct tn_files_handles *handles = handle->handles;
        g_autofree struct task *task = g_queue_pop_head(&handle->waiting);
        int64_t number = handle->number;

        handle->source = 0;
        task->run(handles->host, task->call, handle, task->args);
        handle = g_hash_table_lookup(handles->table, &number); /* it may have been a close */
        if (handle)
                go_on(handle);
        return G_SOURCE_REMOVE;
}

static void go_on(struct tn_files_handle *handle)
{
        if (!handle->busy && !handle->source && !g_queue_is_empty(&handle->waiting))
                handle->source = g_idle_add_full(G_PRIORITY_DEFAULT, on_turn, handle, NULL);
}

void tn_files_handle_hold(struct tn_files_handle *handle)
{
        handle->busy = true;
}

void tn_files_handle_release(struct tn_files_handle *handle)
{
        handle->busy = false;
        go_on(handle);
}

void tn_files_handles_run(struct tn_files_handles *handles, struct tenon_call *call, json_t *args,
                          tn_files_task task)
{
        int64_t number = json_integer_value(json_object_get(args, "handle"));
        struct tn_files_handle *handle = g_hash_table_lookup(handles->table, &number);

        if (!handle) {
                handles->host->fail(call, not_found(number));
        } else if (!handle->busy && g_queue_is_empty(&handle->waiting)) {
                task(handles->host, call, handle, args);
        } else {
                struct task *later = g_new0(struct task, 1);

                *later = (struct task){.call = call, .args = args, .run = task};
                g_queue_push_tail(&handle->waiting, later);
        }
}
