/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* Which facts are worth an event: a table. The event's data is the fact's new value. */
#include "agent/events.h"

#include "agent/driver-advice.h"
#include "agent/service.h"

static const struct {
        const char *fact;
        const char *event;
        bool only_problems; /* only while the fact has some */
} events[] = {
        {"checks", "CHECKS_CHANGED"},
        {"drivers-prepare", "DRIVERS_PREPARE_CHANGED"},
        {"filesystems", "FILESYSTEMS_CHANGED"},
        {"freeze", "FREEZE_CHANGED"},
        {"health", "HEALTH_CHANGED"},
        {"health-gate", "HEALTH_GATE_CHANGED"},
        {"heartbeats", "HEARTBEATS_CHANGED"},
        {"memory", "MEMORY_PRESSURE"},
        {"network", "NETWORK_CHANGED"},
        {"os", "OS_CHANGED"},
        {"shutdown", "SHUTDOWN_CHANGED"},
        {"sleep", "SLEEP_CHANGED"},
        {"time-jump", "TIME_JUMP"},
        {"time-sync", "TIME_SYNC_CHANGED"},
        {"trim", "TRIM_CHANGED"},
        {"update", "UPDATE_CHANGED"},
        {"update", "UPDATE_AVAILABLE", .only_problems = true},
        {"users", "USERS_CHANGED"},
        {"watchdog", "WATCHDOG_CHANGED"},
};

static void on_fact(const char *name, const json_t *value, void *data)
{
        struct tn_agent *agent = data;
        bool problems = json_array_size(json_object_get(value, "problems")) > 0;

        for (size_t i = 0; value && i < G_N_ELEMENTS(events); i++) {
                if (!g_str_equal(events[i].fact, name) || (events[i].only_problems && !problems))
                        continue;
                tn_dispatch_emit(agent->dispatch, events[i].event, json_deep_copy(value));
                tn_service_event(agent->service, events[i].event, value);
        }
        if (!g_str_equal(name, "health") && (!value || json_object_get(value, "problems")))
                tn_events_update_health(agent);
}

void tn_events_update_health(struct tn_agent *agent)
{
        (void) tn_facts_set(agent->facts, "agent", "health", tn_agent_health(agent), NULL);
}

static void on_port(void *data)
{
        struct tn_agent *agent = data;

        tn_events_update_health(agent);
        tn_service_touch(agent->service, "channels");
}

static gboolean on_drivers(void *data)
{
        struct tn_agent *agent = data;

        agent->drivers_source = 0;
        (void) tn_facts_set(agent->facts, "agent", "driver-advice",
                            tn_driver_advice(agent->env, agent->catalogue, agent->platform), NULL);
        return G_SOURCE_REMOVE;
}

void tn_events_update_drivers(struct tn_agent *agent)
{
        if (!agent->drivers_source)
                agent->drivers_source = g_idle_add_full(G_PRIORITY_LOW, on_drivers, agent, NULL);
}

void tn_events_start(struct tn_agent *agent)
{
        tn_events_update_health(agent);
        tn_facts_subscribe(agent->facts, on_fact, agent);
        if (agent->port)
                tn_port_watch(agent->port, on_port, agent);
        if (agent->qmp_port)
                tn_port_watch(agent->qmp_port, on_port, agent);
        tn_events_update_drivers(agent);
}
