/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * A notification counts as told when the service has taken it. Until then it waits in a list: for the
 * answer, or for a service that is not there yet, which is the usual order at a login.
 */
#include "tray/notify.h"

#define SERVICE "org.freedesktop.Notifications"
#define PATH    "/org/freedesktop/Notifications"
#define CALL_MS 20000

#define SHOWN_MAX 32 /* whose clicks we know to be for us */

enum urgency { NORMAL = 1, CRITICAL = 2 }; /* "Desktop Notifications Specification" 1.2, urgency levels */

struct tn_tray_notifier {
        struct tn_bus *bus;
        struct tn_tray_memory *memory;
        void (*opened)(void *data);
        void *data;
        GPtrArray *waiting; /* struct letter */
        GArray *shown;      /* dbus_uint32_t */
};

struct letter {
        struct tn_tray_notifier *notifier;
        char *id; /* of the thing; NULL for what is only said */
        char *title, *text;
        bool urgent;
        bool under_way;
};

static void letter_free(void *data)
{
        struct letter *letter = data;

        g_free(letter->id);
        g_free(letter->title);
        g_free(letter->text);
        g_free(letter);
}

static void append_hints(DBusMessageIter *iter, bool urgent)
{
        const unsigned char urgency = urgent ? CRITICAL : NORMAL;
        const char *const desktop_entry = "tenon-tray";
        const struct {
                const char *name, *signature;
                int type;
                const void *value;
        } hints[] = {
                {"urgency", "y", DBUS_TYPE_BYTE, &urgency},
                {"desktop-entry", "s", DBUS_TYPE_STRING, &desktop_entry},
        };
        DBusMessageIter dict, row, variant;

        (void) dbus_message_iter_open_container(iter, DBUS_TYPE_ARRAY, "{sv}", &dict);
        for (size_t i = 0; i < G_N_ELEMENTS(hints); i++) {
                (void) dbus_message_iter_open_container(&dict, DBUS_TYPE_DICT_ENTRY, NULL, &row);
                (void) dbus_message_iter_append_basic(&row, DBUS_TYPE_STRING, &hints[i].name);
                (void) dbus_message_iter_open_container(&row, DBUS_TYPE_VARIANT, hints[i].signature,
                                                        &variant);
                (void) dbus_message_iter_append_basic(&variant, hints[i].type, hints[i].value);
                (void) dbus_message_iter_close_container(&row, &variant);
                (void) dbus_message_iter_close_container(&dict, &row);
        }
        (void) dbus_message_iter_close_container(iter, &dict);
}

static DBusMessage *message_of(const struct letter *letter)
{
        const char *const texts[] = {letter->urgent ? "tenon-tray-attention" : "tenon-tray", letter->title};
        const char *const actions[] = {"default", "Open status"};
        g_autofree char *body = g_markup_escape_text(letter->text, -1);
        const char *application = "Tenon";
        DBusMessage *call = dbus_message_new_method_call(SERVICE, PATH, SERVICE, "Notify");
        DBusMessageIter iter, list;
        dbus_uint32_t replaces = 0;
        dbus_int32_t expires = -1; /* as the desktop likes */

        dbus_message_iter_init_append(call, &iter);
        (void) dbus_message_iter_append_basic(&iter, DBUS_TYPE_STRING, &application);
        (void) dbus_message_iter_append_basic(&iter, DBUS_TYPE_UINT32, &replaces);
        for (size_t i = 0; i < G_N_ELEMENTS(texts); i++)
                (void) dbus_message_iter_append_basic(&iter, DBUS_TYPE_STRING, &texts[i]);
        (void) dbus_message_iter_append_basic(&iter, DBUS_TYPE_STRING, &body);
        (void) dbus_message_iter_open_container(&iter, DBUS_TYPE_ARRAY, "s", &list);
        for (size_t i = 0; i < G_N_ELEMENTS(actions); i++)
                (void) dbus_message_iter_append_basic(&list, DBUS_TYPE_STRING, &actions[i]);
        (void) dbus_message_iter_close_container(&iter, &list);
        append_hints(&iter, letter->urgent);
        (void) dbus_message_iter_append_basic(&iter, DBUS_TYPE_INT32, &expires);
        return call;
}

static void on_sent(DBusMessage *reply, const GError *error, void *data)
{
        struct letter *letter = data;
        struct tn_tray_notifier *notifier = letter->notifier;
        dbus_uint32_t number;

        letter->under_way = false;
        if (reply && dbus_message_get_args(reply, NULL, DBUS_TYPE_UINT32, &number, DBUS_TYPE_INVALID)) {
                if (notifier->shown->len == SHOWN_MAX)
                        g_array_remove_index(notifier->shown, 0);
                g_array_append_val(notifier->shown, number);
                if (letter->id)
                        tn_tray_memory_tell(notifier->memory, letter->id,
                                            g_get_real_time() / G_USEC_PER_SEC);
        } else {
                g_debug("no notification: %s", error ? error->message : "the answer is not understood");
                if (letter->id)
                        return; /* for the service that comes */
        }
        (void) g_ptr_array_remove_fast(notifier->waiting, letter);
}

static void send(struct tn_tray_notifier *notifier, struct letter *letter)
{
        DBusMessage *call = message_of(letter);

        letter->under_way = true;
        tn_bus_call(notifier->bus, call, CALL_MS, on_sent, letter);
        dbus_message_unref(call);
}

static void post(struct tn_tray_notifier *notifier, const char *id, const char *title, const char *text,
                 bool urgent)
{
        struct letter *letter = g_new0(struct letter, 1);

        *letter = (struct letter){.notifier = notifier,
                                  .id = g_strdup(id),
                                  .title = g_strdup(title),
                                  .text = g_strdup(text),
                                  .urgent = urgent};
        g_ptr_array_add(notifier->waiting, letter);
        send(notifier, letter);
}

static bool waits(const struct tn_tray_notifier *notifier, const char *id)
{
        for (guint i = 0; i < notifier->waiting->len; i++)
                if (g_strcmp0(((struct letter *) g_ptr_array_index(notifier->waiting, i))->id, id) == 0)
                        return true;
        return false;
}

/* What is over need not be told any more. */
static void drop_old(struct tn_tray_notifier *notifier, GHashTable *present)
{
        for (guint i = notifier->waiting->len; i-- > 0;) {
                const struct letter *letter = g_ptr_array_index(notifier->waiting, i);

                if (letter->id && !letter->under_way && !g_hash_table_contains(present, letter->id))
                        g_ptr_array_remove_index_fast(notifier->waiting, i);
        }
}

void tn_tray_notifier_update(struct tn_tray_notifier *notifier, const struct tn_tray_view *view)
{
        g_autoptr(GHashTable) present = g_hash_table_new(g_str_hash, g_str_equal);

        if (view->state == TN_TRAY_STOPPED)
                return; /* what is true of it now nobody knows */
        for (guint i = 0; i < view->things->len; i++) {
                const struct tn_tray_thing *thing = g_ptr_array_index(view->things, i);

                g_hash_table_add(present, thing->id);
                if (!tn_tray_memory_was_told(notifier->memory, thing->id) && !waits(notifier, thing->id))
                        post(notifier, thing->id, thing->title, thing->text, thing->urgent);
        }
        drop_old(notifier, present);
        tn_tray_memory_keep(notifier->memory, present, g_get_real_time() / G_USEC_PER_SEC);
}

void tn_tray_notifier_say(struct tn_tray_notifier *notifier, const char *title, const char *text)
{
        post(notifier, NULL, title, text, false);
}

static void on_service(DBusMessage *signal, void *data)
{
        struct tn_tray_notifier *notifier = data;
        const char *name, *before, *now;

        if (!dbus_message_get_args(signal, NULL, DBUS_TYPE_STRING, &name, DBUS_TYPE_STRING, &before,
                                   DBUS_TYPE_STRING, &now, DBUS_TYPE_INVALID) ||
            !*now)
                return;
        g_array_set_size(notifier->shown, 0); /* it counts anew */
        for (guint i = 0; i < notifier->waiting->len; i++) {
                struct letter *letter = g_ptr_array_index(notifier->waiting, i);

                if (!letter->under_way)
                        send(notifier, letter);
        }
}

static void on_action(DBusMessage *signal, void *data)
{
        struct tn_tray_notifier *notifier = data;
        dbus_uint32_t number;
        const char *action;

        if (!dbus_message_get_args(signal, NULL, DBUS_TYPE_UINT32, &number, DBUS_TYPE_STRING, &action,
                                   DBUS_TYPE_INVALID))
                return;
        for (guint i = 0; i < notifier->shown->len; i++) {
                if (g_array_index(notifier->shown, dbus_uint32_t, i) != number)
                        continue;
                g_array_remove_index(notifier->shown, i); /* one click, one window */
                notifier->opened(notifier->data);
                return;
        }
}

struct tn_tray_notifier *tn_tray_notifier_new(struct tn_bus *bus, struct tn_tray_memory *memory,
                                              void (*opened)(void *data), void *data)
{
        struct tn_tray_notifier *notifier = g_new0(struct tn_tray_notifier, 1);

        *notifier = (struct tn_tray_notifier){
                .bus = bus,
                .memory = memory,
                .opened = opened,
                .data = data,
                .waiting = g_ptr_array_new_with_free_func(letter_free),
                .shown = g_array_new(FALSE, FALSE, sizeof(dbus_uint32_t)),
        };
        (void) tn_bus_subscribe(bus, SERVICE, PATH, SERVICE, "ActionInvoked", on_action, notifier);
        (void) tn_bus_watch_owner(bus, SERVICE, on_service, notifier);
        return notifier;
}

void tn_tray_notifier_free(struct tn_tray_notifier *notifier)
{
        if (!notifier)
                return;
        g_ptr_array_unref(notifier->waiting);
        g_array_unref(notifier->shown);
        g_free(notifier);
}
