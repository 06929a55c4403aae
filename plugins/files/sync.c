/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * A flush to the disk may take as long as the disk likes, so it is done by a forked child that has the
 * file and nothing else; its exit status is the errno. The surprising thing: a child that hangs in the
 * kernel cannot be killed, so freeing does not wait for it.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <glib-unix.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/error.h"
#include "plugins/files/files.h"

#ifndef P_PIDFD
#define P_PIDFD 3
#endif
#define ONLY_FD 3

struct tn_files_sync {
        int pid_fd;
        guint source;
        tn_files_sync_done done;
        void *data;
};

static G_NORETURN void run_child(int fd)
{
        if (dup2(fd, ONLY_FD) < 0)
                _exit(errno);
#ifdef SYS_close_range
        /* Whatever else is open, such as the port to the host, is not held while the disk works. */
        (void) syscall(SYS_close_range, ONLY_FD + 1, ~0U, 0);
#endif
        _exit(fdatasync(ONLY_FD) < 0 ? errno : 0);
}

static gboolean on_ended(int fd, GIOCondition condition, void *data)
{
        struct tn_files_sync *sync = data;
        siginfo_t info = {0};
        int errnum = EIO; /* somebody killed it */

        (void) condition;
        if (waitid((idtype_t) P_PIDFD, (id_t) fd, &info, WEXITED) == 0 && info.si_code == CLD_EXITED)
                errnum = info.si_status;
        sync->source = 0;
        sync->done(sync, errnum, sync->data);
        return G_SOURCE_REMOVE;
}

struct tn_files_sync *tn_files_sync_start(int fd, tn_files_sync_done done, void *data, GError **error)
{
        struct tn_files_sync *sync;
        pid_t pid = fork();
        int pid_fd;

        if (pid == 0)
                run_child(fd);
        if (pid < 0) {
                (void) tn_error_errno(error, errno, "failed to flush file: fork");
                return NULL;
        }
        pid_fd = (int) syscall(SYS_pidfd_open, pid, 0);
        if (pid_fd < 0) {
                (void) tn_error_errno(error, errno, "failed to flush file: watch the child");
                (void) waitpid(pid, NULL, 0);
                return NULL;
        }
        sync = g_new0(struct tn_files_sync, 1);
        sync->pid_fd = pid_fd;
        sync->done = done;
        sync->data = data;
        sync->source = g_unix_fd_add(pid_fd, G_IO_IN, on_ended, sync);
        return sync;
}

void tn_files_sync_free(struct tn_files_sync *sync)
{
        g_clear_handle_id(&sync->source, g_source_remove);
        close(sync->pid_fd);
        g_free(sync);
}
