/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* Copies of the agent. Everything that the agent has open is closed in them: a keeper that outlives the
 * agent must not hold the channel to the host. */
#define _GNU_SOURCE
#include "plugins/freeze/process.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/fd.h"

#define KEEP_MAX 8

static int compare(const void *a, const void *b)
{
        return *(const int *) a - *(const int *) b;
}

static void close_between(unsigned first, unsigned last)
{
        if (first > last || syscall(SYS_close_range, first, last, 0) == 0)
                return;
        /* Linux before 5.9 */
        for (long fd = first, max = sysconf(_SC_OPEN_MAX); fd < max && fd <= (long) last; fd++)
                (void) close((int) fd);
}

static void close_others(const int *keep, size_t n_keep)
{
        int sorted[KEEP_MAX];
        unsigned next = 3;

        for (size_t i = 0; i < n_keep; i++)
                sorted[i] = keep[i];
        qsort(sorted, n_keep, sizeof *sorted, compare);
        for (size_t i = 0; i < n_keep; i++) {
                if (sorted[i] < (int) next)
                        continue;
                close_between(next, (unsigned) sorted[i] - 1);
                next = (unsigned) sorted[i] + 1;
        }
        close_between(next, ~0U);
}

static void be_child(const char *name, int death_signal, pid_t parent, const int *keep, size_t n_keep)
{
        int null = open("/dev/null", O_RDWR);

        (void) prctl(PR_SET_PDEATHSIG, death_signal);
        if (getppid() != parent) /* it died before we asked */
                (void) raise(death_signal);
        (void) prctl(PR_SET_NAME, name);
        if (null >= 0) {
                (void) dup2(null, STDIN_FILENO);
                (void) dup2(null, STDOUT_FILENO);
        }
        close_others(keep, n_keep);
}

pid_t freeze_process_fork(const char *name, int death_signal, const int *keep, size_t n_keep)
{
        pid_t parent = getpid(), pid;
        sigset_t all, before;

        g_assert(n_keep <= KEEP_MAX);
        sigfillset(&all);
        (void) sigprocmask(SIG_SETMASK, &all, &before); /* no moment in which a signal could end the child */
        pid = fork();
        if (pid == 0) {
                be_child(name, death_signal, parent, keep, n_keep);
                return 0;
        }
        (void) sigprocmask(SIG_SETMASK, &before, NULL);
        return pid;
}

int freeze_process_watch(pid_t pid)
{
        return (int) syscall(SYS_pidfd_open, pid, 0);
}

void freeze_process_run(char **argv, unsigned deadline_ms)
{
        pid_t pid = freeze_process_fork(argv[0], SIGKILL, NULL, 0);
        struct pollfd pfd = {.events = POLLIN};
        sigset_t none;

        if (pid == 0) {
                (void) prctl(PR_SET_PDEATHSIG, 0); /* what it started shall end what it began */
                (void) dup2(STDOUT_FILENO, STDERR_FILENO);
                (void) setsid();
                sigemptyset(&none);
                (void) signal(SIGPIPE, SIG_DFL);
                (void) signal(SIGTERM, SIG_IGN); /* systemd ends what the dead agent left; not this */
                (void) sigprocmask(SIG_SETMASK, &none, NULL);
                (void) execv(argv[0], argv);
                _exit(127);
        }
        if (pid < 0)
                return;
        pfd.fd = freeze_process_watch(pid);
        if (pfd.fd >= 0 && poll(&pfd, 1, (int) deadline_ms) == 0)
                (void) kill(-pid, SIGKILL);
        (void) waitpid(pid, NULL, 0);
        tn_fd_close(&pfd.fd);
}
