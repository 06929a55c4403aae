/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * tenon-clock: sets the clock for the agent, whose sandbox forbids it; see tenon-clock(8). systemd hands
 * over the listening socket, which only root may connect to. The surprising thing: neither GLib nor an
 * allocation, for it stays in memory as long as the agent runs.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/clock-call.h"

#define LISTENER    3 /* SD_LISTEN_FDS_START */
#define CLIENTS_MAX 8 /* two of the agent's, and those of one that is just ending */

/* pollfds[0] is the listener, the rest are clients, without gaps. */
struct server {
        struct pollfd pollfds[1 + CLIENTS_MAX];
        nfds_t n;
};

/* False when there is no more to come, or something that no agent of ours sends. */
static int serve(int fd)
{
        struct tn_clock_call call;
        struct tn_clock_answer answer;
        ssize_t n = recv(fd, &call, sizeof call, MSG_DONTWAIT | MSG_TRUNC);

        if (n < 0 && (errno == EAGAIN || errno == EINTR))
                return 1;
        if (n != sizeof call)
                return 0;
        tn_clock_call_do(&call, &answer);
        return send(fd, &answer, sizeof answer, MSG_DONTWAIT | MSG_NOSIGNAL) == sizeof answer;
}

static void serve_clients(struct server *server)
{
        for (nfds_t i = 1; i < server->n;) {
                if (server->pollfds[i].revents == 0 || serve(server->pollfds[i].fd)) {
                        i++;
                        continue;
                }
                close(server->pollfds[i].fd);
                server->pollfds[i] = server->pollfds[--server->n];
        }
}

static void accept_client(struct server *server)
{
        int fd = accept4(LISTENER, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

        if (fd >= 0)
                server->pollfds[server->n++] = (struct pollfd){.fd = fd, .events = POLLIN};
}

static int run(struct server *server)
{
        for (;;) {
                /* With all places taken, others wait in the queue of the socket. */
                server->pollfds[0].events = server->n <= CLIENTS_MAX ? POLLIN : 0;
                if (poll(server->pollfds, server->n, -1) < 0) {
                        if (errno == EINTR)
                                continue;
                        return errno;
                }
                serve_clients(server);
                if (server->pollfds[0].revents & POLLIN)
                        accept_client(server);
                else if (server->pollfds[0].revents)
                        return EBADF;
        }
}

int main(int argc, char **argv)
{
        struct server server = {.pollfds = {{.fd = LISTENER}}, .n = 1};
        const char *pid = getenv("LISTEN_PID"), *fds = getenv("LISTEN_FDS");

        (void) argv;
        if (argc > 1 || !pid || !fds || atol(pid) != (long) getpid() || strcmp(fds, "1") != 0) {
                fputs("tenon-clock: wants one socket from systemd and no argument; it is started by "
                      "tenon-clock.socket, see tenon-clock(8)\n",
                      stderr);
                return 2;
        }
        fprintf(stderr, "tenon-clock: %s\n", strerror(run(&server)));
        return 1;
}
