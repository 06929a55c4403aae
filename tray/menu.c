/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * com.canonical.dbusmenu, as libdbusmenu's com.canonical.dbusmenu.xml describes it. The surprising thing is
 * in the ids: entries that do something keep theirs for ever, lines that tell something get new ones with
 * each layout. So a click that crosses a change does what was meant or nothing, and no host shows an old
 * text for a new line.
 */
#include "tray/menu.h"

#include <string.h>

#include "lib/bus-object.h"
#include "lib/error.h"

#define INTERFACE "com.canonical.dbusmenu"

#define FIRST_LINE_ID 100 /* below are the root, 0, and the entries that do something */

struct entry {
        dbus_int32_t id;
        char *label; /* NULL: a line between two parts */
        enum tn_tray_action action;
};

struct tn_tray_menu {
        struct tn_bus_object *object;
        tn_tray_act act;
        void *data;
        GArray *entries; /* struct entry */
        dbus_uint32_t revision;
        dbus_int32_t next_id;
};

static const struct entry *find_entry(const struct tn_tray_menu *menu, dbus_int32_t id)
{
        for (guint i = 0; i < menu->entries->len; i++) {
                const struct entry *entry = &g_array_index(menu->entries, struct entry, i);

                if (entry->id == id)
                        return entry;
        }
        return NULL;
}

/* In a label an underscore marks the key of the next letter. */
static char *escape(const char *text)
{
        GString *label = g_string_new(text);

        g_string_replace(label, "_", "__", 0);
        return g_string_free(label, FALSE);
}

static void append_property(DBusMessageIter *dict, const char *name, int type, const char *signature,
                            const void *value)
{
        DBusMessageIter row, variant;

        (void) dbus_message_iter_open_container(dict, DBUS_TYPE_DICT_ENTRY, NULL, &row);
        (void) dbus_message_iter_append_basic(&row, DBUS_TYPE_STRING, &name);
        (void) dbus_message_iter_open_container(&row, DBUS_TYPE_VARIANT, signature, &variant);
        (void) dbus_message_iter_append_basic(&variant, type, value);
        (void) dbus_message_iter_close_container(&row, &variant);
        (void) dbus_message_iter_close_container(dict, &row);
}

/* All properties that are not at their default: a host may ask for fewer, and may get more. @entry is NULL
 * for the root. */
static void append_properties(DBusMessageIter *to, const struct entry *entry)
{
        static const char *const submenu = "submenu", *const separator = "separator";
        dbus_bool_t off = FALSE;
        DBusMessageIter dict;

        (void) dbus_message_iter_open_container(to, DBUS_TYPE_ARRAY, "{sv}", &dict);
        if (!entry)
                append_property(&dict, "children-display", DBUS_TYPE_STRING, "s", &submenu);
        else if (!entry->label)
                append_property(&dict, "type", DBUS_TYPE_STRING, "s", &separator);
        else
                append_property(&dict, "label", DBUS_TYPE_STRING, "s", &entry->label);
        if (entry && entry->label && entry->action == TN_TRAY_NOTHING)
                append_property(&dict, "enabled", DBUS_TYPE_BOOLEAN, "b", &off);
        (void) dbus_message_iter_close_container(to, &dict);
}

static void append_child(DBusMessageIter *children, const struct entry *entry)
{
        DBusMessageIter variant, node, none;

        (void) dbus_message_iter_open_container(children, DBUS_TYPE_VARIANT, "(ia{sv}av)", &variant);
        (void) dbus_message_iter_open_container(&variant, DBUS_TYPE_STRUCT, NULL, &node);
        (void) dbus_message_iter_append_basic(&node, DBUS_TYPE_INT32, &entry->id);
        append_properties(&node, entry);
        (void) dbus_message_iter_open_container(&node, DBUS_TYPE_ARRAY, "v", &none);
        (void) dbus_message_iter_close_container(&node, &none);
        (void) dbus_message_iter_close_container(&variant, &node);
        (void) dbus_message_iter_close_container(children, &variant);
}

static void fail_no_entry(struct tn_bus_request *request, dbus_int32_t id)
{
        tn_bus_request_fail(request,
                            g_error_new(TN_ERROR, TN_ERROR_INVALID, "the menu has no entry %d", id));
}

static void run_get_layout(struct tn_bus_request *request, void *data)
{
        const struct tn_tray_menu *menu = data;
        DBusMessage *reply;
        DBusMessageIter iter, node, children;
        dbus_int32_t parent, depth;

        (void) dbus_message_iter_init(tn_bus_request_message(request), &iter);
        dbus_message_iter_get_basic(&iter, &parent);
        (void) dbus_message_iter_next(&iter);
        dbus_message_iter_get_basic(&iter, &depth);
        if (parent != 0 && !find_entry(menu, parent)) {
                fail_no_entry(request, parent);
                return;
        }
        reply = dbus_message_new_method_return(tn_bus_request_message(request));
        dbus_message_iter_init_append(reply, &iter);
        (void) dbus_message_iter_append_basic(&iter, DBUS_TYPE_UINT32, &menu->revision);
        (void) dbus_message_iter_open_container(&iter, DBUS_TYPE_STRUCT, NULL, &node);
        (void) dbus_message_iter_append_basic(&node, DBUS_TYPE_INT32, &parent);
        append_properties(&node, find_entry(menu, parent));
        (void) dbus_message_iter_open_container(&node, DBUS_TYPE_ARRAY, "v", &children);
        for (guint i = 0; parent == 0 && depth != 0 && i < menu->entries->len; i++)
                append_child(&children, &g_array_index(menu->entries, struct entry, i));
        (void) dbus_message_iter_close_container(&node, &children);
        (void) dbus_message_iter_close_container(&iter, &node);
        tn_bus_request_reply(request, reply);
}

static void append_group(DBusMessageIter *rows, dbus_int32_t id, const struct entry *entry)
{
        DBusMessageIter row;

        (void) dbus_message_iter_open_container(rows, DBUS_TYPE_STRUCT, NULL, &row);
        (void) dbus_message_iter_append_basic(&row, DBUS_TYPE_INT32, &id);
        append_properties(&row, entry);
        (void) dbus_message_iter_close_container(rows, &row);
}

/* No ids: all of them. */
static void run_get_group_properties(struct tn_bus_request *request, void *data)
{
        const struct tn_tray_menu *menu = data;
        DBusMessage *reply = dbus_message_new_method_return(tn_bus_request_message(request));
        DBusMessageIter args, ids, iter, rows;
        dbus_int32_t id;
        bool any = false;

        (void) dbus_message_iter_init(tn_bus_request_message(request), &args);
        dbus_message_iter_recurse(&args, &ids);
        dbus_message_iter_init_append(reply, &iter);
        (void) dbus_message_iter_open_container(&iter, DBUS_TYPE_ARRAY, "(ia{sv})", &rows);
        for (; dbus_message_iter_get_arg_type(&ids) == DBUS_TYPE_INT32;
             (void) dbus_message_iter_next(&ids)) {
                any = true;
                dbus_message_iter_get_basic(&ids, &id);
                if (id == 0 || find_entry(menu, id))
                        append_group(&rows, id, find_entry(menu, id));
        }
        for (guint i = 0; !any && i < menu->entries->len; i++) {
                const struct entry *entry = &g_array_index(menu->entries, struct entry, i);

                append_group(&rows, entry->id, entry);
        }
        (void) dbus_message_iter_close_container(&iter, &rows);
        tn_bus_request_reply(request, reply);
}

/* What no entry has set has the default of the specification. */
static void run_get_property(struct tn_bus_request *request, void *data)
{
        const struct entry *entry;
        DBusMessage *reply;
        DBusMessageIter iter, variant;
        dbus_bool_t on;
        dbus_int32_t id;
        const char *name, *text = "";

        (void) dbus_message_get_args(tn_bus_request_message(request), NULL, DBUS_TYPE_INT32, &id,
                                     DBUS_TYPE_STRING, &name, DBUS_TYPE_INVALID);
        entry = find_entry(data, id);
        if (!entry && id != 0) {
                fail_no_entry(request, id);
                return;
        }
        reply = dbus_message_new_method_return(tn_bus_request_message(request));
        dbus_message_iter_init_append(reply, &iter);
        if (g_str_equal(name, "enabled") || g_str_equal(name, "visible")) {
                on = g_str_equal(name, "visible") || !entry || !entry->label ||
                     entry->action != TN_TRAY_NOTHING;
                (void) dbus_message_iter_open_container(&iter, DBUS_TYPE_VARIANT, "b", &variant);
                (void) dbus_message_iter_append_basic(&variant, DBUS_TYPE_BOOLEAN, &on);
        } else {
                if (g_str_equal(name, "label") && entry && entry->label)
                        text = entry->label;
                else if (g_str_equal(name, "type"))
                        text = entry && !entry->label ? "separator" : "standard";
                else if (g_str_equal(name, "children-display") && !entry)
                        text = "submenu";
                (void) dbus_message_iter_open_container(&iter, DBUS_TYPE_VARIANT, "s", &variant);
                (void) dbus_message_iter_append_basic(&variant, DBUS_TYPE_STRING, &text);
        }
        (void) dbus_message_iter_close_container(&iter, &variant);
        tn_bus_request_reply(request, reply);
}

static void run_event(struct tn_bus_request *request, void *data)
{
        const struct tn_tray_menu *menu = data;
        const struct entry *entry;
        enum tn_tray_action action;
        DBusMessageIter iter;
        const char *event;
        dbus_int32_t id;

        (void) dbus_message_iter_init(tn_bus_request_message(request), &iter);
        dbus_message_iter_get_basic(&iter, &id);
        (void) dbus_message_iter_next(&iter);
        dbus_message_iter_get_basic(&iter, &event);
        entry = find_entry(menu, id);
        if (id != 0 && !entry) {
                fail_no_entry(request, id);
                return;
        }
        action = entry && g_str_equal(event, "clicked") ? entry->action : TN_TRAY_NOTHING;
        tn_bus_request_reply(request, NULL);
        if (action != TN_TRAY_NOTHING)
                menu->act(action, menu->data);
}

/* Some hosts pass clicks on by this one. The action of the first click is taken: it may change the menu. */
static void run_event_group(struct tn_bus_request *request, void *data)
{
        const struct tn_tray_menu *menu = data;
        DBusMessage *reply = dbus_message_new_method_return(tn_bus_request_message(request));
        DBusMessageIter args, events, event, iter, errors;
        enum tn_tray_action action = TN_TRAY_NOTHING;

        (void) dbus_message_iter_init(tn_bus_request_message(request), &args);
        dbus_message_iter_recurse(&args, &events);
        dbus_message_iter_init_append(reply, &iter);
        (void) dbus_message_iter_open_container(&iter, DBUS_TYPE_ARRAY, "i", &errors);
        for (; dbus_message_iter_get_arg_type(&events) == DBUS_TYPE_STRUCT;
             (void) dbus_message_iter_next(&events)) {
                const struct entry *entry;
                const char *name;
                dbus_int32_t id;

                dbus_message_iter_recurse(&events, &event);
                dbus_message_iter_get_basic(&event, &id);
                (void) dbus_message_iter_next(&event);
                dbus_message_iter_get_basic(&event, &name);
                entry = find_entry(menu, id);
                if (id != 0 && !entry)
                        (void) dbus_message_iter_append_basic(&errors, DBUS_TYPE_INT32, &id);
                else if (entry && g_str_equal(name, "clicked") && action == TN_TRAY_NOTHING)
                        action = entry->action;
        }
        (void) dbus_message_iter_close_container(&iter, &errors);
        tn_bus_request_reply(request, reply);
        if (action != TN_TRAY_NOTHING)
                menu->act(action, menu->data);
}

/* The menu is always as it is shown: nothing is to be updated first. */
static void run_about_to_show(struct tn_bus_request *request, void *data)
{
        DBusMessage *reply = dbus_message_new_method_return(tn_bus_request_message(request));
        dbus_bool_t update = FALSE;

        (void) data;
        (void) dbus_message_append_args(reply, DBUS_TYPE_BOOLEAN, &update, DBUS_TYPE_INVALID);
        tn_bus_request_reply(request, reply);
}

static void run_about_to_show_group(struct tn_bus_request *request, void *data)
{
        DBusMessage *reply = dbus_message_new_method_return(tn_bus_request_message(request));
        DBusMessageIter iter, none;

        (void) data;
        dbus_message_iter_init_append(reply, &iter);
        for (int i = 0; i < 2; i++) {
                (void) dbus_message_iter_open_container(&iter, DBUS_TYPE_ARRAY, "i", &none);
                (void) dbus_message_iter_close_container(&iter, &none);
        }
        tn_bus_request_reply(request, reply);
}

static void get_version(DBusMessageIter *ret, void *data)
{
        dbus_uint32_t version = 3;

        (void) data;
        (void) dbus_message_iter_append_basic(ret, DBUS_TYPE_UINT32, &version);
}

static void get_direction(DBusMessageIter *ret, void *data)
{
        const char *direction = "ltr";

        (void) data;
        (void) dbus_message_iter_append_basic(ret, DBUS_TYPE_STRING, &direction);
}

static void get_status(DBusMessageIter *ret, void *data)
{
        const char *status = "normal";

        (void) data;
        (void) dbus_message_iter_append_basic(ret, DBUS_TYPE_STRING, &status);
}

static void get_icon_path(DBusMessageIter *ret, void *data)
{
        DBusMessageIter none;

        (void) data;
        (void) dbus_message_iter_open_container(ret, DBUS_TYPE_ARRAY, "s", &none);
        (void) dbus_message_iter_close_container(ret, &none);
}

static const struct tn_bus_method methods[] = {
        {"GetLayout", "iias", 0, run_get_layout},
        {"GetGroupProperties", "aias", 0, run_get_group_properties},
        {"GetProperty", "is", 0, run_get_property},
        {"Event", "isvu", 0, run_event},
        {"EventGroup", "a(isvu)", 0, run_event_group},
        {"AboutToShow", "i", 0, run_about_to_show},
        {"AboutToShowGroup", "ai", 0, run_about_to_show_group},
        {NULL},
};

static const struct tn_bus_property properties[] = {
        {"Version", "u", get_version},
        {"TextDirection", "s", get_direction},
        {"Status", "s", get_status},
        {"IconThemePath", "as", get_icon_path},
        {NULL},
};

static const char introspection[] =
#include "tray/dbusmenu-xml.inc"
        ;

static const struct tn_bus_interface interface = {INTERFACE, methods, properties};
static const struct tn_bus_interface *const interfaces[] = {&interface, NULL};

static void entry_clear(void *data)
{
        g_free(((struct entry *) data)->label);
}

static GArray *entries_new(void)
{
        GArray *entries = g_array_new(FALSE, FALSE, sizeof(struct entry));

        g_array_set_clear_func(entries, entry_clear);
        return entries;
}

static void add(GArray *entries, const char *text, enum tn_tray_action action)
{
        struct entry entry = {0, text ? escape(text) : NULL, action};

        g_array_append_val(entries, entry);
}

/* One that does something; there is one of each. */
static void add_action(GArray *entries, const char *text, enum tn_tray_action action)
{
        struct entry entry = {(dbus_int32_t) action, escape(text), action};

        g_array_append_val(entries, entry);
}

static GArray *entries_of(const struct tn_tray_view *view)
{
        GArray *entries = entries_new();

        add(entries, view->headline, TN_TRAY_NOTHING);
        for (guint i = 0; i < view->things->len; i++) {
                const struct tn_tray_thing *thing = g_ptr_array_index(view->things, i);

                add(entries, thing->text, TN_TRAY_OPEN_STATUS);
        }
        add(entries, NULL, TN_TRAY_NOTHING);
        for (guint i = 0; i < view->summary->len; i++)
                add(entries, g_ptr_array_index(view->summary, i), TN_TRAY_NOTHING);
        if (view->summary->len > 0)
                add(entries, NULL, TN_TRAY_NOTHING);
        add_action(entries, "Open status…", TN_TRAY_OPEN_STATUS);
        if (view->state != TN_TRAY_STOPPED)
                add_action(entries, "Check for updates", TN_TRAY_CHECK_UPDATES);
        add_action(entries, "Quit", TN_TRAY_QUIT);
        return entries;
}

static void number(struct tn_tray_menu *menu)
{
        if (menu->next_id > G_MAXINT32 / 2)
                menu->next_id = FIRST_LINE_ID;
        for (guint i = 0; i < menu->entries->len; i++) {
                struct entry *entry = &g_array_index(menu->entries, struct entry, i);

                if (entry->id == 0)
                        entry->id = menu->next_id++;
        }
}

static bool same(const GArray *a, const GArray *b)
{
        if (a->len != b->len)
                return false;
        for (guint i = 0; i < a->len; i++) {
                const struct entry *x = &g_array_index(a, struct entry, i);
                const struct entry *y = &g_array_index(b, struct entry, i);

                if (x->action != y->action || g_strcmp0(x->label, y->label) != 0)
                        return false;
        }
        return true;
}

void tn_tray_menu_set(struct tn_tray_menu *menu, const struct tn_tray_view *view)
{
        GArray *entries = entries_of(view);
        DBusMessage *signal;
        dbus_int32_t parent = 0;

        if (same(entries, menu->entries)) {
                g_array_unref(entries);
                return;
        }
        g_array_unref(menu->entries);
        menu->entries = entries;
        number(menu);
        menu->revision++;
        signal = dbus_message_new_signal(TN_TRAY_MENU_PATH, INTERFACE, "LayoutUpdated");
        (void) dbus_message_append_args(signal, DBUS_TYPE_UINT32, &menu->revision, DBUS_TYPE_INT32, &parent,
                                        DBUS_TYPE_INVALID);
        tn_bus_object_emit(menu->object, signal);
}

struct tn_tray_menu *tn_tray_menu_new(struct tn_bus *bus, tn_tray_act act, void *data)
{
        struct tn_tray_menu *menu = g_new0(struct tn_tray_menu, 1);

        *menu = (struct tn_tray_menu){
                .act = act, .data = data, .entries = entries_new(), .revision = 1, .next_id = FIRST_LINE_ID};
        menu->object = tn_bus_object_new(bus, TN_TRAY_MENU_PATH, interfaces, introspection, menu);
        if (menu->object)
                return menu;
        tn_tray_menu_free(menu);
        return NULL;
}

void tn_tray_menu_free(struct tn_tray_menu *menu)
{
        if (!menu)
                return;
        tn_bus_object_free(menu->object);
        g_array_unref(menu->entries);
        g_free(menu);
}
