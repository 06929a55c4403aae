/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * The thin half of the network commands: sends the two dump requests and hands what comes to
 * rtnetlink.c. The surprising thing: who sent a datagram is checked, because any process of the machine
 * may send to our socket; only the kernel has port 0.
 */
#include "plugins/guestinfo/netlink.h"

#include <errno.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#include "lib/error.h"
#include "lib/fd.h"
#include "plugins/guestinfo/rtnetlink.h"

#define DUMP_DEADLINE_USEC (900 * 1000) /* both dumps; vdsm gives a command one second */
#define DUMP_ATTEMPTS      3            /* while the kernel's table changes under the dump */
#define DATAGRAM_MAX       (64 * 1024)  /* the kernel makes dump datagrams of at most 32 KiB */
#define STATISTICS_BYTES   8192 /* at most a datagram of a first dump, linux/netlink.h NLMSG_GOODSIZE */
#define DRAIN_MAX          1024 /* datagrams thrown away at once; the rest wakes us again */
#define LISTEN_BYTES       4096 /* of messages kept; when it is full, that says enough */

static int open_socket(unsigned groups, GError **error)
{
        tn_autofd int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);
        struct sockaddr_nl address = {.nl_family = AF_NETLINK, .nl_groups = groups};

        if (fd < 0)
                (void) tn_error_errno(error, errno, "open a netlink socket");
        else if (bind(fd, (struct sockaddr *) &address, sizeof address) < 0)
                (void) tn_error_errno(error, errno, "bind a netlink socket");
        else
                return tn_fd_steal(&fd);
        return -1;
}

static bool send_request(int fd, unsigned short type, GError **error)
{
        const struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};
        struct {
                struct nlmsghdr header;
                union {
                        struct ifinfomsg info; /* an ifaddrmsg is shorter, and all of it is zero */
                        struct if_stats_msg statistics;
                };
        } request = {
                .header = {.nlmsg_len = sizeof request,
                           .nlmsg_type = type,
                           .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP,
                           .nlmsg_seq = 1},
        };

        if (type == RTM_GETSTATS) { /* a filter is demanded, and nothing may stand behind the head */
                request.header.nlmsg_len = NLMSG_LENGTH(sizeof request.statistics);
                request.statistics.filter_mask = IFLA_STATS_FILTER_BIT(IFLA_STATS_LINK_64);
        }
        if (sendto(fd, &request, request.header.nlmsg_len, 0, (const struct sockaddr *) &kernel,
                   sizeof kernel) < 0)
                return tn_error_errno(error, errno, "ask the kernel for network interfaces");
        return true;
}

static bool wait_readable(int fd, gint64 deadline_usec, GError **error)
{
        struct pollfd pollfd = {.fd = fd, .events = POLLIN};
        gint64 left_usec = deadline_usec - g_get_monotonic_time();
        int n = poll(&pollfd, 1, left_usec > 0 ? (int) (left_usec / 1000) : 0);

        if (n < 0 && errno != EINTR)
                return tn_error_errno(error, errno, "wait for the kernel's list of network interfaces");
        if (n <= 0 && g_get_monotonic_time() >= deadline_usec)
                return tn_error_set(error, TN_ERROR_TIMEOUT,
                                    "the kernel did not list the network interfaces in time");
        return true;
}

/* One datagram of the kernel; *ret_len is 0 when there is none yet or it was somebody else's. */
static bool receive(int fd, void *buffer, size_t size, size_t *ret_len, GError **error)
{
        struct sockaddr_nl sender = {0};
        struct iovec iov = {.iov_base = buffer, .iov_len = size};
        struct msghdr message = {
                .msg_name = &sender, .msg_namelen = sizeof sender, .msg_iov = &iov, .msg_iovlen = 1};
        ssize_t n = recvmsg(fd, &message, MSG_DONTWAIT);

        *ret_len = 0;
        if (n < 0 && (errno == EAGAIN || errno == EINTR))
                return true;
        if (n < 0)
                return tn_error_errno(error, errno, "receive the kernel's list of network interfaces");
        if (sender.nl_pid != 0)
                return true;
        if (message.msg_flags & MSG_TRUNC)
                return tn_error_set(error, TN_ERROR_LIMIT, "a netlink datagram is larger than %zu bytes",
                                    size);
        *ret_len = (size_t) n;
        return true;
}

/* The kernel makes the answer while it is asked or read, so that there is mostly nothing to wait for. */
static bool dump_once(int fd, unsigned short type, struct tn_interfaces *interfaces, void *buffer,
                      size_t size, gint64 deadline_usec, enum tn_dump *ret_state, GError **error)
{
        enum tn_dump state = TN_DUMP_MORE;

        if (!send_request(fd, type, error))
                return false;
        while (state == TN_DUMP_MORE) {
                size_t len;

                if (!receive(fd, buffer, size, &len, error))
                        return false;
                if (len == 0 && !wait_readable(fd, deadline_usec, error))
                        return false;
                if (len > 0 && !tn_rtnetlink_parse(interfaces, buffer, len, &state, error))
                        return false;
        }
        *ret_state = state;
        return true;
}

bool tn_netlink_dump(struct tn_interfaces *interfaces, GError **error)
{
        static const unsigned short types[] = {RTM_GETLINK, RTM_GETADDR};
        gint64 deadline_usec = g_get_monotonic_time() + DUMP_DEADLINE_USEC;
        g_autofree void *buffer = g_malloc(DATAGRAM_MAX);
        tn_autofd int fd = open_socket(0, error);

        if (fd < 0)
                return false;
        for (int attempt = 0; attempt < DUMP_ATTEMPTS; attempt++) {
                bool interrupted = false;

                tn_interfaces_clear(interfaces);
                for (size_t i = 0; i < G_N_ELEMENTS(types); i++) {
                        enum tn_dump state;

                        if (!dump_once(fd, types[i], interfaces, buffer, DATAGRAM_MAX, deadline_usec, &state,
                                       error))
                                return false;
                        interrupted |= state == TN_DUMP_INTERRUPTED;
                }
                if (!interrupted)
                        break;
        }
        return true; /* a table that never stands still is told as it was seen last */
}

int tn_netlink_open(GError **error)
{
        return open_socket(0, error);
}

bool tn_netlink_renew_statistics(int fd, struct tn_interfaces *interfaces, GError **error)
{
        gint64 deadline_usec = g_get_monotonic_time() + DUMP_DEADLINE_USEC;
        _Alignas(struct nlmsghdr) char buffer[STATISTICS_BYTES];
        enum tn_dump state;

        interfaces->renewed = 0;
        interfaces->strangers = false;
        if (!dump_once(fd, RTM_GETSTATS, interfaces, buffer, sizeof buffer, deadline_usec, &state, error))
                return false;
        if (state != TN_DUMP_DONE || interfaces->strangers ||
            interfaces->renewed != g_hash_table_size(interfaces->by_index))
                return tn_error_set(error, TN_ERROR_FAILED, "the network interfaces have changed");
        return true;
}

int tn_netlink_subscribe(GError **error)
{
        return open_socket(RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR, error);
}

void tn_netlink_drain(int fd)
{
        char scrap[256]; /* the rest of a datagram is cut off: nobody reads it */

        for (int i = 0; i < DRAIN_MAX; i++)
                if (recv(fd, scrap, sizeof scrap, MSG_DONTWAIT) < 0 && errno != ENOBUFS && errno != EINTR)
                        break; /* ENOBUFS only says that there was too much, and is then cleared */
}

int tn_netlink_listen(GError **error)
{
        int fd = tn_netlink_subscribe(error), size = LISTEN_BYTES;

        if (fd >= 0) /* not vital: it only saves memory */
                (void) setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
        return fd;
}

bool tn_netlink_heard(int fd)
{
        bool heard = false;
        char scrap[16];

        for (int i = 0; i < DRAIN_MAX; i++) {
                if (recv(fd, scrap, sizeof scrap, MSG_DONTWAIT) < 0 && errno == EAGAIN)
                        return heard;
                heard = true; /* also ENOBUFS: something was lost */
        }
        return true;
}
