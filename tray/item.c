/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * org.kde.StatusNotifierItem as freedesktop.org's "Status Notifier Item" draft and the hosts have it. Two
 * things are not obvious: IconName is the sign of attention as well while there is something, because some
 * hosts never look at AttentionIconName; and the icon is registered again for each new owner of the
 * watcher's name, which is all that it takes to survive a restart of the panel.
 */
#include "tray/item.h"

#include <unistd.h>

#include "lib/bus-object.h"
#include "tray/menu.h"
#include "tray/pixmaps.h"

#define PATH      "/StatusNotifierItem"
#define INTERFACE "org.kde.StatusNotifierItem"
#define WATCHER   "org.kde.StatusNotifierWatcher"
#define CALL_MS   20000

struct tn_tray_item {
        struct tn_bus *bus;
        struct tn_bus_object *object;
        struct tn_bus_match *watcher;
        char *name; /* ours on the bus */
        char *icon_path;
        void (*activate)(void *data);
        void *data;
        enum tn_tray_state state;
        char *icon, *headline, *tooltip;
};

struct pixmap {
        dbus_int32_t size;
        const unsigned char *bytes;
        size_t length;
};

#define PIXMAP(name, size)                                                                                  \
        {                                                                                                   \
                size, name##_##size, sizeof name##_##size                                                   \
        }

static const struct state_row {
        const char *icon, *status;
        struct pixmap pixmaps[3];
} states[] = {
        [TN_TRAY_STOPPED] = {"tenon-tray-stopped",
                             "Active",
                             {PIXMAP(tenon_tray_stopped, 16), PIXMAP(tenon_tray_stopped, 24),
                              PIXMAP(tenon_tray_stopped, 48)}},
        [TN_TRAY_WELL] = {"tenon-tray",
                          "Active",
                          {PIXMAP(tenon_tray, 16), PIXMAP(tenon_tray, 24), PIXMAP(tenon_tray, 48)}},
        [TN_TRAY_ATTENTION] = {"tenon-tray-attention",
                               "NeedsAttention",
                               {PIXMAP(tenon_tray_attention, 16), PIXMAP(tenon_tray_attention, 24),
                                PIXMAP(tenon_tray_attention, 48)}},
};

static void append_text(DBusMessageIter *ret, const char *text)
{
        (void) dbus_message_iter_append_basic(ret, DBUS_TYPE_STRING, &text);
}

static void append_pixmaps(DBusMessageIter *ret, const struct state_row *row)
{
        DBusMessageIter list, pixmap, bytes;

        (void) dbus_message_iter_open_container(ret, DBUS_TYPE_ARRAY, "(iiay)", &list);
        for (size_t i = 0; row && i < G_N_ELEMENTS(row->pixmaps); i++) {
                const struct pixmap *p = &row->pixmaps[i];

                (void) dbus_message_iter_open_container(&list, DBUS_TYPE_STRUCT, NULL, &pixmap);
                (void) dbus_message_iter_append_basic(&pixmap, DBUS_TYPE_INT32, &p->size);
                (void) dbus_message_iter_append_basic(&pixmap, DBUS_TYPE_INT32, &p->size);
                (void) dbus_message_iter_open_container(&pixmap, DBUS_TYPE_ARRAY, "y", &bytes);
                (void) dbus_message_iter_append_fixed_array(&bytes, DBUS_TYPE_BYTE, &p->bytes,
                                                            (int) p->length);
                (void) dbus_message_iter_close_container(&pixmap, &bytes);
                (void) dbus_message_iter_close_container(&list, &pixmap);
        }
        (void) dbus_message_iter_close_container(ret, &list);
}

static void get_category(DBusMessageIter *ret, void *data)
{
        (void) data;
        append_text(ret, "SystemServices");
}

static void get_id(DBusMessageIter *ret, void *data)
{
        (void) data;
        append_text(ret, "tenon-tray");
}

static void get_title(DBusMessageIter *ret, void *data)
{
        append_text(ret, ((struct tn_tray_item *) data)->headline);
}

static void get_status(DBusMessageIter *ret, void *data)
{
        append_text(ret, states[((struct tn_tray_item *) data)->state].status);
}

static void get_window(DBusMessageIter *ret, void *data)
{
        dbus_int32_t none = 0;

        (void) data;
        (void) dbus_message_iter_append_basic(ret, DBUS_TYPE_INT32, &none);
}

static void get_icon_path(DBusMessageIter *ret, void *data)
{
        append_text(ret, ((struct tn_tray_item *) data)->icon_path);
}

static void get_icon(DBusMessageIter *ret, void *data)
{
        append_text(ret, ((struct tn_tray_item *) data)->icon);
}

static void get_pixmap(DBusMessageIter *ret, void *data)
{
        append_pixmaps(ret, &states[((struct tn_tray_item *) data)->state]);
}

static void get_attention_icon(DBusMessageIter *ret, void *data)
{
        const struct tn_tray_item *item = data;

        append_text(ret, item->state == TN_TRAY_ATTENTION ? item->icon : states[TN_TRAY_ATTENTION].icon);
}

static void get_attention_pixmap(DBusMessageIter *ret, void *data)
{
        (void) data;
        append_pixmaps(ret, &states[TN_TRAY_ATTENTION]);
}

static void get_nothing(DBusMessageIter *ret, void *data)
{
        (void) data;
        append_text(ret, "");
}

static void get_no_pixmap(DBusMessageIter *ret, void *data)
{
        (void) data;
        append_pixmaps(ret, NULL);
}

static void get_tooltip(DBusMessageIter *ret, void *data)
{
        const struct tn_tray_item *item = data;
        DBusMessageIter tooltip;

        (void) dbus_message_iter_open_container(ret, DBUS_TYPE_STRUCT, NULL, &tooltip);
        append_text(&tooltip, item->icon);
        append_pixmaps(&tooltip, NULL);
        append_text(&tooltip, item->headline);
        append_text(&tooltip, item->tooltip);
        (void) dbus_message_iter_close_container(ret, &tooltip);
}

static void get_is_menu(DBusMessageIter *ret, void *data)
{
        dbus_bool_t no = FALSE;

        (void) data;
        (void) dbus_message_iter_append_basic(ret, DBUS_TYPE_BOOLEAN, &no);
}

static void get_menu(DBusMessageIter *ret, void *data)
{
        const char *path = TN_TRAY_MENU_PATH;

        (void) data;
        (void) dbus_message_iter_append_basic(ret, DBUS_TYPE_OBJECT_PATH, &path);
}

static void run_activate(struct tn_bus_request *request, void *data)
{
        const struct tn_tray_item *item = data;

        tn_bus_request_reply(request, NULL);
        item->activate(item->data);
}

/* The host shows the menu itself; there is nothing to scroll. */
static void run_nothing(struct tn_bus_request *request, void *data)
{
        (void) data;
        tn_bus_request_reply(request, NULL);
}

static const struct tn_bus_method methods[] = {
        {"Activate", "ii", 0, run_activate},
        {"SecondaryActivate", "ii", 0, run_nothing},
        {"ContextMenu", "ii", 0, run_nothing},
        {"Scroll", "is", 0, run_nothing},
        {NULL},
};

static const struct tn_bus_property properties[] = {
        {"Category", "s", get_category},
        {"Id", "s", get_id},
        {"Title", "s", get_title},
        {"Status", "s", get_status},
        {"WindowId", "i", get_window},
        {"IconThemePath", "s", get_icon_path},
        {"IconName", "s", get_icon},
        {"IconPixmap", "a(iiay)", get_pixmap},
        {"OverlayIconName", "s", get_nothing},
        {"OverlayIconPixmap", "a(iiay)", get_no_pixmap},
        {"AttentionIconName", "s", get_attention_icon},
        {"AttentionIconPixmap", "a(iiay)", get_attention_pixmap},
        {"AttentionMovieName", "s", get_nothing},
        {"ToolTip", "(sa(iiay)ss)", get_tooltip},
        {"ItemIsMenu", "b", get_is_menu},
        {"Menu", "o", get_menu},
        {NULL},
};

static const char introspection[] =
#include "tray/item-xml.inc"
        ;

static const struct tn_bus_interface interface = {INTERFACE, methods, properties};
static const struct tn_bus_interface *const interfaces[] = {&interface, NULL};

static void on_registered(DBusMessage *reply, const GError *error, void *data)
{
        (void) reply;
        (void) data;
        if (error)
                g_debug("no tray yet: %s", error->message);
}

static void register_item(struct tn_tray_item *item)
{
        DBusMessage *call = dbus_message_new_method_call(WATCHER, "/StatusNotifierWatcher", WATCHER,
                                                         "RegisterStatusNotifierItem");

        dbus_message_set_auto_start(call, FALSE);
        (void) dbus_message_append_args(call, DBUS_TYPE_STRING, &item->name, DBUS_TYPE_INVALID);
        tn_bus_call(item->bus, call, CALL_MS, on_registered, NULL);
        dbus_message_unref(call);
}

static void on_watcher(DBusMessage *signal, void *data)
{
        const char *name, *before, *now;

        if (dbus_message_get_args(signal, NULL, DBUS_TYPE_STRING, &name, DBUS_TYPE_STRING, &before,
                                  DBUS_TYPE_STRING, &now, DBUS_TYPE_INVALID) &&
            *now)
                register_item(data);
}

static void on_named(DBusMessage *reply, const GError *error, void *data)
{
        (void) reply;
        (void) data;
        if (error)
                g_warning("the icon's name on the session bus: %s", error->message);
}

static void emit(struct tn_tray_item *item, const char *member, const char *text)
{
        DBusMessage *signal = dbus_message_new_signal(PATH, INTERFACE, member);

        if (text)
                (void) dbus_message_append_args(signal, DBUS_TYPE_STRING, &text, DBUS_TYPE_INVALID);
        tn_bus_object_emit(item->object, signal);
}

/* Takes @text; true when it is another one. */
static bool replace(char **place, char *text)
{
        bool differs = g_strcmp0(*place, text) != 0;

        g_free(*place);
        *place = text;
        return differs;
}

void tn_tray_item_set(struct tn_tray_item *item, const struct tn_tray_view *view, const char *palette)
{
        bool changed = item->state != view->state;

        item->state = view->state;
        if (replace(&item->icon, g_strconcat(states[view->state].icon, palette, NULL))) {
                emit(item, "NewIcon", NULL);
                emit(item, "NewAttentionIcon", NULL);
        }
        if (replace(&item->headline, g_strdup(view->headline)))
                emit(item, "NewTitle", NULL);
        /* Hosts take simple HTML in the text. */
        if (replace(&item->tooltip, g_markup_escape_text(view->tooltip, -1)) || changed)
                emit(item, "NewToolTip", NULL);
        if (changed)
                emit(item, "NewStatus", states[view->state].status);
}

struct tn_tray_item *tn_tray_item_new(struct tn_bus *bus, const char *icon_path,
                                      void (*activate)(void *data), void *data)
{
        struct tn_tray_item *item = g_new0(struct tn_tray_item, 1);

        *item = (struct tn_tray_item){
                .bus = bus,
                .icon_path = g_strdup(icon_path),
                .name = g_strdup_printf("org.kde.StatusNotifierItem-%d-1", (int) getpid()),
                .activate = activate,
                .data = data,
                .icon = g_strdup(states[TN_TRAY_STOPPED].icon),
                .headline = g_strdup("Tenon"),
                .tooltip = g_strdup(""),
        };
        item->object = tn_bus_object_new(bus, PATH, interfaces, introspection, item);
        if (!item->object) {
                tn_tray_item_free(item);
                return NULL;
        }
        tn_bus_own_name(bus, item->name, on_named, NULL);
        item->watcher = tn_bus_watch_owner(bus, WATCHER, on_watcher, item);
        register_item(item);
        return item;
}

void tn_tray_item_free(struct tn_tray_item *item)
{
        if (!item)
                return;
        tn_bus_unsubscribe(item->watcher);
        tn_bus_object_free(item->object);
        g_free(item->name);
        g_free(item->icon_path);
        g_free(item->icon);
        g_free(item->headline);
        g_free(item->tooltip);
        g_free(item);
}
