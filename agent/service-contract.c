/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * The table behind data/org.tenon.Agent1.xml: for each property the fact or the function that it comes from,
 * for each method the command that it is. tests/unit/test-service-contract.c compares both. The one thing
 * to know: a property is never missing. A part that is not there says so in its property State, and the
 * others are the zeros of their types.
 */
#include "agent/service-private.h"

#include "agent/transports.h"
#include "lib/json.h"
#include "lib/names.h"

/* clang-format off */
const char *const tn_service_xml =
#include "agent/agent1-xml.inc"
        ;
const char *const tn_service_manager_xml =
#include "agent/object-manager-xml.inc"
        ;
/* clang-format on */

static bool has_command(const struct tn_agent *agent, const char *name)
{
        return tn_commands_find(agent->commands, name) != NULL;
}

static json_t *presence(const struct tn_agent *agent, const char *command)
{
        return json_string(has_command(agent, command) ? "present" : "absent");
}

static json_t *make_version(const struct tn_agent *agent)
{
        (void) agent;
        return json_string(TN_VERSION);
}

static json_t *make_started(const struct tn_agent *agent)
{
        const struct tn_env *env = agent->env;
        uint64_t age = env->now_usec(env, CLOCK_BOOTTIME) - agent->started_usec;

        return json_integer((json_int_t) ((env->now_usec(env, CLOCK_REALTIME) - age) / G_USEC_PER_SEC));
}

static json_t *make_policy(const struct tn_agent *agent)
{
        return json_string(tn_policy_preset(tn_dispatch_policy(agent->dispatch)));
}

/* Who watches nothing has no objection. */
static json_t *make_feed(const struct tn_agent *agent)
{
        return json_boolean(
                !json_is_false(json_object_get(tn_facts_get(agent->facts, "health-gate"), "feed")));
}

static json_t *make_hypervisor_state(const struct tn_agent *agent)
{
        json_t *fact = tn_facts_get(agent->facts, "hypervisor");

        return json_string(json_is_true(json_object_get(fact, "virtual")) ? "present" : "absent");
}

/* The list without what changes with each request. */
static json_t *make_channels(const struct tn_agent *agent)
{
        json_t *list = tn_transports_to_json(agent), *channel;
        size_t i;

        json_array_foreach(list, i, channel)
        {
                json_object_del(channel, "clients");
        }
        return list;
}

/* Of the first channel, which is the host's. */
static json_t *of_host(const struct tn_agent *agent, const char *member)
{
        json_auto_t *list = tn_transports_to_json(agent);

        return json_incref(json_object_get(json_array_get(list, 0), member));
}

static json_t *make_channel_state(const struct tn_agent *agent)
{
        return of_host(agent, "state");
}

static json_t *make_channel_problem(const struct tn_agent *agent)
{
        return of_host(agent, "problem");
}

static json_t *make_drivers_state(const struct tn_agent *agent)
{
        if (!has_command(agent, "tenon-get-drivers"))
                return json_string("absent");
        return json_incref(json_object_get(tn_facts_get(agent->facts, "driver-advice"), "state"));
}

static json_t *make_watchdog_state(const struct tn_agent *agent)
{
        json_t *state = json_object_get(tn_facts_get(agent->facts, "watchdog"), "state");

        return state ? json_incref(state) : json_string("absent");
}

static json_t *make_heartbeats_state(const struct tn_agent *agent)
{
        void *data;

        return json_string(tn_plugins_find_method(agent->plugins, TN_BUS_HEARTBEATS, "Beat", &data)
                                   ? "present"
                                   : "absent");
}

static json_t *list_of_heartbeats(const struct tn_agent *agent)
{
        return json_object_get(tn_facts_get(agent->facts, "heartbeats"), "heartbeats");
}

static json_t *make_registered(const struct tn_agent *agent)
{
        return json_integer((json_int_t) json_array_size(list_of_heartbeats(agent)));
}

static json_t *make_missed(const struct tn_agent *agent)
{
        json_int_t n = 0;
        json_t *row;
        size_t i;

        json_array_foreach(list_of_heartbeats(agent), i, row)
        {
                n += g_strcmp0(json_string_value(json_object_get(row, "state")), "missed") == 0;
        }
        return json_integer(n);
}

static json_t *make_time_state(const struct tn_agent *agent)
{
        return presence(agent, "tenon-get-time-status");
}

static void on_answer(const json_t *value, const GError *error, void *data)
{
        (void) error;
        *(json_t **) data = json_incref((json_t *) value);
}

/* Of a command that answers at once; NULL else. */
static json_t *of_time(const struct tn_agent *agent, const char *member)
{
        struct tn_session *session = tn_session_new(agent->dispatch, TN_TRUST_LOCAL_USER, "dbus",
                                                    "a property", NULL, NULL);
        json_auto_t *value = NULL;

        if (has_command(agent, "tenon-get-time-status"))
                tn_session_run(session, "tenon-get-time-status", json_object(), on_answer, &value);
        tn_session_free(session);
        return json_incref(json_object_get(value, member));
}

static json_t *make_offset(const struct tn_agent *agent)
{
        return of_time(agent, "offset");
}

static json_t *make_error(const struct tn_agent *agent)
{
        return of_time(agent, "error");
}

static json_t *make_updates_state(const struct tn_agent *agent)
{
        return presence(agent, TN_COMMAND_UPDATE_CHECK);
}

/* Before the first check there is no fact. */
static json_t *make_update_status(const struct tn_agent *agent)
{
        json_t *status = json_object_get(tn_facts_get(agent->facts, "update"), "status");

        if (status)
                return json_incref(status);
        return json_string(has_command(agent, TN_COMMAND_UPDATE_CHECK) ? "unknown" : "");
}

static json_t *make_plugins_state(const struct tn_agent *agent)
{
        return json_string(tn_plugins_problems(agent->plugins) ? "degraded" : "ok");
}

/* The list without the commands, which are tenon-get-policy's to tell. */
static json_t *make_plugins(const struct tn_agent *agent)
{
        json_t *list = tn_plugins_to_json(agent->plugins), *plugin;
        size_t i;

        json_array_foreach(list, i, plugin)
        {
                json_object_del(plugin, "commands");
        }
        return list;
}

#define ABOUT(...) &(const struct tn_service_source){__VA_ARGS__}, tn_service_get
/* A member of a fact. */
#define FACT(name, type, fact, member)                                                                      \
        {                                                                                                   \
                name, type, NULL, ABOUT(fact, member)                                                       \
        }
/* A function of the agent, and what to look out for. */
#define MADE(name, type, fact, make)                                                                        \
        {                                                                                                   \
                name, type, NULL, ABOUT(fact, NULL, make)                                                   \
        }
#define CONSTANT(name, type, make)                                                                          \
        {                                                                                                   \
                name, type, NULL, ABOUT(NULL, NULL, make, TN_SERVICE_CONST)                                 \
        }
#define SILENT(name, type, make)                                                                            \
        {                                                                                                   \
                name, type, NULL, ABOUT(NULL, NULL, make, TN_SERVICE_SILENT)                                \
        }

/* A command that reads. */
#define READS(name, in, command, args)                                                                      \
        {                                                                                                   \
                name, in, 0, tn_service_run_command, &(const struct tn_service_command)                     \
                {                                                                                           \
                        command, args, "a{sv}"                                                              \
                }                                                                                           \
        }
/* A command that polkit is asked about. */
#define CHANGES(name, in, command, args, out, action)                                                       \
        {                                                                                                   \
                name, in, TN_BUS_WITH_UID, tn_service_run_command, &(const struct tn_service_command)       \
                {                                                                                           \
                        command, args, out, TN_POLKIT_PREFIX action                                         \
                }                                                                                           \
        }
/* A method that a plugin serves. */
#define SERVED(name, in)                                                                                    \
        {                                                                                                   \
                name, in, TN_BUS_WITH_UID, tn_service_run_plugin, TN_BUS_HEARTBEATS                         \
        }

#define INTERFACE(id, name, methods)                                                                        \
        static const struct tn_bus_interface id##_interface = {name, methods, id##_properties}

/* clang-format off */
static const struct tn_bus_property agent_properties[] = {
        CONSTANT("Version", "s", make_version),
        SILENT("StartedAt", "t", make_started),
        FACT("State", "s", "health", "state"),
        FACT("Problems", "as", "health", "problems"),
        FACT("Remedies", "as", "health", "remedies"),
        MADE("Policy", "s", "policy", make_policy),
        FACT("Checks", "aa{sv}", "checks", "checks"),
        MADE("Feed", "b", "health-gate", make_feed),
        {NULL},
};
static const struct tn_bus_method agent_methods[] = {
        READS("GetStatus", "", "tenon-get-status", ""),
        READS("GetPolicy", "", "tenon-get-policy", ""),
        READS("GetHealth", "", "tenon-get-health", ""),
        {NULL},
};
INTERFACE(agent, TN_BUS_NAME, agent_methods);

static const struct tn_bus_property hypervisor_properties[] = {
        MADE("State", "s", "hypervisor", make_hypervisor_state),
        FACT("Id", "s", "hypervisor", "primary.id"),
        FACT("Kind", "s", "hypervisor", "primary.kind"),
        FACT("Facts", "aa{sv}", "hypervisor", "facts"),
        {NULL},
};
INTERFACE(hypervisor, TN_BUS_NAME ".Hypervisor", NULL);

static const struct tn_bus_property channels_properties[] = {
        MADE("State", "s", "channels", make_channel_state),
        MADE("Problem", "s", "channels", make_channel_problem),
        MADE("Channels", "aa{sv}", "channels", make_channels),
        {NULL},
};
INTERFACE(channels, TN_BUS_NAME ".Channels", NULL);

static const struct tn_bus_property drivers_properties[] = {
        MADE("State", "s", "driver-advice", make_drivers_state),
        FACT("Advice", "as", "driver-advice", "advice"),
        FACT("Severities", "as", "driver-advice", "severities"),
        FACT("Preparation", "a{sv}", "drivers-prepare", NULL),
        {NULL},
};
static const struct tn_bus_method drivers_methods[] = {
        READS("GetDrivers", "", "tenon-get-drivers", ""),
        READS("Plan", "s", "tenon-drivers-plan", "target"),
        CHANGES("Prepare", "sb", "tenon-drivers-prepare", "target,dry-run", "a{sv}", "prepare-drivers"),
        CHANGES("Undo", "b", "tenon-drivers-undo", "all", "a{sv}", "prepare-drivers"),
        {NULL},
};
INTERFACE(drivers, TN_BUS_NAME ".Drivers", drivers_methods);

static const struct tn_bus_property watchdog_properties[] = {
        MADE("State", "s", "watchdog", make_watchdog_state),
        FACT("Reason", "s", "watchdog", "reason"),
        FACT("Mode", "s", "watchdog", "mode"),
        FACT("Device", "s", "watchdog", "device"),
        FACT("Identity", "s", "watchdog", "identity"),
        FACT("Timeout", "u", "watchdog", "timeout-seconds"),
        FACT("Owner", "s", "watchdog", "owner"),
        FACT("Resets", "t", "watchdog", "resets"),
        FACT("LastReset", "a{sv}", "watchdog", "last-reset"),
        FACT("Brake", "a{sv}", "watchdog", "brake"),
        {NULL},
};
static const struct tn_bus_method watchdog_methods[] = {
        READS("GetWatchdog", "", "tenon-get-watchdog", ""),
        CHANGES("Arm", "", "tenon-watchdog-arm", "", NULL, "watchdog"),
        CHANGES("Disarm", "", "tenon-watchdog-disarm", "", NULL, "watchdog"),
        CHANGES("Test", "", "tenon-watchdog-test", "", NULL, "watchdog"),
        {NULL},
};
INTERFACE(watchdog, TN_BUS_NAME ".Watchdog", watchdog_methods);

static const struct tn_bus_property heartbeats_properties[] = {
        MADE("State", "s", "heartbeats", make_heartbeats_state),
        MADE("Registered", "u", "heartbeats", make_registered),
        MADE("Missed", "u", "heartbeats", make_missed),
        {NULL},
};
static const struct tn_bus_method heartbeats_methods[] = {
        SERVED("Register", "su"),
        SERVED("RegisterRequired", "su"),
        SERVED("Beat", "s"),
        SERVED("Unregister", "s"),
        SERVED("List", ""),
        {NULL},
};
INTERFACE(heartbeats, TN_BUS_HEARTBEATS, heartbeats_methods);

static const struct tn_bus_property time_properties[] = {
        MADE("State", "s", "time-sync", make_time_state),
        FACT("Mode", "s", "time-sync", "mode"),
        FACT("Owner", "s", "time-sync", "owner"),
        FACT("Source", "s", "time-sync", "source"),
        SILENT("OffsetNs", "x", make_offset),
        SILENT("ErrorNs", "x", make_error),
        FACT("Jumps", "t", "time-sync", "jumps"),
        FACT("LastJump", "a{sv}", "time-sync", "last-jump"),
        {NULL},
};
static const struct tn_bus_method time_methods[] = {
        READS("GetTime", "", "tenon-get-time-status", ""),
        CHANGES("SetTime", "x", "guest-set-time", "time", NULL, "set-time"),
        {NULL},
};
INTERFACE(time, TN_BUS_NAME ".Time", time_methods);

static const struct tn_bus_property updates_properties[] = {
        MADE("State", "s", "update", make_updates_state),
        MADE("Status", "s", "update", make_update_status),
        FACT("Installed", "s", "update", "installed"),
        FACT("Candidate", "s", "update", "candidate"),
        FACT("Source", "s", "update", "source"),
        FACT("VerifiedBy", "s", "update", "verified-by"),
        FACT("CheckedAt", "t", "update", "checked-at"),
        FACT("Security", "b", "update", "security"),
        FACT("Message", "s", "update", "message"),
        {NULL},
};
static const struct tn_bus_method updates_methods[] = {
        CHANGES("Check", "", TN_COMMAND_UPDATE_CHECK, "", "a{sv}", "check-updates"),
        CHANGES("Install", "", TN_COMMAND_UPDATE_INSTALL, "", "a{sv}", "install-update"),
        {NULL},
};
INTERFACE(updates, TN_BUS_NAME ".Updates", updates_methods);

static const struct tn_bus_property plugins_properties[] = {
        MADE("State", "s", "plugins", make_plugins_state),
        MADE("Plugins", "aa{sv}", "plugins", make_plugins),
        {NULL},
};
INTERFACE(plugins, TN_BUS_NAME ".Plugins", NULL);

const struct tn_bus_interface *const tn_service_contract[] = {
        &agent_interface, &hypervisor_interface, &channels_interface, &drivers_interface, &watchdog_interface,
        &heartbeats_interface, &time_interface, &updates_interface, &plugins_interface, NULL,
};
/* clang-format on */

json_t *tn_service_value(const struct tn_agent *agent, const struct tn_service_source *source)
{
        g_auto(GStrv) names = NULL;
        json_t *value;

        if (source->make)
                return source->make(agent);
        value = tn_facts_get(agent->facts, source->fact);
        if (!source->member)
                return json_incref(value);
        names = g_strsplit(source->member, ".", -1);
        for (char **name = names; *name; name++)
                value = json_object_get(value, *name);
        return json_incref(value);
}
