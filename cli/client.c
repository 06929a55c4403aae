/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* Client of the control socket: connect, one line out, one line in, within a few seconds. */
#define _GNU_SOURCE
#include "cli/client.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "lib/error.h"
#include "lib/fd.h"

#define ANSWER_MS  5000
#define ANSWER_MAX (16 * 1024 * 1024) /* bytes */

static int connect_to(const char *path, GError **error)
{
        struct sockaddr_un addr = {.sun_family = AF_UNIX};
        tn_autofd int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

        if (strlen(path) >= sizeof addr.sun_path) {
                tn_error_set(error, TN_ERROR_INVALID, "socket path %s is too long", path);
                return -1;
        }
        memcpy(addr.sun_path, path, strlen(path));
        if (fd < 0 || connect(fd, (struct sockaddr *) &addr, sizeof addr) < 0) {
                int e = errno;

                if (e == ENOENT || e == ECONNREFUSED)
                        tn_error_set(error, TN_ERROR_NOT_FOUND,
                                     "the agent is not running (nobody listens on %s); try: systemctl start "
                                     "tenond",
                                     path);
                else
                        tn_error_errno(error, e, "connect to %s", path);
                return -1;
        }
        return tn_fd_steal(&fd);
}

/* Up to and without the line end. */
static char *read_line(int fd, GError **error)
{
        g_autoptr(GString) line = g_string_new(NULL);
        gint64 deadline = g_get_monotonic_time() + ANSWER_MS * 1000;
        char buffer[65536];

        while (line->len == 0 || line->str[line->len - 1] != '\n') {
                struct pollfd pfd = {.fd = fd, .events = POLLIN};
                gint64 left_ms = (deadline - g_get_monotonic_time()) / 1000;
                ssize_t n;

                if (left_ms <= 0 || poll(&pfd, 1, (int) left_ms) == 0) {
                        tn_error_set(error, TN_ERROR_TIMEOUT, "the agent did not answer within %d s",
                                     ANSWER_MS / 1000);
                        return NULL;
                }
                n = read(fd, buffer, sizeof buffer);
                if (n < 0 && errno == EINTR)
                        continue;
                if (n <= 0 || line->len + (size_t) n > ANSWER_MAX) {
                        tn_error_set(error, TN_ERROR_FAILED,
                                     "the agent closed the connection without an answer");
                        return NULL;
                }
                g_string_append_len(line, buffer, n);
        }
        return g_string_free(g_steal_pointer(&line), FALSE);
}

static json_t *unwrap(const char *line, GError **error)
{
        json_auto_t *reply = json_loads(line, 0, NULL);
        json_t *value = json_object_get(reply, "return");
        const char *desc = json_string_value(json_object_get(json_object_get(reply, "error"), "desc"));

        if (value)
                return json_incref(value);
        tn_error_set(error, TN_ERROR_FAILED, "%s", desc ? desc : "the agent's answer is not understood");
        return NULL;
}

json_t *tn_client_ask(const char *socket, const char *command, GError **error)
{
        g_autofree char *request = g_strdup_printf("{\"execute\": \"%s\"}\n", command);
        g_autofree char *line = NULL;
        tn_autofd int fd = connect_to(socket, error);

        if (fd < 0)
                return NULL;
        if (send(fd, request, strlen(request), MSG_NOSIGNAL) < 0) {
                tn_error_errno(error, errno, "ask the agent");
                return NULL;
        }
        line = read_line(fd, error);
        return line ? unwrap(line, error) : NULL;
}
