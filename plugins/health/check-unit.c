/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * A unit that must be active. systemd tells of changes, and is asked again for each: a signal on the system
 * bus proves nothing. What cannot be asked is unknown.
 */
#include <string.h>

#include "lib/bus.h"
#include "plugins/health/bus-link.h"
#include "plugins/health/check.h"
#include "plugins/health/checks.h"

#define SYSTEMD    "org.freedesktop.systemd1"
#define MANAGER    SYSTEMD ".Manager"
#define PROPERTIES "org.freedesktop.DBus.Properties"
#define ASK_MS     5000

struct unit {
        char *path; /* of the object; NULL: not yet asked for on this connection */
        struct tn_bus_match *changed, *reloading;
        unsigned serial;      /* of the connection: answers of an older one are not for us */
        GPtrArray *questions; /* struct question under way */
};

struct question {
        struct health_check *check; /* NULL: it is gone */
        unsigned serial;
};

static const struct {
        const char *active;
        enum health_severity severity;
} states[] = {
        {"active", HEALTH_OK},          {"reloading", HEALTH_OK},          {"refreshing", HEALTH_OK},
        {"activating", HEALTH_WARNING}, {"deactivating", HEALTH_CRITICAL}, {"inactive", HEALTH_CRITICAL},
        {"failed", HEALTH_CRITICAL},    {"maintenance", HEALTH_CRITICAL},
};

static void forget(struct unit *unit)
{
        tn_bus_unsubscribe(unit->changed);
        tn_bus_unsubscribe(unit->reloading);
        unit->changed = unit->reloading = NULL;
        g_clear_pointer(&unit->path, g_free);
        unit->serial++;
}

static void on_lost(void *data)
{
        struct health_check *check = data;

        forget(check->own);
        health_check_result(check, HEALTH_UNKNOWN, "the connection to the system bus was lost");
}

static void init(struct health_check *check)
{
        struct unit *unit = g_new0(struct unit, 1);

        unit->questions = g_ptr_array_new();
        check->own = unit;
        health_bus_watch(health_checks_bus(check->owner), on_lost, check);
}

static void deinit(struct health_check *check)
{
        struct unit *unit = check->own;

        if (!unit)
                return;
        health_bus_unwatch(health_checks_bus(check->owner), check);
        forget(unit);
        for (guint i = 0; i < unit->questions->len; i++)
                ((struct question *) g_ptr_array_index(unit->questions, i))->check = NULL;
        g_ptr_array_free(unit->questions, TRUE);
        g_free(unit);
}

static void on_signal(DBusMessage *signal, void *data)
{
        (void) signal;
        health_check_look(data);
}

static void ask(struct health_check *check, struct tn_bus *bus, DBusMessage *message, tn_bus_done done)
{
        const struct unit *unit = check->own;
        struct question *question = g_new0(struct question, 1);

        *question = (struct question){check, unit->serial};
        g_ptr_array_add(unit->questions, question);
        tn_bus_call(bus, message, ASK_MS, done, question);
        dbus_message_unref(message);
}

/* The check that still wants this answer, or NULL. Ends the question. */
static struct health_check *answered(struct question *question)
{
        struct health_check *check = question->check;
        struct unit *unit = check ? check->own : NULL;
        bool wanted = unit && question->serial == unit->serial;

        if (unit)
                g_ptr_array_remove_fast(unit->questions, question);
        g_free(question);
        return wanted ? check : NULL;
}

/* The string property @name in a reply of GetAll, or NULL. Borrowed. */
static const char *find_text(DBusMessage *reply, const char *name)
{
        DBusMessageIter body, rows, row, variant;
        const char *key, *value;

        if (!dbus_message_has_signature(reply, "a{sv}") || !dbus_message_iter_init(reply, &body))
                return NULL;
        for (dbus_message_iter_recurse(&body, &rows);
             dbus_message_iter_get_arg_type(&rows) == DBUS_TYPE_DICT_ENTRY; dbus_message_iter_next(&rows)) {
                dbus_message_iter_recurse(&rows, &row);
                dbus_message_iter_get_basic(&row, &key);
                if (!g_str_equal(key, name))
                        continue;
                dbus_message_iter_next(&row);
                dbus_message_iter_recurse(&row, &variant);
                if (dbus_message_iter_get_arg_type(&variant) != DBUS_TYPE_STRING)
                        return NULL;
                dbus_message_iter_get_basic(&variant, &value);
                return value;
        }
        return NULL;
}

static void judge(struct health_check *check, const char *active, const char *sub)
{
        const char *name = health_check_setting(check, "unit");

        for (size_t i = 0; i < G_N_ELEMENTS(states); i++)
                if (g_str_equal(states[i].active, active)) {
                        health_check_result(check, states[i].severity, "%s is %s (%s)", name, active,
                                            sub ? sub : "?");
                        return;
                }
        health_check_result(check, HEALTH_UNKNOWN, "%s is in the state '%s', which is not known here", name,
                            active);
}

static void on_properties(DBusMessage *reply, const GError *error, void *data)
{
        struct health_check *check = answered(data);
        const char *load, *active;

        if (!check)
                return;
        if (!reply) {
                health_check_result(check, HEALTH_UNKNOWN, "ask systemd: %s", error->message);
                return;
        }
        load = find_text(reply, "LoadState");
        active = find_text(reply, "ActiveState");
        if (g_strcmp0(load, "not-found") == 0)
                health_check_result(check, HEALTH_UNKNOWN, "there is no unit %s; see systemctl list-units",
                                    health_check_setting(check, "unit"));
        else if (!active)
                health_check_result(check, HEALTH_UNKNOWN, "systemd does not tell the state of %s",
                                    health_check_setting(check, "unit"));
        else
                judge(check, active, find_text(reply, "SubState"));
}

static void ask_properties(struct health_check *check, struct tn_bus *bus)
{
        const struct unit *unit = check->own;
        const char *interface = SYSTEMD ".Unit";
        DBusMessage *message = dbus_message_new_method_call(SYSTEMD, unit->path, PROPERTIES, "GetAll");

        (void) dbus_message_append_args(message, DBUS_TYPE_STRING, &interface, DBUS_TYPE_INVALID);
        ask(check, bus, message, on_properties);
}

static void on_loaded(DBusMessage *reply, const GError *error, void *data)
{
        struct health_check *check = answered(data);
        struct unit *unit = check ? check->own : NULL;
        struct tn_bus *bus;
        const char *path;

        if (!check)
                return;
        if (!reply || !dbus_message_get_args(reply, NULL, DBUS_TYPE_OBJECT_PATH, &path, DBUS_TYPE_INVALID)) {
                health_check_result(check, HEALTH_UNKNOWN, "ask systemd for %s: %s",
                                    health_check_setting(check, "unit"),
                                    error ? error->message : "its answer is not understood");
                return;
        }
        bus = health_bus_get(health_checks_bus(check->owner), NULL);
        unit->path = g_strdup(path);
        unit->changed = tn_bus_subscribe(bus, SYSTEMD, path, PROPERTIES, "PropertiesChanged", on_signal,
                                         check);
        /* After daemon-reload the unit may be another one. */
        unit->reloading = tn_bus_subscribe(bus, SYSTEMD, "/org/freedesktop/systemd1", MANAGER, "Reloading",
                                           on_signal, check);
        ask_properties(check, bus);
}

static void ask_path(struct health_check *check, struct tn_bus *bus)
{
        const char *name = health_check_setting(check, "unit");
        DBusMessage *subscribe = dbus_message_new_method_call(SYSTEMD, "/org/freedesktop/systemd1", MANAGER,
                                                              "Subscribe");
        DBusMessage *load = dbus_message_new_method_call(SYSTEMD, "/org/freedesktop/systemd1", MANAGER,
                                                         "LoadUnit");

        tn_bus_send(bus, subscribe); /* else it sends no signals */
        dbus_message_unref(subscribe);
        (void) dbus_message_append_args(load, DBUS_TYPE_STRING, &name, DBUS_TYPE_INVALID);
        ask(check, bus, load, on_loaded);
}

static void measure(struct health_check *check)
{
        struct unit *unit = check->own;
        g_autoptr(GError) error = NULL;
        struct tn_bus *bus = health_bus_get(health_checks_bus(check->owner), &error);

        if (!bus)
                health_check_result(check, HEALTH_UNKNOWN, "ask systemd: %s", error->message);
        else if (unit->path)
                ask_properties(check, bus);
        else
                ask_path(check, bus);
}

static bool watches(const struct health_check *check)
{
        const struct unit *unit = check->own;

        return unit && unit->changed;
}

const struct health_type health_type_unit = {
        .name = "unit",
        .remedy = "look at it, then start it again: systemctl status",
        .remedy_of = "unit",
        .deadline_ms = 3 * ASK_MS,
        .init = init,
        .deinit = deinit,
        .measure = measure,
        .watches = watches,
};
