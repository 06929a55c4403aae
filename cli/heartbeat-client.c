/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * Messages to the heartbeat socket, see tenon-heartbeat(7). Each is sent to the path anew, so that an agent
 * that was started again is reached, too; answers come to an address that the kernel makes up for us.
 */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "cli/heartbeat.h"
#include "lib/error.h"
#include "lib/fd.h"
#include "lib/names.h"

#define ANSWER_MS  5000
#define ANSWER_MAX 1024 /* bytes */

bool tn_heartbeat_client_init(struct tn_heartbeat_client *client, const char *path, GError **error)
{
        struct sockaddr_un any = {.sun_family = AF_UNIX};
        tn_autofd int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

        if (strlen(path) >= sizeof any.sun_path)
                return tn_error_set(error, TN_ERROR_INVALID, "socket path %s is too long", path);
        if (fd < 0 || bind(fd, (const struct sockaddr *) &any, sizeof any.sun_family) < 0)
                return tn_error_errno(error, errno, "make a socket");
        client->fd = tn_fd_steal(&fd);
        client->path = path;
        return true;
}

void tn_heartbeat_client_deinit(struct tn_heartbeat_client *client)
{
        tn_fd_close(&client->fd);
}

bool tn_heartbeat_client_send(const struct tn_heartbeat_client *client, const char *message, GError **error)
{
        struct sockaddr_un address = {.sun_family = AF_UNIX};

        memcpy(address.sun_path, client->path, strlen(client->path));
        if (sendto(client->fd, message, strlen(message), MSG_DONTWAIT | MSG_NOSIGNAL,
                   (const struct sockaddr *) &address, sizeof address) >= 0)
                return true;
        if (errno == ENOENT || errno == ECONNREFUSED)
                return tn_error_set(
                        error, TN_ERROR_NOT_FOUND,
                        "the agent is not running (nobody listens on %s); try: systemctl start tenond",
                        client->path);
        return tn_error_errno(error, errno, "send to %s", client->path);
}

bool tn_heartbeat_client_ask(const struct tn_heartbeat_client *client, const char *message, GError **error)
{
        struct pollfd answered = {.fd = client->fd, .events = POLLIN};
        char answer[ANSWER_MAX + 1];
        ssize_t n;

        if (!tn_heartbeat_client_send(client, message, error))
                return false;
        if (poll(&answered, 1, ANSWER_MS) <= 0)
                return tn_error_set(error, TN_ERROR_TIMEOUT, "the agent does not answer on %s",
                                    client->path);
        n = recv(client->fd, answer, ANSWER_MAX, MSG_DONTWAIT);
        if (n < 0)
                return tn_error_errno(error, errno, "read the answer from %s", client->path);
        answer[n] = '\0';
        if (g_str_equal(answer, TN_BEAT_RESULT "=ok"))
                return true;
        return tn_error_set(error, TN_ERROR_DENIED, "%s",
                            g_str_has_prefix(answer, TN_BEAT_RESULT "=")
                                    ? answer + strlen(TN_BEAT_RESULT "=")
                                    : "the agent's answer is not understood");
}
