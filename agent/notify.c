/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * The protocols of sd_notify(3) and sd_watchdog_enabled(3), which systemd promises not to change and expects
 * programs to speak by themselves. The watchdog's beat is a plain timeout of the main loop: that the loop
 * turns is its meaning. It is the only periodic wakeup of an idle agent, twice in each WatchdogSec=.
 */
#include "agent/notify.h"

#include <fcntl.h>
#include <glib.h>
#include <stdbool.h>
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

static void notify(const char *state)
{
        struct sockaddr_un address;
        socklen_t len;
        tn_autofd int fd = -1;

        if (!socket_address(&address, &len))
                return;
        fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        if (fd >= 0) /* who does not listen is not told */
                (void) sendto(fd, state, strlen(state), MSG_NOSIGNAL, (struct sockaddr *) &address, len);
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

static gboolean on_beat(void *data)
{
        notify("WATCHDOG=1");
        return G_SOURCE_CONTINUE;
}

void tn_notify_ready(void)
{
        notify("READY=1\nSTATUS=Running");
}

void tn_notify_start_beating(void)
{
        guint64 usec;

        if (!number_of("WATCHDOG_USEC", &usec) || (g_getenv("WATCHDOG_PID") && !is_our_pid("WATCHDOG_PID")))
                return;
        notify("WATCHDOG=1");
        g_timeout_add_seconds((guint) CLAMP(usec / 2 / G_USEC_PER_SEC, 1, G_MAXINT), on_beat, NULL);
}

void tn_notify_reloading(void)
{
        notify("RELOADING=1");
}

void tn_notify_stopping(void)
{
        notify("STOPPING=1");
}

unsigned tn_notify_listen_fds(void)
{
        guint64 n = 0;

        if (is_our_pid("LISTEN_PID") && number_of("LISTEN_FDS", &n) && n < FDS_MAX)
                for (guint64 i = 0; i < n; i++)
                        (void) fcntl(TN_NOTIFY_FIRST_FD + (int) i, F_SETFD, FD_CLOEXEC);
        else
                n = 0;
        g_unsetenv("LISTEN_PID");
        g_unsetenv("LISTEN_FDS");
        g_unsetenv("LISTEN_FDNAMES");
        return (unsigned) n;
}
