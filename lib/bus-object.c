/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * Objects on the bus. The surprising thing: a caller that went away is answered all the same; the bus throws
 * that answer away, which costs less than watching for each caller's end.
 */
#include "lib/bus-object.h"

#include <string.h>

#include "lib/error.h"

#define UID_MS 5000 /* the bus daemon itself is asked */

struct tn_bus_object {
        struct tn_bus *bus;
        char *path;
        const struct tn_bus_interface *const *interfaces;
        const char *introspection;
        void *data;
        GPtrArray *requests; /* struct tn_bus_request under way */
};

struct tn_bus_request {
        struct tn_bus_object *object; /* NULL: it is gone, and so is the wish to answer */
        DBusMessage *message;
        const struct tn_bus_method *method;
        uid_t uid;
};

static const char *const error_names[_TN_ERROR_MAX] = {
        [TN_ERROR_FAILED] = DBUS_ERROR_FAILED,
        [TN_ERROR_INVALID] = DBUS_ERROR_INVALID_ARGS,
        [TN_ERROR_NOT_FOUND] = "org.tenon.Error.NotFound",
        [TN_ERROR_COMMAND_UNKNOWN] = DBUS_ERROR_UNKNOWN_METHOD,
        [TN_ERROR_UNSUPPORTED] = DBUS_ERROR_NOT_SUPPORTED,
        [TN_ERROR_DENIED] = DBUS_ERROR_ACCESS_DENIED,
        [TN_ERROR_TIMEOUT] = DBUS_ERROR_TIMEOUT,
        [TN_ERROR_LIMIT] = DBUS_ERROR_LIMITS_EXCEEDED,
        [TN_ERROR_BUSY] = "org.tenon.Error.Busy",
};

const char *tn_bus_error_name(int code)
{
        return code >= 0 && code < _TN_ERROR_MAX ? error_names[code] : DBUS_ERROR_FAILED;
}

/* Takes @reply; NULL is memory that was short, and there is nothing to say then. */
static void send_reply(struct tn_bus *bus, const DBusMessage *call, DBusMessage *reply)
{
        if (reply && !dbus_message_get_no_reply((DBusMessage *) call))
                (void) dbus_connection_send(tn_bus_connection(bus), reply, NULL);
        if (reply)
                dbus_message_unref(reply);
}

static void refuse(struct tn_bus_object *object, DBusMessage *call, const char *name, const char *format,
                   ...) G_GNUC_PRINTF(4, 5);

static void refuse(struct tn_bus_object *object, DBusMessage *call, const char *name, const char *format,
                   ...)
{
        g_autofree char *text = NULL;
        va_list args;

        va_start(args, format);
        text = g_strdup_vprintf(format, args);
        va_end(args);
        send_reply(object->bus, call, dbus_message_new_error(call, name, text));
}

static void request_free(struct tn_bus_request *request)
{
        if (request->object)
                g_ptr_array_remove_fast(request->object->requests, request);
        dbus_message_unref(request->message);
        g_free(request);
}

DBusMessage *tn_bus_request_message(const struct tn_bus_request *request)
{
        return request->message;
}

uid_t tn_bus_request_uid(const struct tn_bus_request *request)
{
        return request->uid;
}

const struct tn_bus_method *tn_bus_request_method(const struct tn_bus_request *request)
{
        return request->method;
}

void tn_bus_request_reply(struct tn_bus_request *request, DBusMessage *reply)
{
        if (!reply)
                reply = dbus_message_new_method_return(request->message);
        if (request->object)
                send_reply(request->object->bus, request->message, reply);
        else
                dbus_message_unref(reply);
        request_free(request);
}

void tn_bus_request_fail(struct tn_bus_request *request, GError *error)
{
        tn_bus_request_reply(
                request,
                dbus_message_new_error(request->message, tn_bus_error_name(error->code), error->message));
        g_error_free(error);
}

static void on_uid(DBusMessage *reply, const GError *error, void *data)
{
        struct tn_bus_request *request = data;
        dbus_uint32_t uid;

        if (!request->object) {
                request_free(request);
                return;
        }
        if (!reply || !dbus_message_get_args(reply, NULL, DBUS_TYPE_UINT32, &uid, DBUS_TYPE_INVALID)) {
                tn_bus_request_fail(request,
                                    g_error_new(TN_ERROR, TN_ERROR_DENIED,
                                                "the bus does not tell who calls: %s",
                                                error ? error->message : "its answer is not understood"));
                return;
        }
        request->uid = uid;
        request->method->run(request, request->object->data);
}

static void ask_uid(struct tn_bus_request *request)
{
        const char *sender = dbus_message_get_sender(request->message);
        DBusMessage *question = dbus_message_new_method_call(DBUS_SERVICE_DBUS, DBUS_PATH_DBUS,
                                                             DBUS_INTERFACE_DBUS, "GetConnectionUnixUser");

        (void) dbus_message_append_args(question, DBUS_TYPE_STRING, &sender, DBUS_TYPE_INVALID);
        tn_bus_call(request->object->bus, question, UID_MS, on_uid, request);
        dbus_message_unref(question);
}

/* The bus holds back what its clients do not read; what it does not take from us is ours to hold. */
static bool has_unsent(const struct tn_bus_object *object)
{
        return dbus_connection_get_outgoing_size(tn_bus_connection(object->bus)) > TN_BUS_UNSENT_MAX;
}

static bool has_room(const struct tn_bus_object *object, const char *sender)
{
        unsigned own = 0;

        for (guint i = 0; i < object->requests->len; i++) {
                const struct tn_bus_request *other = g_ptr_array_index(object->requests, i);

                own += g_strcmp0(dbus_message_get_sender(other->message), sender) == 0;
        }
        return object->requests->len < TN_BUS_CALLS_MAX && own < TN_BUS_CALLS_SENDER_MAX;
}

static void run_method(struct tn_bus_object *object, const struct tn_bus_method *method, DBusMessage *call)
{
        struct tn_bus_request *request;

        if (!dbus_message_has_signature(call, method->in)) {
                refuse(object, call, DBUS_ERROR_INVALID_ARGS, "%s takes the arguments '%s', not '%s'",
                       method->name, method->in, dbus_message_get_signature(call));
                return;
        }
        if (!has_room(object, dbus_message_get_sender(call))) {
                refuse(object, call, DBUS_ERROR_LIMITS_EXCEEDED,
                       "too many calls are under way; wait for their answers");
                return;
        }
        request = g_new0(struct tn_bus_request, 1);
        *request = (struct tn_bus_request){
                .object = object, .message = dbus_message_ref(call), .method = method, .uid = (uid_t) -1};
        g_ptr_array_add(object->requests, request);
        if (method->flags & TN_BUS_WITH_UID)
                ask_uid(request);
        else
                method->run(request, object->data);
}

static const struct tn_bus_interface *find_interface(const struct tn_bus_object *object, const char *name)
{
        for (const struct tn_bus_interface *const *i = object->interfaces; *i; i++)
                if (g_str_equal((*i)->name, name))
                        return *i;
        return NULL;
}

static const struct tn_bus_property *find_property(const struct tn_bus_interface *interface,
                                                   const char *name)
{
        for (const struct tn_bus_property *p = interface->properties; p && p->name; p++)
                if (g_str_equal(p->name, name))
                        return p;
        return NULL;
}

static void append_variant(const struct tn_bus_object *object, const struct tn_bus_property *property,
                           DBusMessageIter *to)
{
        DBusMessageIter variant;

        (void) dbus_message_iter_open_container(to, DBUS_TYPE_VARIANT, property->type, &variant);
        if (property->get)
                property->get(&variant, object->data);
        else
                property->get_row(property, &variant, object->data);
        (void) dbus_message_iter_close_container(to, &variant);
}

static void get_property(struct tn_bus_object *object, const struct tn_bus_interface *interface,
                         DBusMessage *call, const char *name)
{
        const struct tn_bus_property *property = find_property(interface, name);
        DBusMessage *reply;
        DBusMessageIter iter;

        if (!property) {
                refuse(object, call, DBUS_ERROR_UNKNOWN_PROPERTY, "%s has no property %s", interface->name,
                       name);
                return;
        }
        reply = dbus_message_new_method_return(call);
        dbus_message_iter_init_append(reply, &iter);
        append_variant(object, property, &iter);
        send_reply(object->bus, call, reply);
}

void tn_bus_object_append_all(const struct tn_bus_object *object, const struct tn_bus_interface *interface,
                              DBusMessageIter *to)
{
        DBusMessageIter rows, row;

        (void) dbus_message_iter_open_container(to, DBUS_TYPE_ARRAY, "{sv}", &rows);
        for (const struct tn_bus_property *p = interface->properties; p && p->name; p++) {
                (void) dbus_message_iter_open_container(&rows, DBUS_TYPE_DICT_ENTRY, NULL, &row);
                (void) dbus_message_iter_append_basic(&row, DBUS_TYPE_STRING, &p->name);
                append_variant(object, p, &row);
                (void) dbus_message_iter_close_container(&rows, &row);
        }
        (void) dbus_message_iter_close_container(to, &rows);
}

static void get_all(struct tn_bus_object *object, const struct tn_bus_interface *interface,
                    DBusMessage *call)
{
        DBusMessage *reply = dbus_message_new_method_return(call);
        DBusMessageIter iter;

        dbus_message_iter_init_append(reply, &iter);
        tn_bus_object_append_all(object, interface, &iter);
        send_reply(object->bus, call, reply);
}

/* org.freedesktop.DBus.Properties */
static void run_properties(struct tn_bus_object *object, DBusMessage *call)
{
        const char *member = dbus_message_get_member(call), *wanted = "", *name = "";
        const struct tn_bus_interface *interface;
        DBusMessageIter iter;

        if (!(g_str_equal(member, "Get") && dbus_message_has_signature(call, "ss")) &&
            !(g_str_equal(member, "GetAll") && dbus_message_has_signature(call, "s")) &&
            !(g_str_equal(member, "Set") && dbus_message_has_signature(call, "ssv"))) {
                refuse(object, call, DBUS_ERROR_UNKNOWN_METHOD, "there is no method %s(%s) of properties",
                       member, dbus_message_get_signature(call));
                return;
        }
        (void) dbus_message_iter_init(call, &iter);
        dbus_message_iter_get_basic(&iter, &wanted);
        interface = find_interface(object, wanted);
        if (!interface) {
                refuse(object, call, DBUS_ERROR_UNKNOWN_INTERFACE, "there is no interface '%s' here",
                       wanted);
                return;
        }
        if (g_str_equal(member, "GetAll")) {
                get_all(object, interface, call);
                return;
        }
        (void) dbus_message_iter_next(&iter);
        dbus_message_iter_get_basic(&iter, &name);
        if (g_str_equal(member, "Get"))
                get_property(object, interface, call, name);
        else
                refuse(object, call, DBUS_ERROR_PROPERTY_READ_ONLY, "property %s can only be read", name);
}

static void run_introspect(struct tn_bus_object *object, DBusMessage *call)
{
        DBusMessage *reply = dbus_message_new_method_return(call);

        (void) dbus_message_append_args(reply, DBUS_TYPE_STRING, &object->introspection, DBUS_TYPE_INVALID);
        send_reply(object->bus, call, reply);
}

/* Without an interface, the first method of this name is meant (D-Bus specification, "Method calls"). */
static const struct tn_bus_method *find_method(const struct tn_bus_object *object, const char *interface,
                                               const char *member)
{
        for (const struct tn_bus_interface *const *i = object->interfaces; *i; i++)
                for (const struct tn_bus_method *m = (*i)->methods; m && m->name; m++)
                        if (g_str_equal(m->name, member) &&
                            (!interface || g_str_equal((*i)->name, interface)))
                                return m;
        return NULL;
}

static DBusHandlerResult on_call(DBusConnection *connection, DBusMessage *call, void *data)
{
        struct tn_bus_object *object = data;
        const char *interface = dbus_message_get_interface(call);
        const struct tn_bus_method *method;

        (void) connection;
        if (dbus_message_get_type(call) != DBUS_MESSAGE_TYPE_METHOD_CALL)
                return DBUS_HANDLER_RESULT_NOT_YET_HANDLED;
        method = find_method(object, interface, dbus_message_get_member(call));
        if (has_unsent(object))
                refuse(object, call, DBUS_ERROR_LIMITS_EXCEEDED,
                       "too many answers wait for the bus to take them; ask again later");
        else if (method)
                run_method(object, method, call);
        else if (g_strcmp0(interface, DBUS_INTERFACE_PROPERTIES) == 0)
                run_properties(object, call);
        else if (dbus_message_is_method_call(call, DBUS_INTERFACE_INTROSPECTABLE, "Introspect"))
                run_introspect(object, call);
        else if (interface && !find_interface(object, interface))
                refuse(object, call, DBUS_ERROR_UNKNOWN_INTERFACE, "there is no interface %s here",
                       interface);
        else
                refuse(object, call, DBUS_ERROR_UNKNOWN_METHOD, "there is no method %s here",
                       dbus_message_get_member(call));
        return DBUS_HANDLER_RESULT_HANDLED;
}

struct tn_bus_object *tn_bus_object_new(struct tn_bus *bus, const char *path,
                                        const struct tn_bus_interface *const *interfaces,
                                        const char *introspection, void *data)
{
        static const DBusObjectPathVTable vtable = {.message_function = on_call};
        struct tn_bus_object *object = g_new0(struct tn_bus_object, 1);

        *object = (struct tn_bus_object){
                .bus = bus,
                .path = g_strdup(path),
                .interfaces = interfaces,
                .introspection = introspection,
                .data = data,
                .requests = g_ptr_array_new(),
        };
        if (dbus_connection_try_register_object_path(tn_bus_connection(bus), path, &vtable, object, NULL))
                return object;
        g_ptr_array_free(object->requests, TRUE);
        g_free(object->path);
        g_free(object);
        return NULL;
}

void tn_bus_object_free(struct tn_bus_object *object)
{
        if (!object)
                return;
        (void) dbus_connection_unregister_object_path(tn_bus_connection(object->bus), object->path);
        for (guint i = 0; i < object->requests->len; i++)
                ((struct tn_bus_request *) g_ptr_array_index(object->requests, i))->object = NULL;
        g_ptr_array_free(object->requests, TRUE);
        g_free(object->path);
        g_free(object);
}

void tn_bus_object_emit(struct tn_bus_object *object, DBusMessage *signal)
{
        if (!has_unsent(object))
                (void) dbus_connection_send(tn_bus_connection(object->bus), signal, NULL);
        dbus_message_unref(signal);
}

struct naming {
        tn_bus_done done;
        void *data;
        char *name;
};

static void on_named(DBusMessage *reply, const GError *error, void *data)
{
        g_autofree struct naming *naming = data;
        g_autofree char *name = naming->name;
        g_autoptr(GError) taken = NULL;
        dbus_uint32_t result = 0;

        if (reply)
                (void) dbus_message_get_args(reply, NULL, DBUS_TYPE_UINT32, &result, DBUS_TYPE_INVALID);
        if (reply && result != DBUS_REQUEST_NAME_REPLY_PRIMARY_OWNER &&
            result != DBUS_REQUEST_NAME_REPLY_ALREADY_OWNER)
                taken = g_error_new(TN_ERROR, TN_ERROR_BUSY, "another process has the name %s on the bus",
                                    name);
        naming->done(taken ? NULL : reply, taken ? taken : error, naming->data);
}

void tn_bus_own_name(struct tn_bus *bus, const char *name, tn_bus_done done, void *data)
{
        dbus_uint32_t flags = DBUS_NAME_FLAG_DO_NOT_QUEUE;
        DBusMessage *message = dbus_message_new_method_call(DBUS_SERVICE_DBUS, DBUS_PATH_DBUS,
                                                            DBUS_INTERFACE_DBUS, "RequestName");
        struct naming *naming = g_new0(struct naming, 1);

        *naming = (struct naming){done, data, g_strdup(name)};
        (void) dbus_message_append_args(message, DBUS_TYPE_STRING, &name, DBUS_TYPE_UINT32, &flags,
                                        DBUS_TYPE_INVALID);
        tn_bus_call(bus, message, UID_MS, on_named, naming);
        dbus_message_unref(message);
}
