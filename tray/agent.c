/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * One question, GetManagedObjects, and signals as hints to ask it again: what was missed does not matter.
 * The surprising thing is that the agent is never started by the tray: each message says so, for the service
 * can be activated, and an icon must not start what the administrator has stopped.
 */
#include "tray/agent.h"

#include "lib/bus.h"
#include "lib/error.h"
#include "lib/names.h"
#include "tray/link.h"
#include "tray/values.h"

#define MANAGER_PATH "/org/tenon"
#define CALL_MS      20000
#define CHECK_MS                                                                                            \
        300000        /* polkit may ask the user for a password, and the package manager takes its time     \
                       */
#define SETTLE_MS 200 /* signals come in groups */

struct tn_tray_agent {
        struct tn_tray_link *link;
        struct tn_bus *bus; /* NULL while there is none */
        tn_tray_changed changed;
        tn_tray_checked checked; /* of the check that is under way; NULL: none is */
        void *data;
        json_t *facts;    /* NULL: it does not run */
        json_t *shutdown; /* the newest of its events; NULL: none */
        char *owner;      /* who answered, the only one whose events count */
        guint ask_source;
        bool asking, again; /* a question is under way; and its answer will be old */
};

static DBusMessage *call_new(const char *path, const char *interface, const char *method)
{
        DBusMessage *call = dbus_message_new_method_call(TN_BUS_NAME, path, interface, method);

        dbus_message_set_auto_start(call, FALSE);
        return call;
}

/* Takes @facts. */
static void set_facts(struct tn_tray_agent *agent, json_t *facts)
{
        if (facts && agent->shutdown)
                json_object_set(facts, "shutdown", agent->shutdown);
        json_decref(agent->facts);
        agent->facts = facts;
        agent->changed(agent->data);
}

static void set_stopped(struct tn_tray_agent *agent)
{
        g_clear_pointer(&agent->shutdown, json_decref);
        g_clear_pointer(&agent->owner, g_free);
        set_facts(agent, NULL);
}

static void ask(struct tn_tray_agent *agent);

static void on_objects(DBusMessage *reply, const GError *error, void *data)
{
        struct tn_tray_agent *agent = data;
        json_auto_t *objects = NULL;
        DBusMessageIter iter;
        json_t *facts;

        agent->asking = false;
        if (agent->again) {
                ask(agent);
                return;
        }
        if (error && !g_error_matches(error, TN_ERROR, TN_ERROR_NOT_FOUND))
                g_warning("%s: %s", TN_BUS_NAME, error->message);
        if (!reply || !dbus_message_iter_init(reply, &iter)) {
                set_stopped(agent);
                return;
        }
        objects = tn_tray_value(&iter);
        facts = json_object_get(objects, TN_BUS_PATH);
        g_free(agent->owner);
        agent->owner = g_strdup(dbus_message_get_sender(reply));
        set_facts(agent, json_is_object(facts) ? json_incref(facts) : json_object());
}

static void ask(struct tn_tray_agent *agent)
{
        DBusMessage *call;

        agent->again = agent->asking;
        if (agent->asking)
                return;
        agent->asking = true;
        call = call_new(MANAGER_PATH, "org.freedesktop.DBus.ObjectManager", "GetManagedObjects");
        tn_bus_call(agent->bus, call, CALL_MS, on_objects, agent);
        dbus_message_unref(call);
}

static gboolean on_settled(void *data)
{
        struct tn_tray_agent *agent = data;

        agent->ask_source = 0;
        ask(agent);
        return G_SOURCE_REMOVE;
}

static void on_hint(DBusMessage *signal, void *data)
{
        struct tn_tray_agent *agent = data;

        (void) signal;
        if (!agent->ask_source)
                agent->ask_source = g_timeout_add(SETTLE_MS, on_settled, agent);
}

/* Came, went, or was replaced: what was known is not true any more. */
static void on_owner(DBusMessage *signal, void *data)
{
        struct tn_tray_agent *agent = data;
        const char *name, *before, *now;

        if (!dbus_message_get_args(signal, NULL, DBUS_TYPE_STRING, &name, DBUS_TYPE_STRING, &before,
                                   DBUS_TYPE_STRING, &now, DBUS_TYPE_INVALID))
                return;
        agent->again = agent->asking;
        if (*now)
                on_hint(signal, agent);
        else
                set_stopped(agent);
}

static void on_event(DBusMessage *signal, void *data)
{
        struct tn_tray_agent *agent = data;
        DBusMessageIter iter;
        const char *name;

        if (!dbus_message_has_signature(signal, "sa{sv}") ||
            g_strcmp0(dbus_message_get_sender(signal), agent->owner) != 0)
                return;
        (void) dbus_message_iter_init(signal, &iter);
        dbus_message_iter_get_basic(&iter, &name);
        if (!g_str_equal(name, "SHUTDOWN_CHANGED"))
                return;
        (void) dbus_message_iter_next(&iter);
        if (!agent->shutdown) {
                agent->shutdown = tn_tray_value(&iter);
                json_object_set_new(agent->shutdown, "at", json_integer(g_get_real_time() / G_USEC_PER_SEC));
        } else { /* the same shutdown goes on */
                json_auto_t *newer = tn_tray_value(&iter);

                json_object_update(agent->shutdown, newer);
        }
        if (agent->facts)
                set_facts(agent, json_copy(agent->facts));
        if (g_strcmp0(json_string_value(json_object_get(agent->shutdown, "state")), "failed") == 0)
                g_clear_pointer(&agent->shutdown, json_decref);
}

static void on_up(struct tn_bus *bus, void *data)
{
        struct tn_tray_agent *agent = data;

        agent->bus = bus;
        (void) tn_bus_watch_owner(bus, TN_BUS_NAME, on_owner, agent);
        (void) tn_bus_subscribe(bus, TN_BUS_NAME, TN_BUS_PATH, DBUS_INTERFACE_PROPERTIES,
                                "PropertiesChanged", on_hint, agent);
        (void) tn_bus_subscribe(bus, TN_BUS_NAME, TN_BUS_PATH, TN_BUS_NAME, "Event", on_event, agent);
        ask(agent);
}

static void on_down(void *data)
{
        struct tn_tray_agent *agent = data;

        g_clear_handle_id(&agent->ask_source, g_source_remove);
        agent->checked = NULL;
        agent->asking = agent->again = false;
        agent->bus = NULL;
        set_stopped(agent);
}

static const struct tn_tray_link_hooks hooks = {on_up, on_down};

struct tn_tray_agent *tn_tray_agent_new(tn_tray_changed changed, void *data)
{
        struct tn_tray_agent *agent = g_new0(struct tn_tray_agent, 1);

        *agent = (struct tn_tray_agent){.changed = changed, .data = data};
        agent->link = tn_tray_link_new(NULL, &hooks, agent);
        return agent;
}

static void ignore(void *data)
{
        (void) data;
}

void tn_tray_agent_free(struct tn_tray_agent *agent)
{
        if (!agent)
                return;
        agent->changed = ignore;
        tn_tray_link_free(agent->link);
        json_decref(agent->facts);
        json_decref(agent->shutdown);
        g_free(agent->owner);
        g_free(agent);
}

const json_t *tn_tray_agent_facts(const struct tn_tray_agent *agent)
{
        return agent->facts;
}

static void on_checked(DBusMessage *reply, const GError *error, void *data)
{
        struct tn_tray_agent *agent = data;
        json_auto_t *update = NULL;
        DBusMessageIter iter;
        const char *message;

        if (reply && dbus_message_iter_init(reply, &iter))
                update = tn_tray_value(&iter);
        message = json_string_value(json_object_get(update, "message"));
        if (!message)
                message = json_string_value(json_object_get(update, "status"));
        agent->checked(message ? message : "the check is done", error, agent->data);
        agent->checked = NULL;
}

void tn_tray_agent_check_updates(struct tn_tray_agent *agent, tn_tray_checked checked)
{
        g_autoptr(GError) stopped = NULL;
        DBusMessage *call;

        if (agent->checked)
                return; /* one is under way */
        if (!agent->bus || !agent->facts) {
                stopped = g_error_new(TN_ERROR, TN_ERROR_NOT_FOUND, "the agent does not run");
                checked(NULL, stopped, agent->data);
                return;
        }
        agent->checked = checked;
        call = call_new(TN_BUS_PATH, TN_BUS_NAME ".Updates", "Check");
        dbus_message_set_allow_interactive_authorization(call, TRUE);
        tn_bus_call(agent->bus, call, CHECK_MS, on_checked, agent);
        dbus_message_unref(call);
}
