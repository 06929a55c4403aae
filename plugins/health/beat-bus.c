/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * The methods of org.tenon.Agent1.Heartbeats, described in data/org.tenon.Agent1.xml. The agent has the
 * connection; the calls are ours. Registering over D-Bus ties a heartbeat to a user, not to a process: who
 * calls is often a program that ends after its one call.
 */
#include "plugins/health/beat-bus.h"

#include "lib/bus-object.h"
#include "lib/error.h"
#include "lib/names.h"

struct beat_bus {
        struct tenon_host *host;
        struct heartbeats *heartbeats;
        const struct health_access *access;
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

static void append_row(const struct heartbeat *heartbeat, void *data)
{
        const char *state = heartbeat->missed ? "missed" : "ok";
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

static const struct tn_bus_method methods[] = {
        {"Register", "su", TN_BUS_WITH_UID, run_register},
        {"RegisterRequired", "su", TN_BUS_WITH_UID, run_register_required},
        {"Beat", "s", TN_BUS_WITH_UID, run_beat},
        {"Unregister", "s", TN_BUS_WITH_UID, run_unregister},
        {"List", "", 0, run_list},
        {NULL},
};

struct beat_bus *beat_bus_new(struct tenon_host *host, struct heartbeats *heartbeats,
                              const struct health_access *access)
{
        struct beat_bus *service = g_new0(struct beat_bus, 1);

        *service = (struct beat_bus){.host = host, .heartbeats = heartbeats, .access = access};
        host->bus_serve(host, TN_BUS_HEARTBEATS, methods, service);
        return service;
}

void beat_bus_free(struct beat_bus *service)
{
        g_free(service);
}

const char *beat_bus_problem(const struct beat_bus *service)
{
        const json_t *fact = service->host->fact_get(service->host, "dbus");
        const char *problem = json_string_value(json_object_get(fact, "problem"));

        if (g_strcmp0(json_string_value(json_object_get(fact, "state")), "connected") == 0)
                return NULL;
        return problem ? problem : "the agent is not on the bus";
}
