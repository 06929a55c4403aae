/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * Sockets that never block, and the buffer in which lines are found. The surprising thing: the deadline is
 * looked at for each line and not for each wait, since a guest that floods us never makes us wait.
 */
#define _GNU_SOURCE
#include "host/connection.h"

#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <linux/vm_sockets.h> /* wants sys/socket.h before it */

#include "host/trouble.h"
#include "lib/fd.h"

#define READ_BYTES (256 * 1024)
#define VSOCK      "vsock:"
#define RETRY_USEC 20000 /* a unix socket whose queue of connections is full cannot be waited for */

struct tn_connection {
        int fd;
        GByteArray *input;
        size_t start;   /* what is before it was handed out */
        size_t scanned; /* up to there is no line end */
};

static bool too_late(GError **error)
{
        return tn_trouble_set(error, TN_TROUBLE_TIMEOUT, "the guest did not answer in time");
}

static bool wait_for(int fd, short events, gint64 deadline, GError **error)
{
        for (;;) {
                struct pollfd pfd = {.fd = fd, .events = events};
                gint64 left = deadline - g_get_monotonic_time();
                int ms = deadline == TN_CONNECTION_FOREVER ? -1 : (int) MIN(left / 1000 + 1, G_MAXINT);
                int n;

                if (left <= 0)
                        return too_late(error);
                n = poll(&pfd, 1, ms);
                if (n > 0)
                        return true;
                if (n < 0 && errno != EINTR)
                        return tn_trouble_errno(error, TN_TROUBLE_LINK, errno, "wait for the guest");
        }
}

struct tn_connection *tn_connection_new(int fd)
{
        struct tn_connection *connection = g_new0(struct tn_connection, 1);

        connection->fd = fd;
        connection->input = g_byte_array_new();
        return connection;
}

void tn_connection_free(struct tn_connection *connection)
{
        if (!connection)
                return;
        tn_fd_close(&connection->fd);
        g_byte_array_unref(connection->input);
        g_free(connection);
}

static bool parse_vsock(const char *text, struct sockaddr_vm *ret, GError **error)
{
        g_auto(GStrv) parts = g_strsplit(text, ":", 2);
        guint64 cid, port;

        if (!parts[0] || !g_ascii_string_to_unsigned(parts[0], 10, 0, G_MAXUINT32, &cid, NULL) ||
            !parts[1] || !g_ascii_string_to_unsigned(parts[1], 10, 0, G_MAXUINT32, &port, NULL))
                return tn_trouble_set(error, TN_TROUBLE_LOCAL, "'" VSOCK "%s' is not " VSOCK "CID:PORT",
                                      text);
        *ret = (struct sockaddr_vm){
                .svm_family = AF_VSOCK, .svm_cid = (unsigned) cid, .svm_port = (unsigned) port};
        return true;
}

static bool parse_address(const char *address, struct sockaddr_storage *ret, socklen_t *ret_len,
                          GError **error)
{
        struct sockaddr_un *un = (struct sockaddr_un *) ret;

        if (g_str_has_prefix(address, VSOCK)) {
                *ret_len = sizeof(struct sockaddr_vm);
                return parse_vsock(address + strlen(VSOCK), (struct sockaddr_vm *) ret, error);
        }
        if (*address == '\0' || strlen(address) >= sizeof un->sun_path)
                return tn_trouble_set(error, TN_TROUBLE_LOCAL, "the socket path '%s' is empty or too long",
                                      address);
        *un = (struct sockaddr_un){.sun_family = AF_UNIX};
        memcpy(un->sun_path, address, strlen(address));
        *ret_len = sizeof *un;
        return true;
}

/* 0, or what is wrong. */
static int finish_connect(int fd)
{
        int errnum = 0;
        socklen_t len = sizeof errnum;

        return getsockopt(fd, SOL_SOCKET, SO_ERROR, &errnum, &len) < 0 ? errno : errnum;
}

static bool connect_until(int fd, const struct sockaddr_storage *addr, socklen_t len, const char *address,
                          gint64 deadline, GError **error)
{
        int errnum = connect(fd, (const struct sockaddr *) addr, len) < 0 ? errno : 0;

        while (errnum == EAGAIN && g_get_monotonic_time() < deadline) {
                g_usleep(RETRY_USEC);
                errnum = connect(fd, (const struct sockaddr *) addr, len) < 0 ? errno : 0;
        }
        if (errnum == EINPROGRESS) {
                if (!wait_for(fd, POLLOUT, deadline, error))
                        return false;
                errnum = finish_connect(fd);
        }
        if (errnum == 0)
                return true;
        if (errnum == EAGAIN || errnum == ETIMEDOUT)
                return tn_trouble_set(error, TN_TROUBLE_TIMEOUT,
                                      "nobody accepted the connection to %s in time", address);
        if (errnum == ENOENT || errnum == ECONNREFUSED)
                return tn_trouble_set(
                        error, TN_TROUBLE_LINK,
                        "nobody listens on %s; is the guest running, and is this the socket of "
                        "its agent's port?",
                        address);
        return tn_trouble_errno(error, TN_TROUBLE_LINK, errnum, "connect to %s", address);
}

struct tn_connection *tn_connection_open(const char *address, gint64 deadline, GError **error)
{
        struct sockaddr_storage addr = {0};
        socklen_t len = 0;
        tn_autofd int fd = -1;

        if (!parse_address(address, &addr, &len, error))
                return NULL;
        fd = socket(addr.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (fd < 0) {
                (void) tn_trouble_errno(error, TN_TROUBLE_LINK, errno, "make a socket for %s", address);
                return NULL;
        }
        if (!connect_until(fd, &addr, len, address, deadline, error))
                return NULL;
        return tn_connection_new(tn_fd_steal(&fd));
}

bool tn_connection_send(struct tn_connection *connection, const char *bytes, size_t len, gint64 deadline,
                        GError **error)
{
        while (len > 0) {
                ssize_t n = send(connection->fd, bytes, len, MSG_NOSIGNAL | MSG_DONTWAIT);

                if (n < 0 && errno == EAGAIN) {
                        if (!wait_for(connection->fd, POLLOUT, deadline, error))
                                return false;
                        continue;
                }
                if (n < 0 && errno != EINTR)
                        return tn_trouble_errno(error, TN_TROUBLE_LINK, errno, "send to the guest");
                if (n > 0) {
                        bytes += n;
                        len -= (size_t) n;
                }
        }
        return true;
}

/* recv(2), when there is something; -1 with @error. 0 is the end. */
static ssize_t receive(int fd, void *bytes, size_t size, gint64 deadline, GError **error)
{
        for (;;) {
                ssize_t n = recv(fd, bytes, size, MSG_DONTWAIT);

                if (n >= 0)
                        return n;
                if (errno == ECONNRESET)
                        return 0;
                if (errno != EAGAIN && errno != EINTR) {
                        (void) tn_trouble_errno(error, TN_TROUBLE_LINK, errno, "read from the guest");
                        return -1;
                }
                if (!wait_for(fd, POLLIN, deadline, error))
                        return -1;
        }
}

/* What was handed out makes room. */
static void compact(struct tn_connection *connection)
{
        if (connection->start == 0)
                return;
        g_byte_array_remove_range(connection->input, 0, (guint) connection->start);
        connection->scanned -= connection->start;
        connection->start = 0;
}

/* At least one byte. */
static bool fill(struct tn_connection *connection, gint64 deadline, GError **error)
{
        guint used;
        ssize_t n;

        compact(connection);
        used = connection->input->len;
        g_byte_array_set_size(connection->input, used + READ_BYTES);
        n = receive(connection->fd, connection->input->data + used, READ_BYTES, deadline, error);
        g_byte_array_set_size(connection->input, used + (n > 0 ? (guint) n : 0));
        if (n == 0)
                return tn_trouble_set(error, TN_TROUBLE_LINK, "the guest's side closed the connection%s",
                                      used > 0 ? " in the middle of a message" : "");
        return n > 0;
}

bool tn_connection_read_line(struct tn_connection *connection, size_t max, gint64 deadline, const char **ret,
                             size_t *ret_len, GError **error)
{
        for (;;) {
                const GByteArray *input = connection->input;
                const uint8_t *end = NULL;
                size_t len;

                if (g_get_monotonic_time() >= deadline)
                        return too_late(error);
                if (connection->scanned < input->len)
                        end = memchr(input->data + connection->scanned, '\n',
                                     input->len - connection->scanned);
                connection->scanned = end ? (size_t) (end - input->data) + 1 : input->len;
                len = connection->scanned - connection->start - (end ? 1 : 0);
                if (len > max)
                        return tn_trouble_set(
                                error, TN_TROUBLE_LINK,
                                "the guest sends a line of more than %zu MiB; the connection was "
                                "given up",
                                max / 1024 / 1024);
                if (end) {
                        *ret = (const char *) input->data + connection->start;
                        *ret_len = len;
                        connection->start = connection->scanned;
                        return true;
                }
                if (!fill(connection, deadline, error))
                        return false;
        }
}
