/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * Puts the parts together. What lives on the session bus is made anew with each connection; what the agent
 * said, and what the user knows, outlives it. The surprising thing is who wins when two are started: the
 * newer one, because the older may be left over from a session that ended, with the wrong display for its
 * terminals.
 */
#include "tray/tray.h"

#include "lib/bus-object.h"
#include "lib/names.h"
#include "tray/agent.h"
#include "tray/item.h"
#include "tray/link.h"
#include "tray/menu.h"
#include "tray/notify.h"
#include "tray/palette.h"
#include "tray/terminal.h"

#define DOUBLE_CLICK_MS 500 /* opens one terminal */

struct tn_tray {
        const struct tn_tray_settings *settings;
        GMainLoop *loop;
        struct tn_tray_memory *memory;
        struct tn_tray_agent *agent;
        struct tn_tray_view *view;
        struct tn_tray_link *link;
        const char *icons;
        gint64 opened_usec; /* when the last terminal was */
        /* On the session bus; NULL without one. */
        struct tn_bus *bus;
        struct tn_tray_menu *menu;
        struct tn_tray_item *item;
        struct tn_tray_notifier *notifier;
        struct tn_tray_palette *palette;
};

static void show(struct tn_tray *tray)
{
        if (!tray->bus || !tray->view)
                return;
        tn_tray_menu_set(tray->menu, tray->view);
        tn_tray_item_set(tray->item, tray->view,
                         tray->settings->icons ? tray->settings->icons : tray->icons);
}

static void look(struct tn_tray *tray)
{
        tn_tray_view_free(tray->view);
        tray->view = tn_tray_view_new(tn_tray_agent_facts(tray->agent), tn_tray_memory_seen(tray->memory));
        show(tray);
}

static void on_agent(void *data)
{
        struct tn_tray *tray = data;

        if (!tray->agent)
                return; /* within tn_tray_agent_new() */
        look(tray);
        if (tray->notifier)
                tn_tray_notifier_update(tray->notifier, tray->view);
}

static void on_checked(const char *text, const GError *error, void *data)
{
        struct tn_tray *tray = data;

        if (!tray->notifier)
                return;
        if (error)
                tn_tray_notifier_say(tray->notifier, "Tenon could not look for updates", error->message);
        else
                tn_tray_notifier_say(tray->notifier, "Tenon has looked for updates", text);
}

static void open_status(void *data)
{
        struct tn_tray *tray = data;
        gint64 now = g_get_monotonic_time();
        g_autoptr(GError) error = NULL;

        if (tray->opened_usec && now - tray->opened_usec < DOUBLE_CLICK_MS * 1000)
                return;
        tray->opened_usec = now;
        if (!tn_tray_terminal_open(tray->settings->program, &error)) {
                tn_tray_notifier_say(tray->notifier, "Tenon cannot open its status", error->message);
                return;
        }
        tn_tray_memory_see(tray->memory);
        look(tray);
}

static void on_menu(enum tn_tray_action action, void *data)
{
        struct tn_tray *tray = data;

        if (action == TN_TRAY_OPEN_STATUS)
                open_status(tray);
        else if (action == TN_TRAY_CHECK_UPDATES)
                tn_tray_agent_check_updates(tray->agent, on_checked);
        else if (action == TN_TRAY_QUIT)
                g_main_loop_quit(tray->loop);
}

static void on_palette(const char *icons, void *data)
{
        struct tn_tray *tray = data;

        tray->icons = icons;
        show(tray);
}

static void on_name_lost(DBusMessage *signal, void *data)
{
        struct tn_tray *tray = data;
        const char *name;

        if (g_strcmp0(dbus_message_get_sender(signal), DBUS_SERVICE_DBUS) == 0 &&
            dbus_message_get_args(signal, NULL, DBUS_TYPE_STRING, &name, DBUS_TYPE_INVALID) &&
            g_str_equal(name, TN_BUS_TRAY))
                g_main_loop_quit(tray->loop);
}

static void own_name(struct tn_bus *bus)
{
        DBusMessage *call = dbus_message_new_method_call(DBUS_SERVICE_DBUS, DBUS_PATH_DBUS,
                                                         DBUS_INTERFACE_DBUS, "RequestName");
        dbus_uint32_t flags = DBUS_NAME_FLAG_ALLOW_REPLACEMENT | DBUS_NAME_FLAG_REPLACE_EXISTING |
                              DBUS_NAME_FLAG_DO_NOT_QUEUE;
        const char *name = TN_BUS_TRAY;

        (void) dbus_message_append_args(call, DBUS_TYPE_STRING, &name, DBUS_TYPE_UINT32, &flags,
                                        DBUS_TYPE_INVALID);
        tn_bus_send(bus, call);
        dbus_message_unref(call);
}

static void on_up(struct tn_bus *bus, void *data)
{
        struct tn_tray *tray = data;

        tray->bus = bus;
        tray->icons = "";
        (void) tn_bus_subscribe(bus, NULL, DBUS_PATH_DBUS, DBUS_INTERFACE_DBUS, "NameLost", on_name_lost,
                                tray);
        own_name(bus);
        /* The menu before the item: a tray asks for it as soon as it knows the item. */
        tray->menu = tn_tray_menu_new(bus, on_menu, tray);
        tray->item = tn_tray_item_new(bus, tray->settings->icon_path, open_status, tray);
        tray->notifier = tn_tray_notifier_new(bus, tray->memory, open_status, tray);
        if (!tray->menu || !tray->item)
                g_error("out of memory"); /* as GLib itself does: no path can be taken on a new connection */
        tray->palette = tn_tray_palette_new(bus, on_palette, tray);
        show(tray);
        if (tray->view)
                tn_tray_notifier_update(tray->notifier, tray->view);
}

static void on_down(void *data)
{
        struct tn_tray *tray = data;

        g_clear_pointer(&tray->palette, tn_tray_palette_free);
        g_clear_pointer(&tray->notifier, tn_tray_notifier_free);
        g_clear_pointer(&tray->item, tn_tray_item_free);
        g_clear_pointer(&tray->menu, tn_tray_menu_free);
        tray->bus = NULL;
}

static const struct tn_tray_link_hooks hooks = {on_up, on_down};

struct tn_tray *tn_tray_new(const struct tn_tray_settings *settings, GMainLoop *loop)
{
        struct tn_tray *tray = g_new0(struct tn_tray, 1);

        *tray = (struct tn_tray){
                .settings = settings,
                .loop = loop,
                .memory = tn_tray_memory_new(settings->memory),
                .icons = "",
        };
        tray->link = tn_tray_link_new(settings->session_bus, &hooks, tray);
        tray->agent = tn_tray_agent_new(on_agent, tray);
        look(tray);
        return tray;
}

void tn_tray_free(struct tn_tray *tray)
{
        if (!tray)
                return;
        tn_tray_agent_free(tray->agent);
        tn_tray_link_free(tray->link);
        tn_tray_view_free(tray->view);
        tn_tray_memory_free(tray->memory);
        g_free(tray);
}
