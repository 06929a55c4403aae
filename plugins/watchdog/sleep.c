/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * logind's PrepareForSleep, and a lock of the kind "delay", which gives us time between the signal and the
 * sleep. Everybody on the bus can send such a signal, so it is only the reason to ask logind itself; else
 * any user could stop the watchdog.
 */
#include "plugins/watchdog/sleep.h"

#include "lib/bus.h"
#include "lib/fd.h"

#define SERVICE "org.freedesktop.login1"
#define OBJECT  "/org/freedesktop/login1"
#define MANAGER "org.freedesktop.login1.Manager"
#define ASK_MS  5000

struct watchdog_sleep {
        struct tn_bus *bus;
        struct tn_bus_match *match;
        int lock; /* logind waits while this is open; -1 */
        bool asleep;
        watchdog_sleep_func func;
        void *data;
};

static void on_lock(DBusMessage *reply, const GError *error, void *data)
{
        struct watchdog_sleep *sleep = data;
        int fd;

        if (!reply || !dbus_message_get_args(reply, NULL, DBUS_TYPE_UNIX_FD, &fd, DBUS_TYPE_INVALID))
                return; /* no lock: the signal may then come too late, but it comes */
        tn_fd_close(&sleep->lock);
        sleep->lock = fd;
}

static void take_lock(struct watchdog_sleep *sleep)
{
        const char *what = "sleep", *who = "Tenon", *why = "The watchdog stops for the sleep",
                   *mode = "delay";
        DBusMessage *message = dbus_message_new_method_call(SERVICE, OBJECT, MANAGER, "Inhibit");

        dbus_message_append_args(message, DBUS_TYPE_STRING, &what, DBUS_TYPE_STRING, &who, DBUS_TYPE_STRING,
                                 &why, DBUS_TYPE_STRING, &mode, DBUS_TYPE_INVALID);
        tn_bus_call(sleep->bus, message, ASK_MS, on_lock, sleep);
        dbus_message_unref(message);
}

static void on_preparing(DBusMessage *reply, const GError *error, void *data)
{
        struct watchdog_sleep *sleep = data;
        DBusMessageIter top, value;
        dbus_bool_t going;

        if (!reply || !dbus_message_has_signature(reply, "v"))
                return;
        dbus_message_iter_init(reply, &top);
        dbus_message_iter_recurse(&top, &value);
        if (dbus_message_iter_get_arg_type(&value) != DBUS_TYPE_BOOLEAN)
                return;
        dbus_message_iter_get_basic(&value, &going);
        if ((bool) going == sleep->asleep)
                return;
        sleep->asleep = going;
        sleep->func(going, sleep->data);
        if (going)
                tn_fd_close(&sleep->lock);
        else
                take_lock(sleep);
}

static void on_signal(DBusMessage *signal, void *data)
{
        struct watchdog_sleep *sleep = data;
        const char *interface = MANAGER, *property = "PreparingForSleep";
        DBusMessage *message = dbus_message_new_method_call(SERVICE, OBJECT, DBUS_INTERFACE_PROPERTIES,
                                                            "Get");

        dbus_message_append_args(message, DBUS_TYPE_STRING, &interface, DBUS_TYPE_STRING, &property,
                                 DBUS_TYPE_INVALID);
        tn_bus_call(sleep->bus, message, ASK_MS, on_preparing, sleep);
        dbus_message_unref(message);
}

struct watchdog_sleep *watchdog_sleep_new(watchdog_sleep_func func, void *data)
{
        struct tn_bus *bus = tn_bus_open(NULL, NULL);
        struct watchdog_sleep *sleep;

        if (!bus)
                return NULL;
        sleep = g_new0(struct watchdog_sleep, 1);
        *sleep = (struct watchdog_sleep){.bus = bus, .lock = -1, .func = func, .data = data};
        sleep->match = tn_bus_subscribe(bus, SERVICE, OBJECT, MANAGER, "PrepareForSleep", on_signal, sleep);
        take_lock(sleep);
        return sleep;
}

void watchdog_sleep_free(struct watchdog_sleep *sleep)
{
        if (!sleep)
                return;
        tn_bus_unsubscribe(sleep->match);
        tn_bus_free(sleep->bus);
        tn_fd_close(&sleep->lock);
        g_free(sleep);
}
