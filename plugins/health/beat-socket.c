/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * Datagrams on the heartbeat socket. Everybody may send, since a service often beats as another user than
 * the one that registered it; each message is judged by the sender that the kernel vouches for. A sender is
 * the owner of a heartbeat, or a child of an owner. Programs that only know sd_notify(3) are registered by
 * their first beat.
 */
#define _GNU_SOURCE
#include "plugins/health/beat-socket.h"

#include <errno.h>
#include <glib-unix.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "lib/error.h"
#include "lib/fd.h"
#include "lib/log.h"
#include "lib/names.h"
#include "lib/unix-socket.h"
#include "plugins/health/notify.h"

#define MESSAGES_A_TURN 64 /* then others have their turn, too */
#define FDS_MAX         8  /* descriptors that are taken from a message, to be closed */
#define ANCESTORS_MAX   16
#define LOOKUPS_BURST   100 /* senders a second whose ancestors are looked up */
#define REFUSALS_BURST  5   /* refusals a minute that are logged */

struct beat_socket {
        struct tenon_host *host;
        struct heartbeats *heartbeats;
        const struct health_access *access;
        unsigned default_timeout_ms;
        int fd;
        guint source;
        char *path;
        struct tn_log_ratelimit lookups, refusals;
};

struct sender {
        uid_t uid;
        pid_t pid;
        struct sockaddr_un address;
        socklen_t address_len;
};

static pid_t parent_of(const struct tn_env *env, pid_t pid)
{
        g_autofree char *path = g_strdup_printf("proc/%d/stat", pid);
        g_autofree char *line = tn_env_read_line(env, path);
        const char *after = line ? strrchr(line, ')')
                                 : NULL; /* the name before it may have anything in it */
        int parent;

        return after && sscanf(after, ") %*c %d", &parent) == 1 ? parent : 0;
}

/* A child of the owner's beats for it, whatever user it has become. */
static struct heartbeat *find_by_ancestor(struct beat_socket *sock, uid_t uid, pid_t pid)
{
        const struct tn_env *env = sock->host->env;
        pid_t ancestor = pid;

        if (!tn_log_ratelimit_ok(&sock->lookups, LOOKUPS_BURST, G_USEC_PER_SEC, tn_env_monotonic_usec(env)))
                return NULL;
        for (unsigned i = 0; i < ANCESTORS_MAX && (ancestor = parent_of(env, ancestor)) > 1; i++) {
                struct heartbeat *heartbeat = heartbeats_find_pid(sock->heartbeats, ancestor);

                if (heartbeat) {
                        heartbeat->sender_pid = pid;
                        heartbeat->sender_uid = uid;
                        return heartbeat;
                }
        }
        return NULL;
}

struct known {
        uid_t uid;
        pid_t pid;
        struct heartbeat *found;
};

static void match_sender(const struct heartbeat *heartbeat, void *data)
{
        struct known *known = data;

        if (heartbeat->pid_source && heartbeat->sender_pid == known->pid &&
            heartbeat->sender_uid == known->uid)
                known->found = (struct heartbeat *) heartbeat;
}

/* One that a first beat has registered gives way to the one that a parent of the program registers: after a
 * restart of the agent the beats may come first. */
static struct heartbeat *find_sender(struct beat_socket *sock, uid_t uid, pid_t pid)
{
        struct heartbeat *own = heartbeats_find_pid(sock->heartbeats, pid), *found;
        struct known known = {uid, pid, NULL};

        if (own && !own->implicit)
                return own;
        heartbeats_foreach(sock->heartbeats, match_sender, &known);
        found = known.found ? known.found : find_by_ancestor(sock, uid, pid);
        if (!own || !found || found->implicit)
                return own ? own : found;
        heartbeats_remove(own);
        return found;
}

/* The name of a program that has not told one: its own, and its number where that is taken. */
static char *make_name(const struct beat_socket *sock, pid_t pid)
{
        g_autofree char *path = g_strdup_printf("proc/%d/comm", pid);
        g_autofree char *comm = tn_env_read_line(sock->host->env, path);
        g_autofree char *name = g_strdup(comm ? comm : "process");

        g_strcanon(name, G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS "_.-@:", '-');
        if (!heartbeats_find(sock->heartbeats, name))
                return g_steal_pointer(&name);
        return g_strdup_printf("%s-%d", name, pid);
}

static bool register_peer(struct beat_socket *sock, const struct health_notify *message, const char *name,
                          const struct heartbeat_peer *peer, GError **error)
{
        uint64_t timeout_ms = message->timeout_usec ? message->timeout_usec / 1000
                                                    : sock->default_timeout_ms;

        return health_access_check(sock->access, peer, message->required, error) &&
               heartbeats_register(sock->heartbeats, name, peer, timeout_ms, message->required, error);
}

/* Messages of ours have a name; what else is in them holds for that heartbeat. */
static bool take_named(struct beat_socket *sock, const struct health_notify *message,
                       const struct heartbeat_peer *peer, GError **error)
{
        if (message->unregister)
                return heartbeats_unregister(sock->heartbeats, message->name, peer, error);
        if (!register_peer(sock, message, message->name, peer, error))
                return false;
        if (message->failed)
                heartbeats_fail(heartbeats_find(sock->heartbeats, message->name),
                                *message->status ? message->status : "it says so itself");
        if (message->beat)
                heartbeats_beat_now(heartbeats_find(sock->heartbeats, message->name));
        return true;
}

static bool take_first(struct beat_socket *sock, const struct health_notify *message,
                       const struct heartbeat_peer *peer, GError **error)
{
        g_autofree char *name = make_name(sock, peer->pid);

        if (heartbeats_find(sock->heartbeats, name))
                return tn_error_set(error, TN_ERROR_BUSY, "heartbeat '%s' is there already", name);
        if (!register_peer(sock, message, name, peer, error))
                return false;
        heartbeats_find(sock->heartbeats, name)->implicit = true;
        if (message->beat)
                heartbeats_beat_now(heartbeats_find(sock->heartbeats, name));
        return true;
}

static bool take(struct beat_socket *sock, const struct health_notify *message,
                 const struct heartbeat_peer *peer, GError **error)
{
        struct heartbeat *heartbeat;

        if (*message->name)
                return take_named(sock, message, peer, error);
        if (!message->beat && !message->failed && !message->stopping && !message->timeout_usec)
                return true; /* READY=1, STATUS= and all that others send say nothing here */
        heartbeat = find_sender(sock, peer->uid, peer->pid);
        if (!heartbeat)
                return message->stopping || message->failed || take_first(sock, message, peer, error);
        if (message->failed)
                heartbeats_fail(heartbeat, *message->status ? message->status : "it says so itself");
        if (message->timeout_usec)
                heartbeats_set_timeout(heartbeat, message->timeout_usec / 1000);
        if (message->beat)
                heartbeats_beat_now(heartbeat);
        if (message->stopping)
                heartbeats_remove(heartbeat);
        return true;
}

char *beat_socket_take(struct beat_socket *sock, const char *text, size_t len, uid_t uid, pid_t pid)
{
        struct heartbeat_peer peer = health_access_peer(uid, pid);
        struct health_notify message;
        g_autoptr(GError) error = NULL;

        if (!health_notify_parse(text, len, &message))
                return g_strdup("the message is not in the protocol of sd_notify(3)");
        return take(sock, &message, &peer, &error) ? NULL : g_strdup(error->message);
}

static void log_refusal(struct beat_socket *sock, const struct sender *sender, const char *why)
{
        if (tn_log_ratelimit_ok(&sock->refusals, REFUSALS_BURST, 60 * G_USEC_PER_SEC,
                                tn_env_monotonic_usec(sock->host->env)))
                sock->host->log(sock->host, TN_LOG_WARNING, "heartbeat of process %d, user %u: %s",
                                sender->pid, sender->uid, why);
}

/* Who has bound its own socket wants to know. */
static void answer(const struct beat_socket *sock, const struct sender *sender, const char *refusal)
{
        g_autofree char *text = g_strdup_printf(TN_BEAT_RESULT "=%s", refusal ? refusal : "ok");

        if (sender->address_len > offsetof(struct sockaddr_un, sun_path))
                (void) sendto(sock->fd, text, strlen(text), MSG_DONTWAIT | MSG_NOSIGNAL,
                              (const struct sockaddr *) &sender->address, sender->address_len);
}

/* BARRIER=1 has a descriptor that its sender waits for to be closed. */
static void close_fds(const struct cmsghdr *cmsg)
{
        size_t count = (cmsg->cmsg_len - CMSG_LEN(0)) / sizeof(int);

        for (size_t i = 0; i < count; i++) {
                int fd;

                memcpy(&fd, CMSG_DATA(cmsg) + i * sizeof fd, sizeof fd);
                (void) close(fd);
        }
}

static bool read_sender(struct msghdr *header, struct sender *ret)
{
        bool found = false;

        for (struct cmsghdr *cmsg = CMSG_FIRSTHDR(header); cmsg; cmsg = CMSG_NXTHDR(header, cmsg)) {
                struct ucred cred;

                if (cmsg->cmsg_level != SOL_SOCKET)
                        continue;
                if (cmsg->cmsg_type == SCM_RIGHTS) {
                        close_fds(cmsg);
                } else if (cmsg->cmsg_type == SCM_CREDENTIALS) {
                        memcpy(&cred, CMSG_DATA(cmsg), sizeof cred);
                        ret->uid = cred.uid;
                        ret->pid = cred.pid;
                        found = cred.pid > 0;
                }
        }
        return found;
}

/* False: there is nothing more. */
static bool read_one(struct beat_socket *sock)
{
        char text[HEALTH_NOTIFY_MAX + 1]; /* one more, so that a longer one is seen to be so */
        union {
                char bytes[CMSG_SPACE(sizeof(struct ucred)) + CMSG_SPACE(sizeof(int) * FDS_MAX)];
                struct cmsghdr align;
        } control;
        struct iovec part = {text, sizeof text};
        struct sender sender = {0};
        struct msghdr header = {
                .msg_name = &sender.address,
                .msg_namelen = sizeof sender.address,
                .msg_iov = &part,
                .msg_iovlen = 1,
                .msg_control = &control,
                .msg_controllen = sizeof control,
        };
        ssize_t n = recvmsg(sock->fd, &header, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
        g_autofree char *refusal = NULL;

        if (n < 0)
                return errno == EINTR;
        sender.address_len = header.msg_namelen;
        if (!read_sender(&header, &sender))
                return true;
        refusal = (header.msg_flags & MSG_TRUNC) || n > HEALTH_NOTIFY_MAX
                          ? g_strdup("the message is longer than 4096 bytes")
                          : beat_socket_take(sock, text, (size_t) n, sender.uid, sender.pid);
        if (refusal)
                log_refusal(sock, &sender, refusal);
        answer(sock, &sender, refusal);
        return true;
}

void beat_socket_drain(struct beat_socket *sock)
{
        for (unsigned i = 0; sock->fd >= 0 && i < MESSAGES_A_TURN && read_one(sock); i++)
                ;
}

static gboolean on_message(int fd, GIOCondition condition, void *data)
{
        (void) fd;
        (void) condition;
        beat_socket_drain(data);
        return G_SOURCE_CONTINUE;
}

struct beat_socket *beat_socket_new(struct tenon_host *host, struct heartbeats *heartbeats,
                                    const struct health_access *access, unsigned default_timeout_ms)
{
        struct beat_socket *sock = g_new0(struct beat_socket, 1);

        sock->host = host;
        sock->heartbeats = heartbeats;
        sock->access = access;
        sock->default_timeout_ms = default_timeout_ms;
        sock->fd = -1;
        return sock;
}

void beat_socket_free(struct beat_socket *sock)
{
        if (!sock)
                return;
        g_clear_handle_id(&sock->source, g_source_remove);
        if (sock->fd >= 0)
                (void) unlink(sock->path);
        tn_fd_close(&sock->fd);
        g_free(sock->path);
        g_free(sock);
}

bool beat_socket_open(struct beat_socket *sock, const char *path, GError **error)
{
        tn_autofd int fd = tn_unix_socket_bind(path, SOCK_DGRAM, 0666, error);
        int on = 1;

        if (fd < 0)
                return false;
        if (setsockopt(fd, SOL_SOCKET, SO_PASSCRED, &on, sizeof on) < 0) {
                (void) unlink(path);
                return tn_error_errno(error, errno, "ask the kernel who sends to %s", path);
        }
        sock->fd = tn_fd_steal(&fd);
        sock->path = g_strdup(path);
        sock->source = g_unix_fd_add(sock->fd, G_IO_IN, on_message, sock);
        return true;
}
