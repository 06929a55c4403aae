/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * The object half of D-Bus: methods and properties of a table, described by an XML text, on a connection of
 * lib/bus.h. Calls are checked against the table before they arrive; who calls is asked of the bus, where a
 * method wants to know; what one caller can have under way is limited.
 */
#pragma once

#include <dbus/dbus.h>
#include <glib.h>
#include <stdbool.h>
#include <sys/types.h>

#include "lib/bus.h"

struct tn_bus_object;
struct tn_bus_request; /* one method call, until it is answered */

enum tn_bus_method_flags {
        TN_BUS_WITH_UID = 1 << 0, /* the caller's user is known when it runs */
};

struct tn_bus_method {
        const char *name; /* NULL ends the table */
        const char *in;   /* signature of its arguments */
        unsigned flags;
        /* Answers now or later: exactly one tn_bus_request_reply() or tn_bus_request_fail(). */
        void (*run)(struct tn_bus_request *request, void *data);
        const void *about; /* the row's own, for a function that serves many rows */
};

struct tn_bus_property {
        const char *name; /* NULL ends the table */
        const char *type; /* signature; one complete type */
        /* Appends a value of that type. For one that serves many rows there is the other. */
        void (*get)(DBusMessageIter *ret, void *data);
        const void *about;
        void (*get_row)(const struct tn_bus_property *row, DBusMessageIter *ret, void *data);
};

/* All of them are NULL-ended tables, and outlive the object. */
struct tn_bus_interface {
        const char *name;
        const struct tn_bus_method *methods;      /* NULL: none */
        const struct tn_bus_property *properties; /* NULL: none; all can only be read */
};

#define TN_BUS_CALLS_MAX        256           /* calls under way on one object … */
#define TN_BUS_CALLS_SENDER_MAX 16            /* … and of one caller */
#define TN_BUS_UNSENT_MAX       (1024 * 1024) /* bytes that the bus has not taken yet */

/* @introspection is what org.freedesktop.DBus.Introspectable answers. NULL when the path is taken or memory
 * is short. @bus outlives the object. */
struct tn_bus_object *tn_bus_object_new(struct tn_bus *bus, const char *path,
                                        const struct tn_bus_interface *const *interfaces,
                                        const char *introspection, void *data);
/* Calls under way are not answered any more. NULL is fine. Not from within run(). */
void tn_bus_object_free(struct tn_bus_object *object);

/* The message with the arguments; borrowed until the answer. */
DBusMessage *tn_bus_request_message(const struct tn_bus_request *request);
/* Of the caller, with TN_BUS_WITH_UID. */
uid_t tn_bus_request_uid(const struct tn_bus_request *request);
/* Of the method's row. */
const struct tn_bus_method *tn_bus_request_method(const struct tn_bus_request *request);
/* Ends the call. @reply comes from dbus_message_new_method_return(), is taken over; NULL: an empty one. */
void tn_bus_request_reply(struct tn_bus_request *request, DBusMessage *reply);
/* Ends the call with an error; our codes have names of D-Bus. Takes @error. */
void tn_bus_request_fail(struct tn_bus_request *request, GError *error);

/* Appends all properties of @interface as a{sv}. */
void tn_bus_object_append_all(const struct tn_bus_object *object, const struct tn_bus_interface *interface,
                              DBusMessageIter *to);

/* Sends a signal without waiting; takes the message. It is dropped while the bus has not taken
 * TN_BUS_UNSENT_MAX bytes of what was sent before. */
void tn_bus_object_emit(struct tn_bus_object *object, DBusMessage *signal);

/* Asks for a well-known name; @done gets an error when somebody else has it, or the bus does not allow it.
 */
void tn_bus_own_name(struct tn_bus *bus, const char *name, tn_bus_done done, void *data);

/* The name of D-Bus for one of our codes, "org.freedesktop.DBus.Error.AccessDenied". Static. */
const char *tn_bus_error_name(int code);
