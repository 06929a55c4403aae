/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * Signals. Changes of facts are gathered until the loop has nothing more urgent to do, and then told with
 * one PropertiesChanged for each interface. What listeners know is kept: a fact that was set anew with the
 * same member in it is no change of the property. A reader gets what is true now, not what was told.
 */
#include "agent/service-private.h"

#include "agent/facts.h"
#include "lib/bus-json.h"
#include "lib/names.h"

static bool is_signalled(const struct tn_bus_property *row)
{
        return ((const struct tn_service_source *) row->about)->changes == TN_SERVICE_SIGNALLED;
}

/* Takes a value; NULL and null are one: nothing. */
static json_t *or_null(json_t *value)
{
        return value ? value : json_null();
}

static void append_change(DBusMessageIter *rows, const struct tn_bus_property *property, const json_t *value)
{
        DBusMessageIter row, variant;

        (void) dbus_message_iter_open_container(rows, DBUS_TYPE_DICT_ENTRY, NULL, &row);
        (void) dbus_message_iter_append_basic(&row, DBUS_TYPE_STRING, &property->name);
        (void) dbus_message_iter_open_container(&row, DBUS_TYPE_VARIANT, property->type, &variant);
        tn_bus_json_append(&variant, property->type, value);
        (void) dbus_message_iter_close_container(&row, &variant);
        (void) dbus_message_iter_close_container(rows, &row);
}

/* May the property have another value since the last announcement? What a plugin brings or takes may be
 * anything. */
static bool is_touched(const struct tn_service *service, const struct tn_bus_property *row)
{
        const struct tn_service_source *source = row->about;

        return is_signalled(row) &&
               (g_ptr_array_find_with_equal_func(service->changed, source->fact, g_str_equal, NULL) ||
                g_ptr_array_find_with_equal_func(service->changed, "plugins", g_str_equal, NULL));
}

/* Appends those that have changed to @rows; how many. */
static unsigned collect(struct tn_service *service, const struct tn_bus_interface *interface,
                        DBusMessageIter *rows)
{
        json_t *told = json_object_get(service->told, interface->name);
        unsigned n = 0;

        for (const struct tn_bus_property *row = interface->properties; row->name; row++) {
                json_t *value;

                if (!is_touched(service, row))
                        continue;
                value = or_null(tn_service_value(service->agent, row->about));
                if (json_equal(value, json_object_get(told, row->name))) {
                        json_decref(value);
                        continue;
                }
                append_change(rows, row, value);
                json_object_set_new(told, row->name, value);
                n++;
        }
        return n;
}

static void announce_interface(struct tn_service *service, const struct tn_bus_interface *interface)
{
        DBusMessage *signal = dbus_message_new_signal(TN_BUS_PATH, DBUS_INTERFACE_PROPERTIES,
                                                      "PropertiesChanged");
        DBusMessageIter iter, rows;
        unsigned n;

        dbus_message_iter_init_append(signal, &iter);
        (void) dbus_message_iter_append_basic(&iter, DBUS_TYPE_STRING, &interface->name);
        (void) dbus_message_iter_open_container(&iter, DBUS_TYPE_ARRAY, "{sv}", &rows);
        n = collect(service, interface, &rows);
        (void) dbus_message_iter_close_container(&iter, &rows);
        (void) dbus_message_iter_open_container(&iter, DBUS_TYPE_ARRAY, "s", &rows); /* invalidated: none */
        (void) dbus_message_iter_close_container(&iter, &rows);
        if (n > 0)
                tn_bus_object_emit(service->object, signal);
        else
                dbus_message_unref(signal);
}

static gboolean on_announce(void *data)
{
        struct tn_service *service = data;

        service->announce_source = 0;
        for (const struct tn_bus_interface *const *i = tn_service_contract; *i; i++)
                announce_interface(service, *i);
        g_ptr_array_set_size(service->changed, 0);
        return G_SOURCE_REMOVE;
}

void tn_service_touch(struct tn_service *service, const char *what)
{
        if (!service || !service->object)
                return;
        if (!g_ptr_array_find_with_equal_func(service->changed, what, g_str_equal, NULL))
                g_ptr_array_add(service->changed, g_strdup(what));
        if (!service->announce_source)
                service->announce_source = g_idle_add(on_announce, service);
}

static json_t *states_of_heartbeats(const struct tn_service *service)
{
        json_t *list = json_object_get(tn_facts_get(service->agent->facts, "heartbeats"), "heartbeats");
        json_t *states = json_object(), *row;
        size_t i;

        json_array_foreach(list, i, row)
        {
                json_object_set(states, json_string_value(json_object_get(row, "name")),
                                json_object_get(row, "state"));
        }
        return states;
}

/* Each change by itself and at once: a heartbeat that is missed and comes again is two. */
static void tell_heartbeats(struct tn_service *service)
{
        json_t *before = service->heartbeats, *state;
        const char *name;

        service->heartbeats = states_of_heartbeats(service);
        json_object_foreach(service->heartbeats, name, state)
        {
                const char *text = json_string_value(state);
                DBusMessage *signal;

                if (json_equal(state, json_object_get(before, name)))
                        continue;
                signal = dbus_message_new_signal(TN_BUS_PATH, TN_BUS_HEARTBEATS, "Changed");
                (void) dbus_message_append_args(signal, DBUS_TYPE_STRING, &name, DBUS_TYPE_STRING, &text,
                                                DBUS_TYPE_INVALID);
                tn_bus_object_emit(service->object, signal);
        }
        json_decref(before);
}

static void on_fact(const char *name, const json_t *value, void *data)
{
        struct tn_service *service = data;

        (void) value;
        tn_service_touch(service, name);
        if (g_str_equal(name, "heartbeats"))
                tell_heartbeats(service);
}

void tn_service_event(struct tn_service *service, const char *name, const json_t *data)
{
        json_auto_t *wrapped = NULL;
        DBusMessage *signal;
        DBusMessageIter iter;

        if (!service || !service->named)
                return;
        if (!json_is_object(data))
                wrapped = json_pack("{s:O}", "value", data);
        signal = dbus_message_new_signal(TN_BUS_PATH, TN_BUS_NAME, "Event");
        dbus_message_iter_init_append(signal, &iter);
        (void) dbus_message_iter_append_basic(&iter, DBUS_TYPE_STRING, &name);
        tn_bus_json_append(&iter, "a{sv}", wrapped ? wrapped : data);
        tn_bus_object_emit(service->object, signal);
}

void tn_service_get(const struct tn_bus_property *row, DBusMessageIter *ret, void *data)
{
        const struct tn_service *service = data;
        json_auto_t *value = tn_service_value(service->agent, row->about);

        tn_bus_json_append(ret, row->type, value);
}

void tn_service_start_changes(struct tn_service *service)
{
        service->told = json_object();
        for (const struct tn_bus_interface *const *i = tn_service_contract; *i; i++) {
                json_t *told = json_object();

                for (const struct tn_bus_property *row = (*i)->properties; row->name; row++)
                        if (is_signalled(row))
                                json_object_set_new(told, row->name,
                                                    or_null(tn_service_value(service->agent, row->about)));
                json_object_set_new(service->told, (*i)->name, told);
        }
        service->heartbeats = states_of_heartbeats(service);
        tn_facts_subscribe(service->agent->facts, on_fact, service);
}

void tn_service_stop_changes(struct tn_service *service)
{
        if (!service->told)
                return;
        tn_facts_unsubscribe(service->agent->facts, on_fact, service);
        g_clear_handle_id(&service->announce_source, g_source_remove);
        g_ptr_array_set_size(service->changed, 0);
        g_clear_pointer(&service->told, json_decref);
        g_clear_pointer(&service->heartbeats, json_decref);
}
