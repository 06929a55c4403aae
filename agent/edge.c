/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * A port has an epoll descriptor of its own, edge-triggered, which the loop waits for. A socket has no state
 * that lasts without end, so the loop waits for the socket itself, which saves a system call in each
 * request; what would last there, input that is not taken and the end of it, is masked by tn_edge_hold().
 *
 * Two things cost more than a short request itself when they are not minded. A reader who takes a reply
 * makes an edge of room for output, which nobody waits for: on sockets it is asked for only after a write
 * that did not take all. And GLib takes a source that is being dispatched out of its poll, in case that a
 * loop runs inside of it, and wakes itself up twice for that: no loop runs inside of ours, so the source
 * says that it may recurse, and stays.
 */
#include "agent/edge.h"

#include <errno.h>
#include <glib-unix.h>
#include <sys/epoll.h>

#include "lib/error.h"
#include "lib/fd.h"

#define INPUT (EPOLLIN | EPOLLRDHUP) /* poll(2) and GLib have the same numbers */

struct tn_edge {
        int fd;
        int epoll_fd; /* of a port; -1 of a socket */
        bool awaits_room, held;
        GSource *source;
        void *tag;
        tn_edge_func func;
        void *data;
};

struct edge_source {
        GSource base;
        struct tn_edge *edge;
};

/* What the loop waits for on a socket. */
static GIOCondition asked(const struct tn_edge *edge)
{
        return (GIOCondition) ((edge->held ? 0 : INPUT) | (edge->awaits_room ? EPOLLOUT : 0));
}

static void ask(struct tn_edge *edge)
{
        if (edge->epoll_fd < 0)
                g_source_modify_unix_fd(edge->source, edge->tag, asked(edge));
}

/* False when there is none. */
static bool take_event(struct tn_edge *edge, uint32_t *ret_events)
{
        struct epoll_event event;

        if (edge->epoll_fd < 0) {
                *ret_events = (uint32_t) g_source_query_unix_fd(edge->source, edge->tag);
                return *ret_events != 0;
        }
        if (epoll_wait(edge->epoll_fd, &event, 1, 0) < 1)
                return false;
        *ret_events = event.events;
        return true;
}

static gboolean on_ready(GSource *source, GSourceFunc unused, void *also_unused)
{
        struct tn_edge *edge = ((struct edge_source *) source)->edge;
        uint32_t events;

        (void) unused;
        (void) also_unused;
        if (!take_event(edge, &events))
                return G_SOURCE_CONTINUE;
        if (edge->awaits_room && (events & EPOLLOUT)) {
                edge->awaits_room = false;
                ask(edge);
        }
        edge->func(events, edge->data); /* may free us */
        return G_SOURCE_CONTINUE;
}

/* Of a port, that there is room is the edge which says that a host has opened it. */
static bool open_epoll(struct tn_edge *edge)
{
        struct epoll_event event = {.events = INPUT | EPOLLOUT | EPOLLET};

        edge->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
        return edge->epoll_fd >= 0 && epoll_ctl(edge->epoll_fd, EPOLL_CTL_ADD, edge->fd, &event) == 0;
}

struct tn_edge *tn_edge_new(int fd, enum tn_edge_kind kind, tn_edge_func func, void *data, GError **error)
{
        static GSourceFuncs funcs = {.dispatch = on_ready};
        struct tn_edge *edge = g_new0(struct tn_edge, 1);

        *edge = (struct tn_edge){.fd = fd, .epoll_fd = -1, .func = func, .data = data};
        if (kind == TN_EDGE_PORT && !open_epoll(edge)) {
                (void) tn_error_errno(error, errno, "watch channel (it must be a device or a socket)");
                tn_edge_free(edge);
                return NULL;
        }
        edge->source = g_source_new(&funcs, sizeof(struct edge_source));
        ((struct edge_source *) edge->source)->edge = edge;
        edge->tag = kind == TN_EDGE_PORT ? g_source_add_unix_fd(edge->source, edge->epoll_fd, G_IO_IN)
                                         : g_source_add_unix_fd(edge->source, edge->fd, asked(edge));
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
        if (edge->epoll_fd >= 0 || edge->awaits_room)
                return;
        edge->awaits_room = true;
        ask(edge);
}

void tn_edge_hold(struct tn_edge *edge, bool held)
{
        if (edge->epoll_fd >= 0 || edge->held == held)
                return;
        edge->held = held;
        ask(edge);
}
