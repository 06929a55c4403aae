/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* Client of the control socket: connect, one line out, one line in, within a few seconds; or lines without
 * end. */
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

static bool send_line(int fd, const char *text, GError **error)
{
        g_autofree char *line = g_strdup_printf("%s\n", text);

        return send(fd, line, strlen(line), MSG_NOSIGNAL) >= 0 ||
               tn_error_errno(error, errno, "ask the agent");
}

json_t *tn_client_ask(const char *socket, const char *command, GError **error)
{
        g_autofree char *request = g_strdup_printf("{\"execute\": \"%s\"}", command);
        g_autofree char *line = NULL;
        tn_autofd int fd = connect_to(socket, error);

        if (fd < 0 || !send_line(fd, request, error))
                return NULL;
        line = read_line(fd, error);
        return line ? unwrap(line, error) : NULL;
}

/* The first line, without its end, leaves @input; NULL while it is not whole. */
static char *take_line(GString *input)
{
        char *end = memchr(input->str, '\n', input->len);
        char *line;

        if (!end)
                return NULL;
        line = g_strndup(input->str, (gsize) (end - input->str));
        g_string_erase(input, 0, end - input->str + 1);
        return line;
}

/* Hands on what is whole in @input. The first line is the reply. */
static bool hand_on(GString *input, bool *replied, tn_client_func func, void *data, bool *ret_more,
                    GError **error)
{
        char *text;

        while (*ret_more && (text = take_line(input))) {
                g_autofree char *line = text;
                json_auto_t *value = *replied ? json_loads(line, 0, NULL) : unwrap(line, error);

                if (!value && !*replied)
                        return false;
                if (value && *replied)
                        *ret_more = func(value, data);
                *replied = true;
        }
        return true;
}

bool tn_client_follow(const char *socket, const json_t *request, tn_client_func func, void *data,
                      GError **error)
{
        g_autoptr(GString) input = g_string_new(NULL);
        g_autofree char *text = json_dumps(request, 0);
        tn_autofd int fd = connect_to(socket, error);
        bool replied = false, more = true;
        char buffer[65536];

        if (fd < 0 || !send_line(fd, text, error))
                return false;
        while (more) {
                struct pollfd pfd = {.fd = fd, .events = POLLIN};
                ssize_t n;

                if (!replied && poll(&pfd, 1, ANSWER_MS) == 0) /* events may take for ever, the reply not */
                        return tn_error_set(error, TN_ERROR_TIMEOUT, "the agent did not answer within %d s",
                                            ANSWER_MS / 1000);
                n = read(fd, buffer, sizeof buffer);
                if (n < 0 && errno == EINTR)
                        continue;
                if (n <= 0 || input->len + (size_t) n > ANSWER_MAX)
                        return tn_error_set(error, TN_ERROR_NOT_FOUND,
                                            "the agent has closed the connection");
                g_string_append_len(input, buffer, n);
                if (!hand_on(input, &replied, func, data, &more, error))
                        return false;
        }
        return true;
}
