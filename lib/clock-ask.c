/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * Who makes a call about the clock: this process, unless its capabilities are bounded so that it cannot;
 * then tenon-clock, by a connection that stays open. The surprising thing: it waits for the answer. That is
 * one system call of another process, and what reads the clock before and after has to know what happened in
 * between.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <glib.h>
#include <linux/capability.h>
#include <poll.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>

#include "lib/clock-call.h"
#include "lib/fd.h"

#define SOCKET_PATH "/run/tenon-clock.socket" /* data/tenon-clock.socket */
#define WAIT_MS     1000
#define WAIT_SET_MS 5000 /* the host has asked for it, and rather waits than hears that it was not done */

static int connection = -1;

int tn_clock_is_elsewhere(void)
{
        return prctl(PR_CAPBSET_READ, CAP_SYS_TIME) == 0;
}

static int open_connection(void)
{
        struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = SOCKET_PATH};
        tn_autofd int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

        if (fd < 0 || connect(fd, (struct sockaddr *) &address, sizeof address) < 0)
                return -1;
        return tn_fd_steal(&fd);
}

/* Zero or an errno; ENOTCONN: it was not even asked, for who was there before has ended. */
static int exchange(int fd, const struct tn_clock_call *call, int wait_ms, struct tn_clock_answer *ret)
{
        struct pollfd pollfd = {.fd = fd, .events = POLLIN};
        ssize_t n;
        int ready;

        if (send(fd, call, sizeof *call, MSG_NOSIGNAL) != sizeof *call)
                return ENOTCONN;
        do
                ready = poll(&pollfd, 1, wait_ms);
        while (ready < 0 && errno == EINTR);
        if (ready <= 0)
                return ready == 0 ? ETIMEDOUT : errno;
        n = recv(fd, ret, sizeof *ret, 0);
        return n == sizeof *ret ? 0 : EPIPE;
}

/* A connection that was open before may be one to a process that has ended: once more, then, but not when
 * only the answer is missing, since a step must not be made twice. Whatever went wrong, a late answer must
 * not be taken for that of the next call. */
static int ask_other(const struct tn_clock_call *call, int wait_ms, struct tn_clock_answer *ret)
{
        int errnum = ENOTCONN;

        for (int tries = 0; tries < 2 && errnum == ENOTCONN; tries++) {
                if (connection < 0)
                        connection = open_connection();
                if (connection < 0)
                        return errno;
                errnum = exchange(connection, call, wait_ms, ret);
                if (errnum != 0)
                        tn_fd_close(&connection);
        }
        return errnum != 0 ? errnum : ret->errnum;
}

int tn_clock_ask(enum tn_clock_verb verb, int64_t value, struct tn_clock_answer *ret)
{
        int wait_ms = verb == TN_CLOCK_SET || verb == TN_CLOCK_SET_RTC ? WAIT_SET_MS : WAIT_MS;
        struct tn_clock_call call = {
                .version = TN_CLOCK_CALL_VERSION,
                .verb = verb,
                .value = value,
                .until_nsec = (g_get_monotonic_time() + wait_ms * G_TIME_SPAN_MILLISECOND) * 1000,
        };
        int errnum;

        if (tn_clock_is_elsewhere()) {
                errnum = ask_other(&call, wait_ms, ret);
                if (errnum != ENOENT && errnum != ECONNREFUSED)
                        return errnum;
        }
        tn_clock_call_do(&call, ret); /* nobody to ask, as in a container: the kernel says what is allowed */
        return ret->errnum;
}
