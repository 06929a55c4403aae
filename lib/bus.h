/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * libdbus on the GLib main loop: a private connection whose watches, timeouts and dispatching are GSources,
 * asynchronous calls, and signals. Nothing here waits for the bus, but for tn_bus_flush().
 */
#pragma once

#include <dbus/dbus.h>
#include <glib.h>
#include <stdbool.h>

struct tn_bus;

/* @reply is borrowed; NULL with @error set otherwise (TN_ERROR_NOT_FOUND when the service does not exist).
 */
typedef void (*tn_bus_done)(DBusMessage *reply, const GError *error, void *data);

/* Whether there is a libdbus to be loaded, see lib/dbus.c. */
bool tn_bus_available(void);

/* Connects to @address, or to the system bus when it is NULL. NULL with @error: there is no bus. */
struct tn_bus *tn_bus_open(const char *address, GError **error);
/* Calls under way end without their callback. NULL is fine. Not from within a callback. */
void tn_bus_free(struct tn_bus *bus);

/* Sends a method call. @message is only borrowed. @done runs on the loop exactly once, within @timeout_ms.
 */
void tn_bus_call(struct tn_bus *bus, DBusMessage *message, int timeout_ms, tn_bus_done done, void *data);

/* Calls that were made with @data end without their callback. */
void tn_bus_cancel(struct tn_bus *bus, const void *data);

/* Sends a method call whose answer nobody wants. @message is only borrowed. */
void tn_bus_send(struct tn_bus *bus, DBusMessage *message);

struct tn_bus_match;
typedef void (*tn_bus_signal)(DBusMessage *signal, void *data);

/* Calls @func for each signal @interface.@member of the object @path of the service @sender. What it says
 * is not to be trusted, for on the system bus everybody can send signals to everybody: take it as a hint to
 * ask. With @sender NULL it is a signal of libdbus' own, such as org.freedesktop.DBus.Local.Disconnected. */
struct tn_bus_match *tn_bus_subscribe(struct tn_bus *bus, const char *sender, const char *path,
                                      const char *interface, const char *member, tn_bus_signal func,
                                      void *data);
/* Calls @func for each NameOwnerChanged of @name: a service came, went or was replaced. */
struct tn_bus_match *tn_bus_watch_owner(struct tn_bus *bus, const char *name, tn_bus_signal func,
                                        void *data);
/* Calls @func when the connection @name (":1.42") leaves the bus. */
struct tn_bus_match *tn_bus_watch_leave(struct tn_bus *bus, const char *name, tn_bus_signal func,
                                        void *data);
/* Before tn_bus_free(), which ends the others. Also from within a callback. NULL is fine. */
void tn_bus_unsubscribe(struct tn_bus_match *match);

/* The connection itself, for lib/bus-object.c. Borrowed. */
DBusConnection *tn_bus_connection(const struct tn_bus *bus);

/* Waits until all that was sent has left this process; for use before the end of it. */
void tn_bus_flush(struct tn_bus *bus);
