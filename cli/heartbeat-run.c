/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * tenonctl heartbeat run: a command with a heartbeat. The surprising thing: an agent that is not there keeps
 * no command from running; what watches must not stop what it watches. The heartbeat is registered again and
 * again, so that it is there after the agent was restarted; that is no beat.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/heartbeat.h"
#include "lib/error.h"
#include "lib/fd.h"
#include "lib/names.h"

#ifndef P_PIDFD
#define P_PIDFD 3
#endif

#define SIGNAL_STATUS 128 /* as shells have it: 128 and the signal */

struct running {
        const struct tn_heartbeat_run *run;
        struct tn_heartbeat_client client;
        char *registration;
        pid_t pid;
        int pidfd, signal_fd;
        bool told_to_stop; /* by a signal that we handed on */
};

static const int forwarded[] = {SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2};

/* Without an agent it goes on; a refusal is final. */
static bool announce(const struct running *running)
{
        g_autoptr(GError) error = NULL;

        if (tn_heartbeat_client_ask(&running->client, running->registration, &error))
                return true;
        fprintf(stderr, "tenonctl heartbeat run: %s%s\n", error->message,
                error->code == TN_ERROR_DENIED ? ""
                                               : "; the command runs without a heartbeat until it does");
        return error->code != TN_ERROR_DENIED;
}

static bool spawn(struct running *running, sigset_t *before)
{
        const struct tn_heartbeat_run *run = running->run;
        g_autofree char *usec = g_strdup_printf("%" G_GINT64_FORMAT, (gint64) run->timeout * G_USEC_PER_SEC);
        posix_spawnattr_t attributes;
        sigset_t defaults;
        int r;

        (void) setenv("NOTIFY_SOCKET", run->socket, 1);
        (void) setenv("WATCHDOG_USEC", usec, 1);
        (void) unsetenv("WATCHDOG_PID");
        sigemptyset(&defaults);
        posix_spawnattr_init(&attributes);
        posix_spawnattr_setsigmask(&attributes, before);
        posix_spawnattr_setsigdefault(&attributes, &defaults);
        posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
        r = posix_spawnp(&running->pid, run->command[0], NULL, &attributes, run->command, environ);
        posix_spawnattr_destroy(&attributes);
        if (r != 0) {
                fprintf(stderr, "tenonctl heartbeat run: start %s: %s\n", run->command[0], g_strerror(r));
                return false;
        }
        running->pidfd = (int) syscall(SYS_pidfd_open, running->pid, 0);
        return running->pidfd >= 0;
}

/* What the terminal sends, the command gets from it as well. */
static void hand_on(struct running *running)
{
        struct signalfd_siginfo info;

        if (read(running->signal_fd, &info, sizeof info) != sizeof info)
                return;
        running->told_to_stop = true;
        if (info.ssi_code != SI_KERNEL)
                (void) kill(running->pid, (int) info.ssi_signo);
}

/* Returns when the command has ended. */
static void wait_for_end(struct running *running)
{
        struct pollfd events[] = {{.fd = running->pidfd, .events = POLLIN},
                                  {.fd = running->signal_fd, .events = POLLIN}};
        int pause_ms = MAX(running->run->timeout * 1000 / 3, 1000);

        for (;;) {
                int n = poll(events, G_N_ELEMENTS(events), pause_ms);

                if (n == 0)
                        (void) tn_heartbeat_client_send(&running->client, running->registration, NULL);
                if (n > 0 && events[1].revents)
                        hand_on(running);
                if (n > 0 && events[0].revents)
                        return;
        }
}

static void say_end(const struct running *running, const siginfo_t *info)
{
        bool exited = info->si_code == CLD_EXITED;
        bool well = (exited && info->si_status == 0) || running->told_to_stop;
        g_autofree char *message =
                well ? g_strdup_printf(TN_BEAT_UNREGISTER "=%s", running->run->name)
                     : g_strdup_printf("%s\nWATCHDOG=trigger\nSTATUS=its command ended with %s %d",
                                       running->registration, exited ? "exit status" : "signal",
                                       info->si_status);

        (void) tn_heartbeat_client_send(&running->client, message, NULL);
}

static int run_to_end(struct running *running, sigset_t *before)
{
        siginfo_t info = {0};

        if (!spawn(running, before)) {
                g_autofree char *message = g_strdup_printf(TN_BEAT_UNREGISTER "=%s", running->run->name);

                (void) tn_heartbeat_client_send(&running->client, message, NULL);
                return TN_EXIT_USAGE;
        }
        wait_for_end(running);
        (void) waitid((idtype_t) P_PIDFD, (id_t) running->pidfd, &info, WEXITED);
        say_end(running, &info);
        return info.si_code == CLD_EXITED ? info.si_status : SIGNAL_STATUS + info.si_status;
}

int tn_heartbeat_run(const struct tn_heartbeat_run *run)
{
        struct running running = {.run = run, .pidfd = -1};
        g_autoptr(GError) error = NULL;
        g_autofree char *registration = g_strdup_printf(
                TN_BEAT_REGISTER "=%s\nWATCHDOG_USEC=%" G_GINT64_FORMAT "%s", run->name,
                (gint64) run->timeout * G_USEC_PER_SEC, run->required ? "\n" TN_BEAT_REQUIRED "=1" : "");
        sigset_t signals, before;
        int status = TN_EXIT_USAGE;

        if (!tn_heartbeat_client_init(&running.client, run->socket, &error))
                return tn_cli_fail(error);
        sigemptyset(&signals);
        for (size_t i = 0; i < G_N_ELEMENTS(forwarded); i++)
                sigaddset(&signals, forwarded[i]);
        (void) sigprocmask(SIG_BLOCK, &signals, &before);
        running.registration = registration;
        running.signal_fd = signalfd(-1, &signals, SFD_CLOEXEC);
        if (announce(&running))
                status = run_to_end(&running, &before);
        tn_fd_close(&running.pidfd);
        tn_fd_close(&running.signal_fd);
        tn_heartbeat_client_deinit(&running.client);
        return status;
}
