/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* The shared connection. It is dropped from an idle call, since the news of its loss comes from within it.
 */
#include "plugins/health/bus-link.h"

struct watcher {
        health_bus_lost lost;
        void *data;
};

struct health_bus {
        struct tn_bus *bus;
        struct tn_bus_match *match;
        guint drop_source;
        GArray *watchers; /* struct watcher */
};

struct health_bus *health_bus_new(void)
{
        struct health_bus *link = g_new0(struct health_bus, 1);

        link->watchers = g_array_new(FALSE, FALSE, sizeof(struct watcher));
        return link;
}

static void drop(struct health_bus *link)
{
        g_clear_handle_id(&link->drop_source, g_source_remove);
        if (!link->bus)
                return;
        for (guint i = 0; i < link->watchers->len; i++) {
                const struct watcher *watcher = &g_array_index(link->watchers, struct watcher, i);

                watcher->lost(watcher->data);
        }
        tn_bus_unsubscribe(link->match);
        link->match = NULL;
        g_clear_pointer(&link->bus, tn_bus_free);
}

static gboolean on_drop(void *data)
{
        struct health_bus *link = data;

        link->drop_source = 0;
        drop(link);
        return G_SOURCE_REMOVE;
}

static void on_disconnected(DBusMessage *signal, void *data)
{
        struct health_bus *link = data;

        (void) signal;
        if (!link->drop_source)
                link->drop_source = g_idle_add(on_drop, link);
}

void health_bus_free(struct health_bus *link)
{
        if (!link)
                return;
        drop(link);
        g_array_free(link->watchers, TRUE);
        g_free(link);
}

struct tn_bus *health_bus_get(struct health_bus *link, GError **error)
{
        if (link->bus)
                return link->bus;
        link->bus = tn_bus_open(NULL, error);
        if (link->bus)
                link->match = tn_bus_subscribe(link->bus, NULL, DBUS_PATH_LOCAL, DBUS_INTERFACE_LOCAL,
                                               "Disconnected", on_disconnected, link);
        return link->bus;
}

void health_bus_watch(struct health_bus *link, health_bus_lost lost, void *data)
{
        struct watcher watcher = {lost, data};

        g_array_append_val(link->watchers, watcher);
}

void health_bus_unwatch(struct health_bus *link, void *data)
{
        for (guint i = link->watchers->len; i-- > 0;)
                if (g_array_index(link->watchers, struct watcher, i).data == data)
                        g_array_remove_index(link->watchers, i);
}
