/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * The connection to the system bus, its two objects and the name. The surprising thing: the connection is
 * dropped from an idle call, since the news of its loss comes from within it. A guest that never had a bus
 * is not asked again, but for a reload of the configuration; one that was lost is looked for until it is
 * found.
 */
#include "agent/service-private.h"

#include "agent/facts.h"
#include "lib/error.h"
#include "lib/log.h"
#include "lib/names.h"

#define RETRY_S 10
#define DENIED_MAX                                                                                          \
        6 /* tries: just after an installation the bus may not have read who may have the name              \
           */

static void append_interface(DBusMessageIter *to, const struct tn_service *service,
                             const struct tn_bus_interface *interface)
{
        DBusMessageIter row;

        (void) dbus_message_iter_open_container(to, DBUS_TYPE_DICT_ENTRY, NULL, &row);
        (void) dbus_message_iter_append_basic(&row, DBUS_TYPE_STRING, &interface->name);
        tn_bus_object_append_all(service->object, interface, &row);
        (void) dbus_message_iter_close_container(to, &row);
}

static void get_managed_objects(struct tn_bus_request *request, void *data)
{
        const struct tn_service *service = data;
        DBusMessage *reply = dbus_message_new_method_return(tn_bus_request_message(request));
        const char *path = TN_BUS_PATH;
        DBusMessageIter iter, objects, object, interfaces;

        dbus_message_iter_init_append(reply, &iter);
        (void) dbus_message_iter_open_container(&iter, DBUS_TYPE_ARRAY, "{oa{sa{sv}}}", &objects);
        (void) dbus_message_iter_open_container(&objects, DBUS_TYPE_DICT_ENTRY, NULL, &object);
        (void) dbus_message_iter_append_basic(&object, DBUS_TYPE_OBJECT_PATH, &path);
        (void) dbus_message_iter_open_container(&object, DBUS_TYPE_ARRAY, "{sa{sv}}", &interfaces);
        for (const struct tn_bus_interface *const *i = tn_service_contract; *i; i++)
                append_interface(&interfaces, service, *i);
        (void) dbus_message_iter_close_container(&object, &interfaces);
        (void) dbus_message_iter_close_container(&objects, &object);
        (void) dbus_message_iter_close_container(&iter, &objects);
        tn_bus_request_reply(request, reply);
}

static const struct tn_bus_method manager_methods[] = {
        {"GetManagedObjects", "", 0, get_managed_objects},
        {NULL},
};
static const struct tn_bus_interface manager_interface = {"org.freedesktop.DBus.ObjectManager",
                                                          manager_methods, NULL};
static const struct tn_bus_interface *const manager_interfaces[] = {&manager_interface, NULL};

/* Says it once. */
static void set_state(struct tn_service *service, const char *state, const char *problem)
{
        struct tn_agent *agent = service->agent;
        json_t *fact = json_pack("{s:s, s:s*}", "state", state, "problem", problem);

        if (problem && g_strcmp0(service->problem, problem) != 0)
                tn_log(agent->env->log, TN_LOG_NOTICE, NULL,
                       "no service on D-Bus: %s; hosts and tenonctl do not need it", problem);
        g_free(service->problem);
        service->problem = g_strdup(problem);
        (void) tn_facts_set(agent->facts, "agent", "dbus", fact, NULL);
}

static void connect_bus(struct tn_service *service);

static gboolean on_retry(void *data)
{
        struct tn_service *service = data;

        service->retry_source = 0;
        connect_bus(service);
        return G_SOURCE_REMOVE; /* it may have armed it anew */
}

static void retry_later(struct tn_service *service)
{
        if (!service->retry_source)
                service->retry_source = g_timeout_add_seconds(RETRY_S, on_retry, service);
}

static void on_named(DBusMessage *reply, const GError *error, void *data)
{
        struct tn_service *service = data;

        (void) reply;
        service->named = !error;
        service->lost = service->lost && error;
        set_state(service, error ? "absent" : "connected", error ? error->message : NULL);
        if (error && error->code == TN_ERROR_DENIED && ++service->denied < DENIED_MAX)
                retry_later(service);
}

static void drop(struct tn_service *service)
{
        g_clear_handle_id(&service->drop_source, g_source_remove);
        if (!service->bus)
                return;
        tn_service_stop_changes(service);
        tn_service_end_calls(service);
        service->named = false;
        g_clear_pointer(&service->manager, tn_bus_object_free);
        g_clear_pointer(&service->object, tn_bus_object_free);
        g_clear_pointer(&service->lost_match, tn_bus_unsubscribe);
        g_clear_pointer(&service->sleep_match, tn_bus_unsubscribe);
        g_clear_pointer(&service->bus, tn_bus_free);
}

static gboolean on_drop(void *data)
{
        struct tn_service *service = data;

        service->drop_source = 0;
        drop(service);
        service->lost = true;
        set_state(service, "connecting", "the connection to the bus was lost");
        retry_later(service);
        return G_SOURCE_REMOVE;
}

static void on_lost(DBusMessage *signal, void *data)
{
        struct tn_service *service = data;

        (void) signal;
        if (!service->drop_source)
                service->drop_source = g_idle_add(on_drop, service);
}

static bool open_bus(struct tn_service *service, GError **error)
{
        service->bus = tn_bus_open(NULL, error);
        if (!service->bus)
                return false;
        service->lost_match = tn_bus_subscribe(service->bus, NULL, DBUS_PATH_LOCAL, DBUS_INTERFACE_LOCAL,
                                               "Disconnected", on_lost, service);
        service->object = tn_bus_object_new(service->bus, TN_BUS_PATH, tn_service_contract, tn_service_xml,
                                            service);
        service->manager = tn_bus_object_new(service->bus, TN_BUS_MANAGER, manager_interfaces,
                                             tn_service_manager_xml, service);
        tn_service_start_changes(service);
        tn_service_watch_sleep(service);
        return true;
}

static void connect_bus(struct tn_service *service)
{
        g_autoptr(GError) error = NULL;

        if (!service->bus && !open_bus(service, &error)) {
                if (service->lost)
                        retry_later(service);
                else
                        set_state(service, "absent", error->message);
                return;
        }
        if (service->named)
                return;
        set_state(service, "connecting", NULL);
        tn_bus_own_name(service->bus, TN_BUS_NAME, on_named, service);
}

struct tn_service *tn_service_new(struct tn_agent *agent)
{
        struct tn_service *service = g_new0(struct tn_service, 1);

        service->agent = agent;
        service->changed = g_ptr_array_new_with_free_func(g_free);
        service->calls = g_ptr_array_new();
        connect_bus(service);
        return service;
}

void tn_service_free(struct tn_service *service)
{
        if (!service)
                return;
        g_clear_handle_id(&service->retry_source, g_source_remove);
        drop(service);
        g_ptr_array_free(service->changed, TRUE);
        g_ptr_array_free(service->calls, TRUE);
        g_free(service->problem);
        g_free(service);
}

void tn_service_retry(struct tn_service *service)
{
        if (!service)
                return;
        service->denied = 0;
        g_clear_handle_id(&service->retry_source, g_source_remove);
        connect_bus(service);
}
