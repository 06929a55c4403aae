/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* Daemonizing, done last: all that can fail has been tried in the foreground, where its error is seen. */
#define _GNU_SOURCE
#include "agent/daemon.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/error.h"
#include "lib/fd.h"

int tn_daemon_lock_pidfile(const char *pidfile, GError **error)
{
        tn_autofd int fd = open(pidfile, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);

        if (fd < 0) {
                tn_error_errno(error, errno, "pid file %s", pidfile);
                return -1;
        }
        if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
                tn_error_set(error, TN_ERROR_BUSY,
                             "pid file %s is locked: another agent runs; stop it first", pidfile);
                return -1;
        }
        return tn_fd_steal(&fd);
}

/* Done by the parent, before it says that all went well: whoever started the agent reads the file next. */
static bool write_pid(int fd, pid_t pid, GError **error)
{
        if (ftruncate(fd, 0) < 0 || dprintf(fd, "%d\n", (int) pid) < 0)
                return tn_error_errno(error, errno, "write the pid file");
        return true;
}

bool tn_daemon_detach(int pidfile_fd, GError **error)
{
        tn_autofd int null = open("/dev/null", O_RDWR | O_CLOEXEC);
        pid_t pid = null < 0 ? -1 : fork();

        if (pid < 0)
                return tn_error_errno(error, errno, "go to the background");
        if (pid > 0) {
                if (write_pid(pidfile_fd, pid, error))
                        _exit(0);
                (void) kill(pid, SIGKILL);
                return false;
        }
        (void) setsid();
        (void) umask(0077);
        (void) chdir("/");
        for (int fd = 0; fd <= 2; fd++)
                (void) dup2(null, fd);
        return true;
}
