/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * libdbus' main loop hooks as GSources; calls and signals with a callback. The surprising thing: the bus'
 * Hello is sent like any other message and its reply is not waited for; messages that follow it on the same
 * connection are handled after it (D-Bus specification, "org.freedesktop.DBus.Hello").
 */
#include "lib/bus.h"

#include <glib-unix.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/error.h"

#define UNIX_PATH  "unix:path="
#define SYSTEM_BUS "unix:path=/run/dbus/system_bus_socket"

struct tn_bus {
        DBusConnection *connection;
        guint dispatch_source;
        GPtrArray *calls;   /* struct call under way */
        GPtrArray *matches; /* struct tn_bus_match */
};

struct tn_bus_match {
        struct tn_bus *bus;
        char *rule; /* NULL: nothing that the bus has to know */
        char *path;
        char *interface;
        char *member;
        char *name;   /* NULL, or whose change of owner is meant … */
        bool leaving; /* … and of these only that to none */
        tn_bus_signal func;
        void *data;
};

struct call {
        struct tn_bus *bus;
        DBusPendingCall *pending; /* NULL: could not even be sent */
        guint failed_source;
        tn_bus_done done;
        void *data;
};

static gboolean on_watch(int fd, GIOCondition condition, void *data)
{
        unsigned flags = 0;

        (void) fd;
        if (condition & G_IO_IN)
                flags |= DBUS_WATCH_READABLE;
        if (condition & G_IO_OUT)
                flags |= DBUS_WATCH_WRITABLE;
        if (condition & G_IO_ERR)
                flags |= DBUS_WATCH_ERROR;
        if (condition & G_IO_HUP)
                flags |= DBUS_WATCH_HANGUP;
        (void) dbus_watch_handle(data, flags); /* false: no memory; asked again at once */
        return G_SOURCE_CONTINUE;
}

static void watch_remove(DBusWatch *watch, void *data)
{
        guint source = GPOINTER_TO_UINT(dbus_watch_get_data(watch));

        (void) data;
        if (source)
                g_source_remove(source);
        dbus_watch_set_data(watch, NULL, NULL);
}

static dbus_bool_t watch_add(DBusWatch *watch, void *data)
{
        unsigned flags = dbus_watch_get_flags(watch);
        GIOCondition condition = G_IO_ERR | G_IO_HUP;

        (void) data;
        if (!dbus_watch_get_enabled(watch))
                return TRUE;
        if (flags & DBUS_WATCH_READABLE)
                condition |= G_IO_IN;
        if (flags & DBUS_WATCH_WRITABLE)
                condition |= G_IO_OUT;
        dbus_watch_set_data(
                watch,
                GUINT_TO_POINTER(g_unix_fd_add(dbus_watch_get_unix_fd(watch), condition, on_watch, watch)),
                NULL);
        return TRUE;
}

static void watch_toggle(DBusWatch *watch, void *data)
{
        watch_remove(watch, data);
        (void) watch_add(watch, data);
}

static gboolean on_timeout(void *data)
{
        (void) dbus_timeout_handle(data);
        return G_SOURCE_CONTINUE;
}

static void timeout_remove(DBusTimeout *timeout, void *data)
{
        guint source = GPOINTER_TO_UINT(dbus_timeout_get_data(timeout));

        (void) data;
        if (source)
                g_source_remove(source);
        dbus_timeout_set_data(timeout, NULL, NULL);
}

static dbus_bool_t timeout_add(DBusTimeout *timeout, void *data)
{
        guint source;

        (void) data;
        if (!dbus_timeout_get_enabled(timeout))
                return TRUE;
        source = g_timeout_add((guint) dbus_timeout_get_interval(timeout), on_timeout, timeout);
        dbus_timeout_set_data(timeout, GUINT_TO_POINTER(source), NULL);
        return TRUE;
}

static void timeout_toggle(DBusTimeout *timeout, void *data)
{
        timeout_remove(timeout, data);
        (void) timeout_add(timeout, data);
}

static void call_free(struct call *call)
{
        g_clear_handle_id(&call->failed_source, g_source_remove);
        if (call->pending) {
                dbus_pending_call_cancel(call->pending);
                dbus_pending_call_unref(call->pending);
        }
        g_free(call);
}

static gboolean on_lost(void *data)
{
        struct call *call = data;
        g_autoptr(GError)
                error = g_error_new(TN_ERROR, TN_ERROR_NOT_FOUND, "the connection to the bus was lost");

        call->failed_source = 0;
        g_ptr_array_remove_fast(call->bus->calls, call);
        call->done(NULL, error, call->data);
        call_free(call);
        return G_SOURCE_REMOVE;
}

/* libdbus forgets its pending calls when the connection is lost, without telling them (1.14). */
static void lose_calls(struct tn_bus *bus)
{
        for (guint i = 0; i < bus->calls->len; i++) {
                struct call *call = g_ptr_array_index(bus->calls, i);

                if (!call->failed_source)
                        call->failed_source = g_idle_add(on_lost, call);
        }
}

static gboolean on_dispatch(void *data)
{
        struct tn_bus *bus = data;

        if (dbus_connection_dispatch(bus->connection) == DBUS_DISPATCH_DATA_REMAINS)
                return G_SOURCE_CONTINUE;
        bus->dispatch_source = 0;
        if (!dbus_connection_get_is_connected(bus->connection))
                lose_calls(bus);
        return G_SOURCE_REMOVE;
}

static void on_status(DBusConnection *connection, DBusDispatchStatus status, void *data)
{
        struct tn_bus *bus = data;

        (void) connection;
        if (status == DBUS_DISPATCH_DATA_REMAINS && !bus->dispatch_source)
                bus->dispatch_source = g_idle_add_full(G_PRIORITY_DEFAULT, on_dispatch, bus, NULL);
}

/* NameOwnerChanged tells of a name, its old owner and its new one, which is none when it left. Only the bus
 * itself is believed: nobody else can send under its name. */
static bool is_meant(const struct tn_bus_match *match, DBusMessage *message)
{
        const char *name, *old, *new;

        if (!match->name)
                return true;
        return g_strcmp0(dbus_message_get_sender(message), DBUS_SERVICE_DBUS) == 0 &&
               dbus_message_get_args(message, NULL, DBUS_TYPE_STRING, &name, DBUS_TYPE_STRING, &old,
                                     DBUS_TYPE_STRING, &new, DBUS_TYPE_INVALID) &&
               g_str_equal(name, match->name) && (!match->leaving || !*new);
}

/* A callback may end its own subscription and others, so each is looked up again before its turn. */
static DBusHandlerResult on_message(DBusConnection *connection, DBusMessage *message, void *data)
{
        struct tn_bus *bus = data;
        g_autoptr(GPtrArray) matches = NULL;

        (void) connection;
        if (dbus_message_get_type(message) != DBUS_MESSAGE_TYPE_SIGNAL)
                return DBUS_HANDLER_RESULT_NOT_YET_HANDLED;
        matches = g_ptr_array_copy(bus->matches, NULL, NULL);
        for (guint i = 0; i < matches->len; i++) {
                struct tn_bus_match *match = g_ptr_array_index(matches, i);

                if (g_ptr_array_find(bus->matches, match, NULL) &&
                    dbus_message_is_signal(message, match->interface, match->member) &&
                    dbus_message_has_path(message, match->path) && is_meant(match, message))
                        match->func(message, match->data);
        }
        return DBUS_HANDLER_RESULT_NOT_YET_HANDLED;
}

static bool attach(struct tn_bus *bus)
{
        DBusConnection *c = bus->connection;

        return dbus_connection_set_watch_functions(c, watch_add, watch_remove, watch_toggle, bus, NULL) &&
               dbus_connection_set_timeout_functions(c, timeout_add, timeout_remove, timeout_toggle, bus,
                                                     NULL) &&
               dbus_connection_add_filter(c, on_message, bus, NULL);
}

static void match_free(struct tn_bus_match *match)
{
        g_free(match->rule);
        g_free(match->path);
        g_free(match->interface);
        g_free(match->member);
        g_free(match->name);
        g_free(match);
}

/* A socket that does not exist needs no libdbus, which brings eight libraries with it. */
static bool may_exist(const char *address)
{
        if (!g_str_has_prefix(address, UNIX_PATH))
                return true;
        address += strlen(UNIX_PATH);
        return strpbrk(address, ",;%") || access(address, F_OK) == 0;
}

struct tn_bus *tn_bus_open(const char *address, GError **error)
{
        const char *system_bus = g_getenv("DBUS_SYSTEM_BUS_ADDRESS");
        struct tn_bus *bus;
        DBusConnection *connection;
        DBusMessage *hello;
        DBusError dbus_error = DBUS_ERROR_INIT;

        if (!address)
                address = system_bus ? system_bus : SYSTEM_BUS;
        if (!may_exist(address)) {
                tn_error_set(error, TN_ERROR_NOT_FOUND, "connect to the bus at %s: there is none", address);
                return NULL;
        }
        if (!tn_bus_available()) {
                tn_error_set(
                        error, TN_ERROR_NOT_FOUND,
                        "libdbus is not installed; install the package libdbus-1-3 (Debian) or dbus-libs");
                return NULL;
        }
        connection = dbus_connection_open_private(address, &dbus_error);
        if (!connection) {
                tn_error_set(error, TN_ERROR_NOT_FOUND, "connect to the bus at %s: %s", address,
                             dbus_error.message);
                dbus_error_free(&dbus_error);
                return NULL;
        }
        bus = g_new0(struct tn_bus, 1);
        bus->connection = connection;
        bus->calls = g_ptr_array_new();
        bus->matches = g_ptr_array_new();
        dbus_connection_set_exit_on_disconnect(connection, FALSE);
        dbus_connection_set_dispatch_status_function(connection, on_status, bus, NULL);
        hello = dbus_message_new_method_call(DBUS_SERVICE_DBUS, DBUS_PATH_DBUS, DBUS_INTERFACE_DBUS,
                                             "Hello");
        if (!hello || !attach(bus) || !dbus_connection_send(connection, hello, NULL))
                g_error("out of memory"); /* as GLib itself does */
        dbus_message_unref(hello);
        on_status(connection, dbus_connection_get_dispatch_status(connection), bus);
        return bus;
}

void tn_bus_free(struct tn_bus *bus)
{
        if (!bus)
                return;
        for (guint i = 0; i < bus->calls->len; i++)
                call_free(g_ptr_array_index(bus->calls, i));
        g_ptr_array_free(bus->calls, TRUE);
        dbus_connection_remove_filter(bus->connection, on_message, bus);
        for (guint i = 0; i < bus->matches->len; i++)
                match_free(g_ptr_array_index(bus->matches, i));
        g_ptr_array_free(bus->matches, TRUE);
        dbus_connection_set_dispatch_status_function(bus->connection, NULL, NULL, NULL);
        g_clear_handle_id(&bus->dispatch_source, g_source_remove);
        dbus_connection_close(bus->connection);
        dbus_connection_unref(bus->connection);
        g_free(bus);
}

static void error_from_reply(DBusMessage *reply, GError **error)
{
        DBusError dbus_error = DBUS_ERROR_INIT;
        enum tn_error code = TN_ERROR_FAILED;

        dbus_set_error_from_message(&dbus_error, reply);
        if (dbus_error_has_name(&dbus_error, DBUS_ERROR_SERVICE_UNKNOWN) ||
            dbus_error_has_name(&dbus_error, DBUS_ERROR_NAME_HAS_NO_OWNER))
                code = TN_ERROR_NOT_FOUND;
        else if (dbus_error_has_name(&dbus_error, DBUS_ERROR_ACCESS_DENIED))
                code = TN_ERROR_DENIED;
        else if (dbus_error_has_name(&dbus_error, DBUS_ERROR_NO_REPLY) ||
                 dbus_error_has_name(&dbus_error, DBUS_ERROR_TIMEOUT))
                code = TN_ERROR_TIMEOUT;
        tn_error_set(error, code, "%s", dbus_error.message);
        dbus_error_free(&dbus_error);
}

static void on_reply(DBusPendingCall *pending, void *data)
{
        struct call *call = data;
        DBusMessage *reply = dbus_pending_call_steal_reply(pending);
        g_autoptr(GError) error = NULL;

        if (dbus_message_get_type(reply) == DBUS_MESSAGE_TYPE_ERROR)
                error_from_reply(reply, &error);
        g_ptr_array_remove_fast(call->bus->calls, call);
        call->done(error ? NULL : reply, error, call->data);
        dbus_message_unref(reply);
        call_free(call);
}

void tn_bus_call(struct tn_bus *bus, DBusMessage *message, int timeout_ms, tn_bus_done done, void *data)
{
        struct call *call = g_new0(struct call, 1);

        *call = (struct call){.bus = bus, .done = done, .data = data};
        g_ptr_array_add(bus->calls, call);
        if (!dbus_connection_send_with_reply(bus->connection, message, &call->pending, timeout_ms) ||
            !call->pending || !dbus_pending_call_set_notify(call->pending, on_reply, call, NULL))
                call->failed_source = g_idle_add(on_lost, call);
}

void tn_bus_cancel(struct tn_bus *bus, const void *data)
{
        for (guint i = bus->calls->len; i-- > 0;) {
                struct call *call = g_ptr_array_index(bus->calls, i);

                if (call->data != data)
                        continue;
                g_ptr_array_remove_index_fast(bus->calls, i);
                call_free(call);
        }
}

void tn_bus_send(struct tn_bus *bus, DBusMessage *message)
{
        dbus_message_set_no_reply(message, TRUE);
        (void) dbus_connection_send(bus->connection, message, NULL); /* false: no memory */
}

/* Without a place for an error it does not wait. Takes @rule. */
static void ask_for(struct tn_bus_match *match, char *rule)
{
        match->rule = rule;
        dbus_bus_add_match(match->bus->connection, rule, NULL);
}

static struct tn_bus_match *match_new(struct tn_bus *bus, const char *path, const char *interface,
                                      const char *member, tn_bus_signal func, void *data)
{
        struct tn_bus_match *match = g_new0(struct tn_bus_match, 1);

        *match = (struct tn_bus_match){
                .bus = bus,
                .path = g_strdup(path),
                .interface = g_strdup(interface),
                .member = g_strdup(member),
                .func = func,
                .data = data,
        };
        g_ptr_array_add(bus->matches, match);
        return match;
}

struct tn_bus_match *tn_bus_subscribe(struct tn_bus *bus, const char *sender, const char *path,
                                      const char *interface, const char *member, tn_bus_signal func,
                                      void *data)
{
        struct tn_bus_match *match = match_new(bus, path, interface, member, func, data);

        if (sender)
                ask_for(match,
                        g_strdup_printf("type='signal',sender='%s',path='%s',interface='%s',member='%s'",
                                        sender, path, interface, member));
        return match;
}

struct tn_bus_match *tn_bus_watch_owner(struct tn_bus *bus, const char *name, tn_bus_signal func, void *data)
{
        struct tn_bus_match *match = match_new(bus, DBUS_PATH_DBUS, DBUS_INTERFACE_DBUS, "NameOwnerChanged",
                                               func, data);

        match->name = g_strdup(name);
        ask_for(match, g_strdup_printf("type='signal',sender='" DBUS_SERVICE_DBUS
                                       "',member='NameOwnerChanged',arg0='%s'",
                                       name));
        return match;
}

struct tn_bus_match *tn_bus_watch_leave(struct tn_bus *bus, const char *name, tn_bus_signal func, void *data)
{
        struct tn_bus_match *match = tn_bus_watch_owner(bus, name, func, data);

        match->leaving = true;
        return match;
}

void tn_bus_unsubscribe(struct tn_bus_match *match)
{
        if (!match)
                return;
        if (match->rule)
                dbus_bus_remove_match(match->bus->connection, match->rule, NULL);
        g_ptr_array_remove(match->bus->matches, match);
        match_free(match);
}

DBusConnection *tn_bus_connection(const struct tn_bus *bus)
{
        return bus->connection;
}

void tn_bus_flush(struct tn_bus *bus)
{
        dbus_connection_flush(bus->connection);
}
