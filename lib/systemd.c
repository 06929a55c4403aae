/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* Datagrams to NOTIFY_SOCKET, and environment variables that are meant for us only when they name our
 * process. */
#include "lib/systemd.h"

#include <fcntl.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "lib/fd.h"

#define FDS_MAX 1024 /* more than anybody has passed */

/* "/run/…", or "@…" in the abstract name space. */
static bool socket_address(struct sockaddr_un *address, socklen_t *ret_len)
{
        const char *path = g_getenv("NOTIFY_SOCKET");
        size_t len = path ? strlen(path) : 0;

        if (len < 2 || len >= sizeof address->sun_path || (path[0] != '/' && path[0] != '@'))
                return false;
        *address = (struct sockaddr_un){.sun_family = AF_UNIX};
        memcpy(address->sun_path, path, len);
        if (path[0] == '@')
                address->sun_path[0] = '\0';
        *ret_len = (socklen_t) (offsetof(struct sockaddr_un, sun_path) + len);
        return true;
}

static void attach(struct msghdr *message, char *control, size_t size, int fd)
{
        struct cmsghdr *header;

        memset(control, 0, size);
        message->msg_control = control;
        message->msg_controllen = size;
        header = CMSG_FIRSTHDR(message);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(sizeof fd);
        memcpy(CMSG_DATA(header), &fd, sizeof fd);
}

bool tn_systemd_notify(const char *state, int fd)
{
        struct iovec text = {.iov_base = (char *) state, .iov_len = strlen(state)};
        struct sockaddr_un address;
        struct msghdr message = {.msg_name = &address, .msg_iov = &text, .msg_iovlen = 1};
        char control[CMSG_SPACE(sizeof fd)];
        tn_autofd int socket_fd = -1;

        if (!socket_address(&address, &message.msg_namelen))
                return false;
        if (fd >= 0)
                attach(&message, control, sizeof control, fd);
        socket_fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        return socket_fd >= 0 && sendmsg(socket_fd, &message, MSG_NOSIGNAL) >= 0;
}

static bool number_of(const char *variable, guint64 *ret)
{
        const char *text = g_getenv(variable);

        return text && g_ascii_string_to_unsigned(text, 10, 1, G_MAXINT64, ret, NULL);
}

/* Meant for us and not for whoever started us: @variable is our process id. */
static bool is_our_pid(const char *variable)
{
        guint64 pid;

        return number_of(variable, &pid) && pid == (guint64) getpid();
}

bool tn_systemd_watchdog(guint64 *ret_usec)
{
        return (!g_getenv("WATCHDOG_PID") || is_our_pid("WATCHDOG_PID")) &&
               number_of("WATCHDOG_USEC", ret_usec);
}

static unsigned listen_fds(void)
{
        guint64 n = 0;

        return is_our_pid("LISTEN_PID") && number_of("LISTEN_FDS", &n) && n < FDS_MAX ? (unsigned) n : 0;
}

char **tn_systemd_listen_names(void)
{
        const char *text = g_getenv("LISTEN_FDNAMES");
        g_auto(GStrv) given = g_strsplit(text ? text : "", ":", -1);
        unsigned n = listen_fds();
        char **names = g_new0(char *, n + 1);
        guint known = g_strv_length(given);

        for (unsigned i = 0; i < n; i++)
                names[i] = g_strdup(i < known && *given[i] ? given[i] : "unknown");
        return names;
}

void tn_systemd_keep_fds(void)
{
        for (unsigned i = 0, n = listen_fds(); i < n; i++)
                (void) fcntl(TN_SYSTEMD_FIRST_FD + (int) i, F_SETFD, FD_CLOEXEC);
}

void tn_systemd_forget_fds(void)
{
        g_unsetenv("LISTEN_PID");
        g_unsetenv("LISTEN_FDS");
        g_unsetenv("LISTEN_FDNAMES");
}
