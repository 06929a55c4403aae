/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* tenon-get-status: one JSON object that says all of the agent, for hosts, `tenonctl status` and bug
 * reports. */
#include "agent/agent.h"
#include "agent/hardware.h"
#include "agent/transports.h"
#include "lib/json.h"
#include "lib/names.h"
#include "lib/problems.h"
#include "pvdrivers/judge.h"

/* Owners of facts tell of their problems in the fact itself. */
static void add_problems_of_facts(json_t *health, const struct tn_agent *agent)
{
        json_auto_t *facts = tn_facts_to_json(agent->facts);
        const char *name;
        json_t *fact;

        json_object_foreach(facts, name, fact) if (!g_str_equal(name, "health"))
                tn_problems_add_all(health, fact);
}

static void add_watchdog(json_t *health, const json_t *watchdog)
{
        const char *state = json_string_value(json_object_get(watchdog, "state"));
        const char *reason = json_string_value(json_object_get(watchdog, "reason"));

        if (g_strcmp0(state, "starving") == 0)
                tn_problems_add(health,
                                "mend what it names (tenonctl health tells more), or the machine is reset",
                                "the watchdog is fed no more: %s", reason ? reason : "");
        else if (g_strcmp0(state, "refused") == 0)
                tn_problems_add(health,
                                "correct [watchdog] or the check that it names in " TN_PATH_CONFIG
                                ", or add "
                                "a device that it takes; "
                                "tenonctl watchdog lists those that are there",
                                "watchdog: %s", reason ? reason : "");
        if (json_object_get(watchdog, "brake"))
                tn_problems_add(health,
                                "find out why it was reset (tenonctl watchdog), then: tenonctl watchdog arm",
                                "the watchdog's brake is on");
}

static void add_port(json_t *health, const struct tn_agent *agent)
{
        const char *problem = agent->port ? tn_port_problem(agent->port) : NULL;

        if (problem)
                tn_problems_add(health, tn_port_remedy(agent->port), "%s: %s", agent->path, problem);
}

json_t *tn_agent_health(const struct tn_agent *agent)
{
        json_t *health = json_pack("{s:s}", "state", "ok");
        const char *const *mistakes = tn_config_mistakes(agent->config);
        unsigned plugins = tn_plugins_problems(agent->plugins);

        tn_problems_init(health);
        for (; *mistakes; mistakes++)
                tn_problems_add(health,
                                "correct it, look with tenonctl config, then: systemctl restart tenond",
                                "configuration: %s", *mistakes);
        if (plugins > 0)
                tn_problems_add(health, "tenonctl plugins tells why", "%u plugin%s not started", plugins,
                                plugins > 1 ? "s were" : " was");
        add_port(health, agent);
        if (agent->control_problem)
                tn_problems_add(health,
                                "free the path, or set control-socket of [agent] in " TN_PATH_CONFIG
                                "; then: systemctl restart tenond",
                                "control socket: %s", agent->control_problem);
        add_problems_of_facts(health, agent);
        add_watchdog(health, tn_facts_get(agent->facts, "watchdog"));
        if (json_array_size(json_object_get(health, "problems")))
                json_object_set_new(health, "state", json_string("degraded"));
        return health;
}

static json_t *names(const char *const *list)
{
        json_t *array = json_array();

        for (; *list; list++)
                json_array_append_new(array, tn_json_text(*list));
        return array;
}

static json_t *policy(const struct tn_agent *agent)
{
        const struct tn_policy *in_force = tn_dispatch_policy(agent->dispatch);

        return json_pack("{s:s, s:o, s:o, s:o}", "preset", tn_policy_preset(in_force), "allow",
                         names(tn_policy_allowed_names(in_force)), "only",
                         names(tn_policy_only_names(in_force)), "block",
                         names(tn_policy_blocked_names(in_force)));
}

static json_t *counters(const struct tn_agent *agent)
{
        const struct tn_counters *c = tn_dispatch_counters(agent->dispatch);

        return json_pack("{s:I, s:I, s:I, s:I, s:I}", "requests", (json_int_t) c->requests, "errors",
                         (json_int_t) c->errors, "parse-errors", (json_int_t) c->parse_errors, "refused",
                         (json_int_t) c->refused, "abandoned", (json_int_t) c->abandoned);
}

json_t *tn_agent_status(const struct tn_agent *agent)
{
        json_t *status = json_object();
        json_t *hypervisor = tn_facts_get(agent->facts, "hypervisor");
        json_t *watchdog = tn_facts_get(agent->facts, "watchdog");
        json_t *update = tn_facts_get(agent->facts, "update");
        uint64_t usec = agent->env->now_usec(agent->env, CLOCK_BOOTTIME) - agent->started_usec;

        json_object_set_new(status, "version", json_string(TN_VERSION));
        json_object_set_new(status, "health", tn_agent_health(agent));
        json_object_set(status, "hypervisor", hypervisor);
        json_object_set_new(status, "channels", tn_transports_to_json(agent));
        json_object_set_new(status, "policy", policy(agent));
        json_object_set_new(status, "plugins", tn_plugins_to_json(agent->plugins));
        json_object_set_new(status, "drivers",
                            tn_judge_machine(agent->env, agent->catalogue, agent->platform));
        json_object_set_new(status, "watchdog", watchdog ? json_deep_copy(watchdog) : json_null());
        json_object_set_new(status, "update", update ? json_deep_copy(update) : json_null());
        json_object_set_new(status, "time", tn_hardware_time(agent->env));
        json_object_set_new(status, "counters", counters(agent));
        json_object_set_new(status, "facts", tn_facts_to_json(agent->facts));
        /* These have members of their own above. */
        json_object_del(json_object_get(status, "facts"), "watchdog");
        json_object_del(json_object_get(status, "facts"), "update");
        json_object_del(json_object_get(status, "facts"), "hypervisor");
        json_object_del(json_object_get(status, "facts"), "health");
        json_object_set_new(status, "uptime-seconds", json_integer((json_int_t) (usec / G_USEC_PER_SEC)));
        return status;
}
