/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * A forked copy of this process that may hang. The surprising thing: not even SIGKILL ends a process that
 * waits for a dead drive or server, so after the deadline the copy is only given up on. It stays our child,
 * and keeps a second one from being started, until the kernel lets it go; and it has closed the channel to
 * the host, so that a restarted agent finds that free.
 */
#define _GNU_SOURCE
#include "lib/worker.h"

#include <errno.h>
#include <fcntl.h>
#include <glib-unix.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/error.h"
#include "lib/fd.h"

#define BYTES_MAX    (256 * 1024) /* of an answer; more is not read */
#define LAST_STEP_MS 20           /* from the end of an answer to the end of its process */

struct tn_worker {
        const struct tn_env *env;
        pid_t pid; /* 0: no copy */
        int pidfd, fd;
        guint read_source, deadline_source, exit_source;
        GByteArray *bytes;
        tn_worker_done done; /* NULL: the copy was given up on, or has said all */
        void *data;
        bool gave_up;
};

static void close_between(int first, unsigned last)
{
        if (first < 0 || (unsigned) first > last || syscall(SYS_close_range, first, last, 0) == 0)
                return;
        /* Linux before 5.9 */
        for (long fd = first, max = sysconf(_SC_OPEN_MAX); fd < max && fd <= (long) last; fd++)
                (void) close((int) fd);
}

static _Noreturn void be_copy(const struct tn_env *env, tn_worker_func func, const void *job, int fd,
                              pid_t parent)
{
        int low = MIN(fd, env->root_fd), high = MAX(fd, env->root_fd);

        (void) prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() != parent)
                _exit(1);
        (void) prctl(PR_SET_NAME, "tenond-ask");
        close_between(STDERR_FILENO + 1, (unsigned) low - 1);
        close_between(low + 1, (unsigned) high - 1);
        close_between(high + 1, ~0U);
        func(env, job, fd);
        _exit(0);
}

static bool reap(struct tn_worker *worker)
{
        if (worker->pid == 0)
                return true;
        if (waitpid(worker->pid, NULL, WNOHANG) == 0)
                return false;
        g_clear_handle_id(&worker->exit_source, g_source_remove);
        tn_fd_close(&worker->pidfd);
        worker->pid = 0;
        return true;
}

static gboolean on_exit_seen(int fd, GIOCondition condition, void *data)
{
        struct tn_worker *worker = data;

        (void) fd;
        (void) condition;
        worker->exit_source = 0;
        (void) reap(worker); /* cannot fail: it has ended */
        return G_SOURCE_REMOVE;
}

static void finish(struct tn_worker *worker)
{
        g_autoptr(GByteArray) bytes = g_steal_pointer(&worker->bytes);
        tn_worker_done done = worker->done;

        worker->done = NULL;
        g_clear_handle_id(&worker->read_source, g_source_remove);
        g_clear_handle_id(&worker->deadline_source, g_source_remove);
        tn_fd_close(&worker->fd);
        done(bytes->data, bytes->len, worker->data); /* last, for it may start the next */
}

static gboolean on_readable(int fd, GIOCondition condition, void *data)
{
        struct tn_worker *worker = data;
        guint8 buffer[4096];
        ssize_t n;

        (void) condition;
        while ((n = read(fd, buffer, sizeof buffer)) > 0 && worker->bytes->len < BYTES_MAX)
                g_byte_array_append(worker->bytes, buffer, (guint) n);
        if (n < 0 && (errno == EAGAIN || errno == EINTR))
                return G_SOURCE_CONTINUE;
        worker->read_source = 0;
        finish(worker);
        return G_SOURCE_REMOVE;
}

static void give_up(struct tn_worker *worker)
{
        worker->gave_up = true;
        (void) kill(worker->pid, SIGKILL);
}

static gboolean on_deadline(void *data)
{
        struct tn_worker *worker = data;

        worker->deadline_source = 0;
        give_up(worker);
        finish(worker);
        return G_SOURCE_REMOVE;
}

/* One that has said all is just ending. */
static bool is_free(struct tn_worker *worker)
{
        struct pollfd end = {.fd = worker->pidfd, .events = POLLIN};

        if (worker->done)
                return false;
        if (worker->pid && !worker->gave_up)
                (void) poll(&end, 1, LAST_STEP_MS);
        return reap(worker);
}

struct tn_worker *tn_worker_new(const struct tn_env *env)
{
        struct tn_worker *worker = g_new0(struct tn_worker, 1);

        worker->env = env;
        worker->pidfd = worker->fd = -1;
        return worker;
}

void tn_worker_free(struct tn_worker *worker)
{
        if (!worker)
                return;
        if (worker->done) {
                give_up(worker);
                finish(worker);
        }
        (void) is_free(worker); /* else init will reap it */
        g_clear_handle_id(&worker->exit_source, g_source_remove);
        tn_fd_close(&worker->pidfd);
        g_free(worker);
}

static bool start_copy(struct tn_worker *worker, tn_worker_func func, const void *job, GError **error)
{
        pid_t parent = getpid(), pid;
        sigset_t all, before;
        int ends[2];

        if (pipe2(ends, O_CLOEXEC) < 0)
                return tn_error_errno(error, errno, "make a pipe");
        sigfillset(&all);
        (void) sigprocmask(SIG_SETMASK, &all, &before); /* our signal handlers are not for the copy */
        pid = fork();
        if (pid == 0)
                be_copy(worker->env, func, job, ends[1], parent);
        (void) sigprocmask(SIG_SETMASK, &before, NULL);
        tn_fd_close(&ends[1]);
        if (pid < 0) {
                tn_fd_close(&ends[0]);
                return tn_error_errno(error, errno, "start a copy of the agent");
        }
        (void) fcntl(ends[0], F_SETFL, O_NONBLOCK);
        worker->pid = pid;
        worker->fd = ends[0];
        worker->pidfd = (int) syscall(SYS_pidfd_open, pid, 0);
        return true;
}

bool tn_worker_run(struct tn_worker *worker, tn_worker_func func, const void *job, unsigned deadline_ms,
                   tn_worker_done done, void *data, GError **error)
{
        if (!is_free(worker))
                return tn_error_set(error, TN_ERROR_BUSY, "the question before is not answered yet");
        if (!start_copy(worker, func, job, error))
                return false;
        worker->gave_up = false;
        worker->bytes = g_byte_array_new();
        worker->done = done;
        worker->data = data;
        worker->read_source = g_unix_fd_add(worker->fd, G_IO_IN | G_IO_HUP, on_readable, worker);
        worker->deadline_source = g_timeout_add(deadline_ms, on_deadline, worker);
        if (worker->pidfd >= 0) /* else it is reaped when the next one is to be started */
                worker->exit_source = g_unix_fd_add(worker->pidfd, G_IO_IN, on_exit_seen, worker);
        return true;
}
