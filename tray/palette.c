/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * The setting color-scheme of org.freedesktop.appearance: 1 dark, 2 light, 0 no preference. It is about
 * windows; most panels follow it. The portal is not started for an icon's colours, but asked when it comes.
 */
#include "tray/palette.h"

#include <string.h>

#define SERVICE   "org.freedesktop.portal.Desktop"
#define PATH      "/org/freedesktop/portal/desktop"
#define INTERFACE "org.freedesktop.portal.Settings"
#define CALL_MS   20000

static const char *const space = "org.freedesktop.appearance", *const key = "color-scheme";

struct tn_tray_palette {
        struct tn_bus *bus;
        void (*changed)(const char *palette, void *data);
        void *data;
};

/* @iter is at a value, which older portals wrap twice. */
static void take(struct tn_tray_palette *palette, DBusMessageIter *iter)
{
        static const char *const names[] = {"", "-on-dark", "-on-light"};
        dbus_uint32_t scheme = 0;
        DBusMessageIter inner;

        while (dbus_message_iter_get_arg_type(iter) == DBUS_TYPE_VARIANT) {
                dbus_message_iter_recurse(iter, &inner);
                *iter = inner;
        }
        if (dbus_message_iter_get_arg_type(iter) == DBUS_TYPE_UINT32)
                dbus_message_iter_get_basic(iter, &scheme);
        palette->changed(names[scheme < G_N_ELEMENTS(names) ? scheme : 0], palette->data);
}

static void on_read(DBusMessage *reply, const GError *error, void *data)
{
        DBusMessageIter iter;

        (void) error;
        if (reply && dbus_message_iter_init(reply, &iter))
                take(data, &iter);
}

static void ask(struct tn_tray_palette *palette)
{
        DBusMessage *call = dbus_message_new_method_call(SERVICE, PATH, INTERFACE, "Read");

        dbus_message_set_auto_start(call, FALSE);
        (void) dbus_message_append_args(call, DBUS_TYPE_STRING, &space, DBUS_TYPE_STRING, &key,
                                        DBUS_TYPE_INVALID);
        tn_bus_call(palette->bus, call, CALL_MS, on_read, palette);
        dbus_message_unref(call);
}

static void on_setting(DBusMessage *signal, void *data)
{
        const char *text;
        DBusMessageIter iter;

        if (!dbus_message_has_signature(signal, "ssv"))
                return;
        (void) dbus_message_iter_init(signal, &iter);
        dbus_message_iter_get_basic(&iter, &text);
        if (!g_str_equal(text, space))
                return;
        (void) dbus_message_iter_next(&iter);
        dbus_message_iter_get_basic(&iter, &text);
        (void) dbus_message_iter_next(&iter);
        if (g_str_equal(text, key))
                take(data, &iter);
}

static void on_portal(DBusMessage *signal, void *data)
{
        const char *name, *before, *now;

        if (dbus_message_get_args(signal, NULL, DBUS_TYPE_STRING, &name, DBUS_TYPE_STRING, &before,
                                  DBUS_TYPE_STRING, &now, DBUS_TYPE_INVALID) &&
            *now)
                ask(data);
}

struct tn_tray_palette *tn_tray_palette_new(struct tn_bus *bus,
                                            void (*changed)(const char *palette, void *data), void *data)
{
        struct tn_tray_palette *palette = g_new0(struct tn_tray_palette, 1);

        *palette = (struct tn_tray_palette){bus, changed, data};
        (void) tn_bus_subscribe(bus, SERVICE, PATH, INTERFACE, "SettingChanged", on_setting, palette);
        (void) tn_bus_watch_owner(bus, SERVICE, on_portal, palette);
        ask(palette);
        return palette;
}

void tn_tray_palette_free(struct tn_tray_palette *palette)
{
        g_free(palette);
}
