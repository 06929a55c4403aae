/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * An epoll descriptor of its own, edge-triggered, which GLib polls. Two things cost more than a short
 * request itself when they are not minded. A reader who takes a reply makes an edge of room for output,
 * which nobody waits for: on sockets it is asked for only after a write that did not take all. And GLib
 * takes a source that is being dispatched out of its poll, in case that a loop runs inside of it, and wakes
 * itself up twice for that: no loop runs inside of ours, so the source says that it may recurse, and stays.
 */
#include "agent/edge.h"

#include <errno.h>
#include <glib-unix.h>
#include <sys/epoll.h>

#include "lib/error.h"
#include "lib/fd.h"

struct tn_edge {
        int fd;
        int epoll_fd;
        uint32_t events; /* always asked for */
        bool awaits_room;
        GSource *source;
        tn_edge_func func;
        void *data;
};

static bool ask(const struct tn_edge *edge, int operation, uint32_t more)
{
        struct epoll_event event = {.events = edge->events | more};

        return epoll_ctl(edge->epoll_fd, operation, edge->fd, &event) == 0;
}

static gboolean on_ready(int fd, GIOCondition condition, void *data)
{
        struct tn_edge *edge = data;
        struct epoll_event event;

        (void) condition;
        if (epoll_wait(fd, &event, 1, 0) < 1)
                return G_SOURCE_CONTINUE;
        if (edge->awaits_room && (event.events & EPOLLOUT)) {
                edge->awaits_room = false;
                (void) ask(edge, EPOLL_CTL_MOD, 0);
        }
        edge->func(event.events, edge->data); /* may free us */
        return G_SOURCE_CONTINUE;
}

struct tn_edge *tn_edge_new(int fd, bool output, tn_edge_func func, void *data, GError **error)
{
        struct tn_edge *edge = g_new0(struct tn_edge, 1);

        *edge = (struct tn_edge){.fd = fd, .func = func, .data = data};
        edge->events = EPOLLIN | EPOLLRDHUP | EPOLLET | (output ? EPOLLOUT : 0);
        edge->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
        if (edge->epoll_fd < 0 || !ask(edge, EPOLL_CTL_ADD, 0)) {
                (void) tn_error_errno(error, errno, "watch channel (it must be a device or a socket)");
                tn_edge_free(edge);
                return NULL;
        }
        edge->source = g_unix_fd_source_new(edge->epoll_fd, G_IO_IN);
        g_source_set_callback(edge->source, G_SOURCE_FUNC(on_ready), edge, NULL);
        g_source_set_can_recurse(edge->source, TRUE);
        (void) g_source_attach(edge->source, NULL);
        return edge;
}

void tn_edge_free(struct tn_edge *edge)
{
        if (!edge)
                return;
        if (edge->source) {
                g_source_destroy(edge->source);
                g_source_unref(edge->source);
        }
        tn_fd_close(&edge->epoll_fd);
        g_free(edge);
}

void tn_edge_await_room(struct tn_edge *edge)
{
        if (edge->awaits_room || (edge->events & EPOLLOUT))
                return;
        edge->awaits_room = ask(edge, EPOLL_CTL_MOD, EPOLLOUT);
}
