/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * Gathers the events of a descriptor. The surprising thing: between the first event and the call the
 * descriptor is not watched at all, so a storm of events costs five wakeups a second and not thousands.
 */
#include "plugins/guestinfo/watch.h"

#include <glib-unix.h>
#include <stdbool.h>

#include "lib/fd.h"

struct tn_watch {
        int fd;
        GIOCondition condition;
        void (*drain)(int fd);
        void (*changed)(void *data);
        void *data;
        guint source;      /* the descriptor's, or the timer's: never both */
        guint look_source; /* idle: it is watched again, so look */
};

static gboolean on_event(gint fd, GIOCondition condition, gpointer data);

static gboolean on_look(gpointer data)
{
        struct tn_watch *watch = data;

        watch->look_source = 0;
        watch->changed(watch->data); /* last, for it may free the watch */
        return G_SOURCE_REMOVE;
}

/* A descriptor with POLLPRI may tell nothing of what changes before the loop has asked for it
 * (agent/poller.c), so look again in the turn after that. */
static void begin(struct tn_watch *watch)
{
        watch->source = g_unix_fd_add(watch->fd, watch->condition, on_event, watch);
        if (watch->condition & G_IO_PRI)
                watch->look_source = g_idle_add_full(G_PRIORITY_DEFAULT, on_look, watch, NULL);
}

static gboolean on_delay_over(gpointer data)
{
        struct tn_watch *watch = data;

        /* First empty, then watch, then read anew: what changes from now on wakes us again. */
        if (watch->drain)
                watch->drain(watch->fd);
        begin(watch);
        if (!watch->look_source)
                watch->changed(watch->data); /* last, for it may free the watch */
        return G_SOURCE_REMOVE;
}

static gboolean on_event(gint fd, GIOCondition condition, gpointer data)
{
        struct tn_watch *watch = data;

        (void) fd;
        (void) condition;
        watch->source = g_timeout_add(TN_WATCH_DELAY_MS, on_delay_over, watch);
        return G_SOURCE_REMOVE;
}

struct tn_watch *tn_watch_new(int fd, GIOCondition condition, void (*drain)(int fd),
                              void (*changed)(void *data), void *data)
{
        struct tn_watch *watch = g_new(struct tn_watch, 1);

        *watch = (struct tn_watch){
                .fd = fd, .condition = condition, .drain = drain, .changed = changed, .data = data};
        begin(watch);
        return watch;
}

void tn_watch_free(struct tn_watch *watch)
{
        if (!watch)
                return;
        g_source_remove(watch->source);
        g_clear_handle_id(&watch->look_source, g_source_remove);
        tn_fd_close(&watch->fd);
        g_free(watch);
}
