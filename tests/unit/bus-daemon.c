/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* dbus-daemon as a child. */
#define _GNU_SOURCE
#include "bus-daemon.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

int bus_daemon_start(void **state)
{
        static struct bus_daemon daemon;
        int fds[2];
        ssize_t n;

        if (pipe(fds) < 0 || (daemon.pid = fork()) < 0)
                return -1;
        if (daemon.pid == 0) {
                (void) prctl(PR_SET_PDEATHSIG, SIGTERM);
                (void) dup2(fds[1], STDOUT_FILENO);
                execlp("dbus-daemon", "dbus-daemon", "--session", "--nofork", "--print-address", NULL);
                _exit(127);
        }
        close(fds[1]);
        n = read(fds[0], daemon.address, sizeof daemon.address - 1);
        close(fds[0]);
        if (n <= 0)
                return -1;
        daemon.address[n] = '\0';
        daemon.address[strcspn(daemon.address, "\n")] = '\0';
        (void) setenv("DBUS_SYSTEM_BUS_ADDRESS", daemon.address, 1);
        *state = &daemon;
        return 0;
}

int bus_daemon_end(void **state)
{
        const struct bus_daemon *daemon = *state;

        (void) kill(daemon->pid, SIGTERM);
        return waitpid(daemon->pid, NULL, 0) == daemon->pid ? 0 : -1;
}
