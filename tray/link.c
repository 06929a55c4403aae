/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * The news of a lost connection comes from within that connection, so it is dropped from an idle call. A bus
 * that was restarted listens again after a moment; one that stays away, or takes us and drops us, is looked
 * for ever more seldom, in the end once a minute.
 */
#include "tray/link.h"

#define RETRY_MIN_S 1
#define RETRY_MAX_S 60

struct tn_tray_link {
        char *address;
        const struct tn_tray_link_hooks *hooks;
        void *data;
        struct tn_bus *bus;
        guint source; /* to drop the bus, or to open it again */
        guint wait_s;
        gint64 opened_usec;
};

static void open_bus(struct tn_tray_link *link);

static gboolean on_retry(void *data)
{
        struct tn_tray_link *link = data;

        link->source = 0;
        open_bus(link);
        return G_SOURCE_REMOVE;
}

static void retry_later(struct tn_tray_link *link)
{
        link->source = g_timeout_add_seconds(link->wait_s, on_retry, link);
        link->wait_s = MIN(link->wait_s * 2, RETRY_MAX_S);
}

static void drop(struct tn_tray_link *link)
{
        if (!link->bus)
                return;
        link->hooks->down(link->data);
        g_clear_pointer(&link->bus, tn_bus_free);
}

static gboolean on_drop(void *data)
{
        struct tn_tray_link *link = data;

        link->source = 0;
        if (g_get_monotonic_time() - link->opened_usec > RETRY_MAX_S * G_USEC_PER_SEC)
                link->wait_s = RETRY_MIN_S;
        drop(link);
        retry_later(link);
        return G_SOURCE_REMOVE;
}

static void on_disconnected(DBusMessage *signal, void *data)
{
        struct tn_tray_link *link = data;

        (void) signal;
        if (!link->source)
                link->source = g_idle_add(on_drop, link);
}

static void open_bus(struct tn_tray_link *link)
{
        g_autoptr(GError) error = NULL;

        link->bus = tn_bus_open(link->address, &error);
        if (!link->bus) {
                g_debug("%s", error->message);
                retry_later(link);
                return;
        }
        link->opened_usec = g_get_monotonic_time();
        (void) tn_bus_subscribe(link->bus, NULL, DBUS_PATH_LOCAL, DBUS_INTERFACE_LOCAL, "Disconnected",
                                on_disconnected, link);
        link->hooks->up(link->bus, link->data);
}

struct tn_tray_link *tn_tray_link_new(const char *address, const struct tn_tray_link_hooks *hooks,
                                      void *data)
{
        struct tn_tray_link *link = g_new0(struct tn_tray_link, 1);

        *link = (struct tn_tray_link){
                .address = g_strdup(address), .hooks = hooks, .data = data, .wait_s = RETRY_MIN_S};
        open_bus(link);
        return link;
}

void tn_tray_link_free(struct tn_tray_link *link)
{
        if (!link)
                return;
        g_clear_handle_id(&link->source, g_source_remove);
        drop(link);
        g_free(link->address);
        g_free(link);
}
