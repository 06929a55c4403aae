/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * org.freedesktop.PolicyKit1.Authority.CheckAuthorization, for a subject that is a name on the bus: polkit
 * itself asks the bus who that is, so nobody can have changed his user in between. The surprising thing: a
 * polkit that is slow or hangs holds up nobody but who asked.
 */
#include "lib/polkit.h"

#include "lib/error.h"

#define SERVICE     "org.freedesktop.PolicyKit1"
#define OBJECT      "/org/freedesktop/PolicyKit1/Authority"
#define INTERFACE   "org.freedesktop.PolicyKit1.Authority"
#define INTERACTIVE 1U /* AllowUserInteraction */

struct tn_polkit {
        struct tn_bus *bus;
        struct tn_bus_match *leave;
        char *sender;
        char *action;
        char *id; /* by which it can be taken back */
        bool interactive;
        tn_polkit_done done;
        void *data;
};

static void question_free(struct tn_polkit *question)
{
        tn_bus_unsubscribe(question->leave);
        g_free(question->sender);
        g_free(question->action);
        g_free(question->id);
        g_free(question);
}

static void append_empty_details(DBusMessageIter *to)
{
        DBusMessageIter details;

        (void) dbus_message_iter_open_container(to, DBUS_TYPE_ARRAY, "{ss}", &details);
        (void) dbus_message_iter_close_container(to, &details);
}

/* ("system-bus-name", {"name": sender}) */
static void append_subject(DBusMessageIter *to, const char *sender)
{
        const char *kind = "system-bus-name", *key = "name";
        DBusMessageIter subject, details, detail, value;

        (void) dbus_message_iter_open_container(to, DBUS_TYPE_STRUCT, NULL, &subject);
        (void) dbus_message_iter_append_basic(&subject, DBUS_TYPE_STRING, &kind);
        (void) dbus_message_iter_open_container(&subject, DBUS_TYPE_ARRAY, "{sv}", &details);
        (void) dbus_message_iter_open_container(&details, DBUS_TYPE_DICT_ENTRY, NULL, &detail);
        (void) dbus_message_iter_append_basic(&detail, DBUS_TYPE_STRING, &key);
        (void) dbus_message_iter_open_container(&detail, DBUS_TYPE_VARIANT, "s", &value);
        (void) dbus_message_iter_append_basic(&value, DBUS_TYPE_STRING, &sender);
        (void) dbus_message_iter_close_container(&detail, &value);
        (void) dbus_message_iter_close_container(&details, &detail);
        (void) dbus_message_iter_close_container(&subject, &details);
        (void) dbus_message_iter_close_container(to, &subject);
}

static DBusMessage *write_question(const struct tn_polkit *question)
{
        DBusMessage *message = dbus_message_new_method_call(SERVICE, OBJECT, INTERFACE,
                                                            "CheckAuthorization");
        dbus_uint32_t flags = question->interactive ? INTERACTIVE : 0;
        DBusMessageIter iter;

        dbus_message_iter_init_append(message, &iter);
        append_subject(&iter, question->sender);
        (void) dbus_message_iter_append_basic(&iter, DBUS_TYPE_STRING, &question->action);
        append_empty_details(&iter);
        (void) dbus_message_iter_append_basic(&iter, DBUS_TYPE_UINT32, &flags);
        (void) dbus_message_iter_append_basic(&iter, DBUS_TYPE_STRING, &question->id);
        return message;
}

/* (is authorized, would be after a challenge, details) */
static bool read_answer(DBusMessage *reply, dbus_bool_t *ret_yes, dbus_bool_t *ret_challenge)
{
        DBusMessageIter iter, answer;

        if (!dbus_message_has_signature(reply, "(bba{ss})") || !dbus_message_iter_init(reply, &iter))
                return false;
        dbus_message_iter_recurse(&iter, &answer);
        dbus_message_iter_get_basic(&answer, ret_yes);
        (void) dbus_message_iter_next(&answer);
        dbus_message_iter_get_basic(&answer, ret_challenge);
        return true;
}

static GError *judge(const struct tn_polkit *question, DBusMessage *reply, const GError *error)
{
        dbus_bool_t yes = FALSE, challenge = FALSE;

        if (!reply && error->code == TN_ERROR_NOT_FOUND)
                return g_error_new(TN_ERROR, TN_ERROR_DENIED,
                                   "only root may ask for it, because polkit is not there to be asked about "
                                   "others; try sudo, or install polkitd (Debian) or polkit");
        if (!reply)
                return g_error_new(TN_ERROR, TN_ERROR_DENIED,
                                   "polkit was asked about %s: %s; root may do it", question->action,
                                   error->message);
        if (!read_answer(reply, &yes, &challenge))
                return g_error_new(TN_ERROR, TN_ERROR_DENIED,
                                   "polkit's answer about %s is not understood; root may do it",
                                   question->action);
        if (yes)
                return NULL;
        if (challenge && !question->interactive)
                return g_error_new(TN_ERROR, TN_ERROR_DENIED,
                                   "polkit wants a password for %s, and the call does not allow that one is "
                                   "asked for; try sudo, or busctl --allow-interactive-authorization=yes",
                                   question->action);
        return g_error_new(TN_ERROR, TN_ERROR_DENIED, "polkit does not allow you %s; try sudo",
                           question->action);
}

static void on_answer(DBusMessage *reply, const GError *error, void *data)
{
        struct tn_polkit *question = data;
        g_autoptr(GError) refusal = judge(question, reply, error);
        tn_polkit_done done = question->done;
        void *done_data = question->data;

        question_free(question);
        done(refusal, done_data);
}

void tn_polkit_cancel(struct tn_polkit *question)
{
        DBusMessage *message;

        if (!question)
                return;
        message = dbus_message_new_method_call(SERVICE, OBJECT, INTERFACE, "CancelCheckAuthorization");
        (void) dbus_message_append_args(message, DBUS_TYPE_STRING, &question->id, DBUS_TYPE_INVALID);
        tn_bus_send(question->bus, message);
        dbus_message_unref(message);
        tn_bus_cancel(question->bus, question);
        question_free(question);
}

static void on_leave(DBusMessage *signal, void *data)
{
        struct tn_polkit *question = data;
        tn_polkit_done done = question->done;
        void *done_data = question->data;
        g_autoptr(GError) error = g_error_new(TN_ERROR, TN_ERROR_DENIED,
                                              "%s left before polkit had answered", question->sender);

        (void) signal;
        tn_polkit_cancel(question);
        done(error, done_data);
}

struct tn_polkit *tn_polkit_ask(struct tn_bus *bus, DBusMessage *call, const char *action,
                                tn_polkit_done done, void *data)
{
        static unsigned serial;
        struct tn_polkit *question = g_new0(struct tn_polkit, 1);
        DBusMessage *message;

        *question = (struct tn_polkit){
                .bus = bus,
                .sender = g_strdup(dbus_message_get_sender(call)),
                .action = g_strdup(action),
                .id = g_strdup_printf("tenon-%u", ++serial),
                .interactive = dbus_message_get_allow_interactive_authorization(call),
                .done = done,
                .data = data,
        };
        question->leave = tn_bus_watch_leave(bus, question->sender, on_leave, question);
        message = write_question(question);
        tn_bus_call(bus, message, TN_POLKIT_MS, on_answer, question);
        dbus_message_unref(message);
        return question;
}
