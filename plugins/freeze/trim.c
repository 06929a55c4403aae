/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * Trimming. A large disk may take many minutes, in which the call is in the kernel; so a child does it and
 * writes its results to memory that is shared with the agent. Texts of the results are qemu-ga's.
 */
#define _GNU_SOURCE
#include "plugins/freeze/trim.h"

#include <errno.h>
#include <glib-unix.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/error.h"
#include "lib/fd.h"
#include "lib/json.h"
#include "plugins/freeze/board.h"
#include "plugins/freeze/kernel.h"
#include "plugins/freeze/plan.h"
#include "plugins/freeze/process.h"
#include "plugins/freeze/worker.h"

/* Shared with the child, which alone writes it. */
struct results {
        _Atomic unsigned done;
        struct {
                int open_error, error;
                uint64_t trimmed, minimum;
        } rows[FREEZE_ITEMS_MAX];
};

struct freeze_trim {
        struct tenon_host *host;
        struct tenon_call *call; /* NULL: nothing under way */
        struct freeze_board *board;
        struct results *results;
        pid_t pid;
        int pid_fd, wake_fd;
        guint pid_source, wake_source;
};

static _Noreturn void run_child(const struct freeze_trim *trim, uint64_t minimum)
{
        const struct freeze_kernel *kernel = freeze_kernel_get();

        for (unsigned i = 0; i < trim->board->n_items; i++) {
                const char *name = freeze_board_name(trim->board, i);
                int fd = kernel->open(name, trim->board->items[i].device);

                trim->results->rows[i].minimum = minimum;
                trim->results->rows[i].open_error = fd < 0 ? -fd : 0;
                if (fd >= 0) {
                        trim->results->rows[i].error = -kernel->trim(
                                fd, name, &trim->results->rows[i].minimum, &trim->results->rows[i].trimmed);
                        (void) close(fd);
                }
                trim->results->done = i + 1;
                freeze_worker_poke(trim->wake_fd);
        }
        _exit(0);
}

static void publish(const struct freeze_trim *trim, const char *state)
{
        unsigned done = trim->results ? trim->results->done : 0;
        json_t *fact = json_pack("{s:s}", "state", state);
        uint64_t bytes = 0;

        for (unsigned i = 0; i < done; i++)
                bytes += trim->results->rows[i].trimmed;
        if (trim->board) {
                json_object_set_new(fact, "done", json_integer(done));
                json_object_set_new(fact, "of", json_integer(trim->board->n_items));
                json_object_set_new(fact, "trimmed", json_integer((json_int_t) bytes));
                if (done < trim->board->n_items)
                        json_object_set_new(fact, "mountpoint",
                                            tn_json_text(freeze_board_name(trim->board, done)));
        }
        trim->host->fact_set(trim->host, "trim", fact);
}

static char *row_error(const struct freeze_trim *trim, unsigned i)
{
        int error = trim->results->rows[i].error, open_error = trim->results->rows[i].open_error;

        if (i >= trim->results->done)
                return g_strdup("failed to trim: ended from outside");
        if (open_error)
                return g_strdup_printf("failed to open: %s", g_strerror(open_error));
        if (error == ENOTTY || error == EOPNOTSUPP)
                return g_strdup("trim not supported");
        return error ? g_strdup_printf("failed to trim: %s", g_strerror(error)) : NULL;
}

static json_t *reply_new(const struct freeze_trim *trim)
{
        json_t *paths = json_array();

        for (unsigned i = 0; i < trim->board->n_items; i++) {
                g_autofree char *error = row_error(trim, i);
                json_t *row = json_object();

                json_object_set_new(row, "path", tn_json_text(freeze_board_name(trim->board, i)));
                if (error) {
                        json_object_set_new(row, "error", json_string(error));
                } else {
                        json_object_set_new(row, "trimmed",
                                            json_integer((json_int_t) trim->results->rows[i].trimmed));
                        json_object_set_new(row, "minimum",
                                            json_integer((json_int_t) trim->results->rows[i].minimum));
                }
                json_array_append_new(paths, row);
        }
        return json_pack("{s:o}", "paths", paths);
}

static void forget(struct freeze_trim *trim)
{
        g_clear_handle_id(&trim->pid_source, g_source_remove);
        g_clear_handle_id(&trim->wake_source, g_source_remove);
        tn_fd_close(&trim->pid_fd);
        tn_fd_close(&trim->wake_fd);
        if (trim->results)
                (void) munmap(trim->results, sizeof *trim->results);
        trim->results = NULL;
        g_clear_pointer(&trim->board, freeze_board_free);
        trim->pid = 0;
        trim->call = NULL;
}

static gboolean on_progress(int fd, GIOCondition condition, void *data)
{
        struct freeze_trim *trim = data;
        uint64_t pokes;

        (void) condition;
        if (read(fd, &pokes, sizeof pokes) == sizeof pokes)
                publish(trim, "running");
        return G_SOURCE_CONTINUE;
}

static gboolean on_ended(int fd, GIOCondition condition, void *data)
{
        struct freeze_trim *trim = data;
        struct tenon_call *call = trim->call;
        json_t *reply = reply_new(trim);

        (void) fd;
        (void) condition;
        (void) waitpid(trim->pid, NULL, WNOHANG);
        trim->pid_source = 0;
        publish(trim, "done");
        forget(trim);
        trim->host->reply(call, reply);
        return G_SOURCE_REMOVE;
}

static bool fill(struct freeze_trim *trim, GError **error)
{
        g_autoptr(freeze_plan_t) plan = freeze_plan_new(trim->host->env, NULL, NULL, error);

        trim->board = plan ? freeze_board_new(error) : NULL;
        if (!trim->board || !freeze_plan_fill(plan->all, trim->board, error))
                return false;
        trim->results = mmap(NULL, sizeof *trim->results, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
                             -1, 0);
        if (trim->results != MAP_FAILED)
                return true;
        trim->results = NULL;
        return tn_error_errno(error, errno, "memory for trimming");
}

static bool start_child(struct freeze_trim *trim, uint64_t minimum, GError **error)
{
        trim->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        if (trim->wake_fd < 0)
                return tn_error_errno(error, errno, "eventfd");
        trim->pid = freeze_process_fork("tn-trim", SIGKILL, &trim->wake_fd, 1);
        if (trim->pid == 0)
                run_child(trim, minimum);
        if (trim->pid < 0)
                return tn_error_errno(error, errno, "start a process for trimming");
        trim->pid_fd = freeze_process_watch(trim->pid);
        if (trim->pid_fd >= 0)
                return true;
        (void) tn_error_errno(error, errno, "watch the process that trims");
        (void) kill(trim->pid, SIGKILL);
        (void) waitpid(trim->pid, NULL, 0);
        return false;
}

void freeze_trim_start(struct freeze_trim *trim, struct tenon_call *call, uint64_t minimum)
{
        GError *error = NULL;

        if (trim->call) {
                trim->host->fail(call, g_error_new(TN_ERROR, TN_ERROR_BUSY,
                                                   "file systems are being trimmed already; see the fact "
                                                   "'trim' of tenon-get-status"));
                return;
        }
        if (!fill(trim, &error) || !start_child(trim, minimum, &error)) {
                forget(trim);
                trim->host->fail(call, error);
                return;
        }
        trim->call = call;
        trim->pid_source = g_unix_fd_add(trim->pid_fd, G_IO_IN, on_ended, trim);
        trim->wake_source = g_unix_fd_add(trim->wake_fd, G_IO_IN, on_progress, trim);
        publish(trim, "running");
}

struct freeze_trim *freeze_trim_new(struct tenon_host *host)
{
        struct freeze_trim *trim = g_new0(struct freeze_trim, 1);

        trim->host = host;
        trim->pid_fd = trim->wake_fd = -1;
        publish(trim, "idle");
        return trim;
}

void freeze_trim_free(struct freeze_trim *trim)
{
        if (!trim)
                return;
        if (trim->call) {
                (void) kill(trim->pid, SIGKILL); /* reaped by whoever adopts it, should the kernel hold it */
                (void) waitpid(trim->pid, NULL, WNOHANG);
                trim->host->fail(trim->call,
                                 g_error_new(TN_ERROR, TN_ERROR_FAILED, "the agent is stopping"));
        }
        forget(trim);
        g_free(trim);
}
