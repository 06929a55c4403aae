/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * Listening sockets. Several clients are served at a time (qemu-ga lets the second one wait silently);
 * above limits.clients the rest waits in the kernel's queue, and nothing is polled for it.
 */
#define _GNU_SOURCE
#include "agent/listener.h"

#include <errno.h>
#include <glib-unix.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/vm_sockets.h>

#include "agent/channel.h"
#include "lib/error.h"
#include "lib/fd.h"
#include "lib/log.h"
#include "lib/unix-socket.h"

struct tn_listener {
        struct tn_dispatch *dispatch;
        const struct tn_config *config;
        int fd;
        enum tn_listener_role role;
        char *transport;
        char *unlink_path;
        guint source;
        GPtrArray *channels;
        unsigned clients_max;
};

static void start_accepting(struct tn_listener *listener);

static void on_gone(struct tn_channel *channel, void *data)
{
        struct tn_listener *listener = data;

        g_ptr_array_remove_fast(listener->channels, channel);
        tn_channel_free(channel);
        start_accepting(listener);
}

static char *name_peer(const struct tn_listener *listener, int fd, enum tn_trust *ret_trust)
{
        struct ucred cred;
        socklen_t len = sizeof cred;

        *ret_trust = TN_TRUST_HOST;
        if (listener->role != TN_LISTENER_CONTROL)
                return g_strdup("host");
        if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) < 0)
                cred = (struct ucred){.uid = (uid_t) -1};
        *ret_trust = cred.uid == 0 || cred.uid == geteuid() ? TN_TRUST_LOCAL_ROOT : TN_TRUST_LOCAL_USER;
        return g_strdup_printf("uid %u pid %d", cred.uid, cred.pid);
}

static gboolean on_connect(int fd, GIOCondition condition, void *data)
{
        struct tn_listener *listener = data;
        g_autofree char *peer = NULL;
        enum tn_trust trust;
        struct tn_channel *channel;
        int client = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

        (void) condition;
        if (client < 0)
                return G_SOURCE_CONTINUE; /* the client was faster, or we are out of descriptors for now */
        peer = name_peer(listener, client, &trust);
        channel = tn_channel_new(listener->dispatch, listener->config, client, TN_CHANNEL_SOCKET, trust,
                                 listener->transport, peer, on_gone, listener, NULL);
        if (channel && listener->role == TN_LISTENER_QMP)
                tn_channel_use_qmp(channel);
        if (channel && listener->role == TN_LISTENER_CONTROL)
                tn_channel_allow_events(channel);
        if (channel)
                g_ptr_array_add(listener->channels, channel);
        if (listener->channels->len < listener->clients_max)
                return G_SOURCE_CONTINUE;
        listener->source = 0;
        return G_SOURCE_REMOVE;
}

static void start_accepting(struct tn_listener *listener)
{
        if (!listener->source && listener->channels->len < listener->clients_max)
                listener->source = g_unix_fd_add(listener->fd, G_IO_IN, on_connect, listener);
}

struct tn_listener *tn_listener_new(struct tn_dispatch *dispatch, const struct tn_config *config, int fd,
                                    enum tn_listener_role role, const char *transport,
                                    const char *unlink_path)
{
        struct tn_listener *listener = g_new0(struct tn_listener, 1);

        listener->dispatch = dispatch;
        listener->config = config;
        listener->fd = fd;
        listener->role = role;
        listener->transport = g_strdup(transport);
        listener->unlink_path = g_strdup(unlink_path);
        listener->channels = g_ptr_array_new();
        listener->clients_max = (unsigned) tn_config_get_int(config, "limits", "clients");
        (void) g_unix_set_fd_nonblocking(fd, TRUE, NULL);
        start_accepting(listener);
        return listener;
}

void tn_listener_free(struct tn_listener *listener)
{
        if (!listener)
                return;
        g_clear_handle_id(&listener->source, g_source_remove);
        for (guint i = 0; i < listener->channels->len; i++) {
                tn_channel_finish(g_ptr_array_index(listener->channels, i));
                tn_channel_free(g_ptr_array_index(listener->channels, i));
        }
        g_ptr_array_free(listener->channels, TRUE);
        if (listener->unlink_path)
                (void) unlink(listener->unlink_path);
        tn_fd_close(&listener->fd);
        g_free(listener->transport);
        g_free(listener->unlink_path);
        g_free(listener);
}

int tn_listener_open_unix(const char *path, mode_t mode, GError **error)
{
        tn_autofd int fd = tn_unix_socket_bind(path, SOCK_STREAM, mode, error);

        if (fd >= 0 && listen(fd, SOMAXCONN) < 0) {
                tn_error_errno(error, errno, "listen on %s", path);
                return -1;
        }
        return tn_fd_steal(&fd);
}

int tn_listener_open_vsock(const char *address, GError **error)
{
        struct sockaddr_vm addr = {.svm_family = AF_VSOCK, .svm_cid = VMADDR_CID_ANY};
        g_auto(GStrv) parts = g_strsplit(address, ":", 2);
        tn_autofd int fd = -1;
        guint64 cid = VMADDR_CID_ANY, port;

        if (!parts[0] || !parts[1] ||
            !g_ascii_string_to_unsigned(parts[1], 10, 0, G_MAXUINT32, &port, NULL) ||
            (*parts[0] && !g_str_equal(parts[0], "-1") &&
             !g_ascii_string_to_unsigned(parts[0], 10, 0, G_MAXUINT32, &cid, NULL))) {
                tn_error_set(error, TN_ERROR_INVALID,
                             "'%s' is not a vsock address; write CID:PORT, such as 3:1234", address);
                return -1;
        }
        addr.svm_cid = (unsigned) cid;
        addr.svm_port = (unsigned) port;
        fd = socket(AF_VSOCK, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (fd < 0 || bind(fd, (struct sockaddr *) &addr, sizeof addr) < 0 || listen(fd, SOMAXCONN) < 0) {
                tn_error_errno(error, errno, "listen on vsock %s", address);
                return -1;
        }
        return tn_fd_steal(&fd);
}

json_t *tn_listener_to_json(const struct tn_listener *listener)
{
        json_t *list = json_array();

        for (guint i = 0; i < listener->channels->len; i++)
                json_array_append_new(list, tn_channel_to_json(g_ptr_array_index(listener->channels, i)));
        return list;
}
