/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* tenon-get-status: one JSON object that says all of the agent, for hosts, `tenonctl status` and bug
 * reports. */
#include "agent/agent.h"
#include "agent/hardware.h"
#include "agent/transports.h"
#include "lib/json.h"
#include "lib/names.h"
#include "pvdrivers/judge.h"

static void add_problem(json_t *problems, const char *format, ...) G_GNUC_PRINTF(2, 3);

static void add_problem(json_t *problems, const char *format, ...)
{
        g_autofree char *text = NULL;
        va_list args;

        va_start(args, format);
        text = g_strdup_vprintf(format, args);
        va_end(args);
        json_array_append_new(problems, tn_json_text(text));
}

/* Owners of facts tell of their problems in the fact itself. */
static void add_problems_of_facts(json_t *problems, const struct tn_agent *agent)
{
        json_auto_t *facts = tn_facts_to_json(agent->facts);
        const char *name;
        json_t *fact, *problem;
        size_t i;

        json_object_foreach(facts, name, fact)
        {
                if (g_str_equal(name, "health"))
                        continue;
                json_array_foreach(json_object_get(fact, "problems"), i, problem)
                        json_array_append(problems, problem);
        }
}

static void add_watchdog(json_t *problems, const json_t *watchdog)
{
        const char *state = json_string_value(json_object_get(watchdog, "state"));
        const char *reason = json_string_value(json_object_get(watchdog, "reason"));

        if (g_strcmp0(state, "starving") == 0)
                add_problem(problems, "the watchdog is fed no more: %s", reason ? reason : "");
        else if (g_strcmp0(state, "refused") == 0)
                add_problem(problems, "watchdog: %s", reason ? reason : "");
        if (json_object_get(watchdog, "brake"))
                add_problem(problems, "the watchdog's brake is on; see tenonctl watchdog");
}

json_t *tn_agent_health(const struct tn_agent *agent)
{
        json_t *problems = json_array();
        const char *const *mistakes = tn_config_mistakes(agent->config);
        unsigned plugins = tn_plugins_problems(agent->plugins);

        for (; *mistakes; mistakes++)
                add_problem(problems, "configuration: %s", *mistakes);
        if (plugins > 0)
                add_problem(problems, "%u plugin%s not started; see tenonctl plugins", plugins,
                            plugins > 1 ? "s were" : " was");
        if (agent->port && tn_port_problem(agent->port))
                add_problem(problems, "%s: %s", agent->path, tn_port_problem(agent->port));
        if (agent->control_problem)
                add_problem(problems, "control socket: %s", agent->control_problem);
        add_problems_of_facts(problems, agent);
        add_watchdog(problems, tn_facts_get(agent->facts, "watchdog"));
        return json_pack("{s:s, s:o}", "state", json_array_size(problems) ? "degraded" : "ok", "problems",
                         problems);
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
        json_object_set_new(status, "time", tn_hardware_time(agent->env));
        json_object_set_new(status, "counters", counters(agent));
        json_object_set_new(status, "facts", tn_facts_to_json(agent->facts));
        /* These three have members of their own above. */
        json_object_del(json_object_get(status, "facts"), "watchdog");
        json_object_del(json_object_get(status, "facts"), "hypervisor");
        json_object_del(json_object_get(status, "facts"), "health");
        json_object_set_new(status, "uptime-seconds", json_integer((json_int_t) (usec / G_USEC_PER_SEC)));
        return status;
}
