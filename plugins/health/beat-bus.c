/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * The methods of org.tenon.Agent1.Heartbeats, described in data/org.tenon.Agent1.xml. Registering over D-Bus
 * ties a heartbeat to a user, not to a process: who calls is often a program that ends after its one call. A
 * guest without a bus lacks this and nothing else.
 */
#include "plugins/health/beat-bus.h"

#include "lib/bus-object.h"
#include "lib/error.h"
#include "lib/log.h"
#include "lib/names.h"
#include "plugins/health/agent1-xml.h"

#define RETRY_S 10 /* after the bus was lost; a guest that never had one is not asked again */
#define DENIED_MAX                                                                                          \
        6 /* tries: just after an installation the bus may not have read who may have the name              \
           */

struct beat_bus {
        struct tenon_host *host;
        struct health_bus *link;
        struct heartbeats *heartbeats;
        const struct health_access *access;
        struct tn_bus_object *object; /* NULL: there is no bus */
        char *problem;
        guint retry_source;
        unsigned denied;
};

typedef bool (*beat_func)(struct heartbeats *heartbeats, const char *name, const struct heartbeat_peer *peer,
                          GError **error);

/* Ends the request with what a step has said. */
static void end(struct tn_bus_request *request, bool ok, GError *error)
{
        if (ok)
                tn_bus_request_reply(request, NULL);
        else
                tn_bus_request_fail(request, error);
}

static void register_beat(struct tn_bus_request *request, struct beat_bus *service, bool required)
{
        struct heartbeat_peer peer = health_access_peer(tn_bus_request_uid(request), 0);
        GError *error = NULL;
        const char *name;
        dbus_uint32_t timeout;
        bool ok;

        (void) dbus_message_get_args(tn_bus_request_message(request), NULL, DBUS_TYPE_STRING, &name,
                                     DBUS_TYPE_UINT32, &timeout, DBUS_TYPE_INVALID);
        ok = health_access_check(service->access, &peer, required, &error) &&
             heartbeats_register(service->heartbeats, name, &peer, timeout * UINT64_C(1000), required,
                                 &error);
        end(request, ok, error);
}

static void run_register(struct tn_bus_request *request, void *data)
{
        register_beat(request, data, false);
}

static void run_register_required(struct tn_bus_request *request, void *data)
{
        register_beat(request, data, true);
}

static void with_name(struct tn_bus_request *request, struct beat_bus *service, beat_func func)
{
        struct heartbeat_peer peer = health_access_peer(tn_bus_request_uid(request), 0);
        GError *error = NULL;
        const char *name;
        bool ok;

        (void) dbus_message_get_args(tn_bus_request_message(request), NULL, DBUS_TYPE_STRING, &name,
                                     DBUS_TYPE_INVALID);
        ok = func(service->heartbeats, name, &peer, &error);
        end(request, ok, error);
}

static void run_beat(struct tn_bus_request *request, void *data)
{
        with_name(request, data, heartbeats_beat);
}

static void run_unregister(struct tn_bus_request *request, void *data)
{
        with_name(request, data, heartbeats_unregister);
}

static const char *state_of(const struct heartbeat *heartbeat)
{
        return heartbeat->missed ? "missed" : "ok";
}

static void append_row(const struct heartbeat *heartbeat, void *data)
{
        const char *state = state_of(heartbeat);
        dbus_uint32_t timeout = (dbus_uint32_t) (heartbeat->timeout_usec / G_USEC_PER_SEC);
        dbus_bool_t required = heartbeat->required;
        DBusMessageIter row;

        (void) dbus_message_iter_open_container(data, DBUS_TYPE_STRUCT, NULL, &row);
        (void) dbus_message_iter_append_basic(&row, DBUS_TYPE_STRING, &heartbeat->name);
        (void) dbus_message_iter_append_basic(&row, DBUS_TYPE_STRING, &state);
        (void) dbus_message_iter_append_basic(&row, DBUS_TYPE_UINT32, &timeout);
        (void) dbus_message_iter_append_basic(&row, DBUS_TYPE_BOOLEAN, &required);
        (void) dbus_message_iter_close_container(data, &row);
}

static void run_list(struct tn_bus_request *request, void *data)
{
        const struct beat_bus *service = data;
        DBusMessage *reply = dbus_message_new_method_return(tn_bus_request_message(request));
        DBusMessageIter iter, rows;

        dbus_message_iter_init_append(reply, &iter);
        (void) dbus_message_iter_open_container(&iter, DBUS_TYPE_ARRAY, "(ssub)", &rows);
        heartbeats_foreach(service->heartbeats, append_row, &rows);
        (void) dbus_message_iter_close_container(&iter, &rows);
        tn_bus_request_reply(request, reply);
}

struct count {
        dbus_uint32_t all, missed;
};

static void count_one(const struct heartbeat *heartbeat, void *data)
{
        struct count *count = data;

        count->all++;
        count->missed += heartbeat->missed;
}

static void get_registered(DBusMessageIter *ret, void *data)
{
        struct count count = {0};

        heartbeats_foreach(((struct beat_bus *) data)->heartbeats, count_one, &count);
        (void) dbus_message_iter_append_basic(ret, DBUS_TYPE_UINT32, &count.all);
}

static void get_missed(DBusMessageIter *ret, void *data)
{
        struct count count = {0};

        heartbeats_foreach(((struct beat_bus *) data)->heartbeats, count_one, &count);
        (void) dbus_message_iter_append_basic(ret, DBUS_TYPE_UINT32, &count.missed);
}

static const struct tn_bus_method methods[] = {
        {"Register", "su", TN_BUS_WITH_UID, run_register},
        {"RegisterRequired", "su", TN_BUS_WITH_UID, run_register_required},
        {"Beat", "s", TN_BUS_WITH_UID, run_beat},
        {"Unregister", "s", TN_BUS_WITH_UID, run_unregister},
        {"List", "", 0, run_list},
        {NULL},
};

static const struct tn_bus_property properties[] = {
        {"Registered", "u", get_registered},
        {"Missed", "u", get_missed},
        {NULL},
};

static const struct tn_bus_interface heartbeats_interface = {TN_BUS_HEARTBEATS, methods, properties};
static const struct tn_bus_interface *const interfaces[] = {&heartbeats_interface, NULL};

static void set_problem(struct beat_bus *service, const char *problem)
{
        if (problem && g_strcmp0(service->problem, problem) != 0)
                service->host->log(service->host, TN_LOG_INFO, "no heartbeats over D-Bus: %s", problem);
        g_free(service->problem);
        service->problem = g_strdup(problem);
}

static gboolean on_retry(void *data);

static void retry_later(struct beat_bus *service)
{
        if (!service->retry_source)
                service->retry_source = g_timeout_add_seconds(RETRY_S, on_retry, service);
}

static void on_named(DBusMessage *reply, const GError *error, void *data)
{
        struct beat_bus *service = data;

        (void) reply;
        set_problem(service, error ? error->message : NULL);
        if (error && error->code == TN_ERROR_DENIED && ++service->denied < DENIED_MAX)
                retry_later(service);
}

static void connect_bus(struct beat_bus *service)
{
        g_autoptr(GError) error = NULL;
        struct tn_bus *bus = health_bus_get(service->link, &error);

        if (!bus) {
                set_problem(service, error->message);
                return;
        }
        g_free(service->problem);
        service->problem = g_strdup("the bus has not given us the name " TN_BUS_NAME " yet");
        if (!service->object)
                service->object = tn_bus_object_new(bus, TN_BUS_PATH, interfaces, TN_AGENT1_XML, service);
        tn_bus_own_name(bus, TN_BUS_NAME, on_named, service);
}

static gboolean on_retry(void *data)
{
        struct beat_bus *service = data;

        connect_bus(service);
        if (!service->object)
                return G_SOURCE_CONTINUE;
        service->retry_source = 0;
        return G_SOURCE_REMOVE; /* asking for the name may arm it anew */
}

static void on_lost(void *data)
{
        struct beat_bus *service = data;

        g_clear_pointer(&service->object, tn_bus_object_free);
        set_problem(service, "the connection to the bus was lost");
        retry_later(service);
}

struct beat_bus *beat_bus_new(struct tenon_host *host, struct health_bus *link,
                              struct heartbeats *heartbeats, const struct health_access *access)
{
        struct beat_bus *service = g_new0(struct beat_bus, 1);

        *service = (struct beat_bus){.host = host, .link = link, .heartbeats = heartbeats, .access = access};
        health_bus_watch(link, on_lost, service);
        connect_bus(service);
        return service;
}

void beat_bus_free(struct beat_bus *service)
{
        if (!service)
                return;
        health_bus_unwatch(service->link, service);
        g_clear_handle_id(&service->retry_source, g_source_remove);
        tn_bus_object_free(service->object);
        g_free(service->problem);
        g_free(service);
}

void beat_bus_changed(struct beat_bus *service, const struct heartbeat *heartbeat)
{
        const char *state = state_of(heartbeat);
        DBusMessage *signal;

        if (!service || !service->object)
                return;
        signal = dbus_message_new_signal(TN_BUS_PATH, TN_BUS_HEARTBEATS, "Changed");
        (void) dbus_message_append_args(signal, DBUS_TYPE_STRING, &heartbeat->name, DBUS_TYPE_STRING, &state,
                                        DBUS_TYPE_INVALID);
        tn_bus_object_emit(service->object, signal);
}

const char *beat_bus_problem(const struct beat_bus *service)
{
        return service->problem;
}
