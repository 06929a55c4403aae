/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* Making and unmaking the agent. The order matters in one place: plugins start before the channel to the
 * host opens, so that the first request already finds every command. */
#define _GNU_SOURCE
#include "agent/agent.h"

#include <string.h>

#include "agent/core-commands.h"
#include "agent/events.h"
#include "agent/plugin-host.h"
#include "agent/transports.h"
#include "detect/detect.h"
#include "lib/error.h"
#include "lib/log.h"
#include "lib/names.h"
#include "pvdrivers/platform.h"

static void report_mistakes(const struct tn_agent *agent, const struct tn_config *config)
{
        for (const char *const *mistake = tn_config_mistakes(config); *mistake; mistake++)
                tn_log(agent->env->log, TN_LOG_ERR,
                       TN_FIELDS({TN_F_MESSAGE_ID, TN_MSG_CONFIG_ERROR}, {TN_F_FILE, agent->config_path}),
                       "configuration: %s", *mistake);
}

/* What is blocked and not installed is as it should be. */
static void warn_unknown(const struct tn_agent *agent, const char *key, const char *const *names)
{
        for (; *names; names++) {
                const char *package = tn_policy_package(*names);

                if (tn_commands_find(agent->commands, *names) || (package && g_str_equal(key, "block")))
                        continue;
                tn_log(agent->env->log, TN_LOG_WARNING, TN_FIELDS({TN_F_COMMAND, *names}),
                       "configuration: group [policy], key '%s': no command is named '%s'; %s%s", key,
                       *names, package ? "it comes with the package " : "see tenonctl plugins",
                       package ? package : "");
        }
}

/* A guest whose memory is kept from its host does not let that host do much, unless its administrator says
 * so. */
static bool is_confidential(const struct tn_agent *agent)
{
        json_t *fact;
        size_t i;

        json_array_foreach(json_object_get(tn_facts_get(agent->facts, "hypervisor"), "facts"), i, fact)
        {
                if (g_strcmp0(json_string_value(json_object_get(fact, "kind")), "confidential") == 0)
                        return true;
        }
        return false;
}

static void use_policy(struct tn_agent *agent, struct tn_config *config)
{
        struct tn_policy *policy;

        if (is_confidential(agent))
                tn_config_default(config, "policy", "preset", "locked", "a confidential guest");
        policy = tn_policy_new(config);
        warn_unknown(agent, "allow", tn_policy_allowed_names(policy));
        warn_unknown(agent, "only", tn_policy_only_names(policy));
        warn_unknown(agent, "block", tn_policy_blocked_names(policy));
        tn_dispatch_set_policy(agent->dispatch, policy);
}

static void detect(struct tn_agent *agent)
{
        struct tn_detect *detected = tn_detect_run(agent->env);

        (void) tn_facts_set(agent->facts, "agent", "hypervisor", tn_detect_to_json(detected), NULL);
        agent->platform = tn_platform_of(detected);
        tn_detect_free(detected);
}

static void start_plugins(struct tn_agent *agent, const char *const *directories)
{
        const char *fallback[] = {tn_config_get_nonempty(agent->config, "plugins", "directory"), NULL};

        for (const char *const *dir = directories ? directories : fallback; *dir; dir++) {
                g_autoptr(GError) error = NULL;

                if (!tn_plugins_load_directory(agent->plugins, *dir, &error))
                        tn_log(agent->env->log, TN_LOG_ERR,
                               TN_FIELDS({TN_F_MESSAGE_ID, TN_MSG_PLUGIN_ERROR}, {TN_F_FILE, *dir}),
                               "no plugins from there: %s", error->message);
        }
        tn_plugins_start(agent->plugins);
}

static void on_hotplug(const char *subsystem, const char *sysname, bool added, void *data)
{
        struct tn_agent *agent = data;

        (void) sysname;
        tn_events_update_drivers(agent);
        if (!added)
                return;
        if (g_str_equal(subsystem, "virtio-ports"))
                tn_transports_retry(agent);
        tn_plugins_retry(agent->plugins);
        tn_service_touch(agent->service, "plugins");
}

static void announce_start(const struct tn_agent *agent)
{
        json_t *primary = json_object_get(tn_facts_get(agent->facts, "hypervisor"), "primary");
        const char *id = json_string_value(json_object_get(primary, "id"));

        tn_log(agent->env->log, TN_LOG_NOTICE,
               TN_FIELDS({TN_F_MESSAGE_ID, TN_MSG_STARTED}, {TN_F_HYPERVISOR, id},
                         {TN_F_TRANSPORT, agent->method}),
               "Tenon %s on %s, host reached by %s at %s, policy %s", TN_VERSION, id ? id : "bare metal",
               agent->method, agent->path, tn_policy_preset(tn_dispatch_policy(agent->dispatch)));
}

/* While file systems are frozen, a record that is written to the journal may block us: it waits in memory.
 */
static void on_fact(const char *name, const json_t *value, void *data)
{
        static const char *const holding[] = {"freezing", "frozen", "thawing", NULL};
        const char *state = json_string_value(json_object_get(value, "state"));
        struct tn_agent *agent = data;

        if (!g_str_equal(name, "freeze"))
                return;
        if (state && g_strv_contains(holding, state))
                tn_log_hold(agent->env->log);
        else
                tn_log_release(agent->env->log);
}

struct tn_agent *tn_agent_new(const struct tn_env *env, struct tn_config *config, const char *config_path,
                              const char *const *plugin_dirs)
{
        struct tn_agent *agent = g_new0(struct tn_agent, 1);

        agent->env = env;
        agent->config = config;
        agent->config_path = g_strdup(config_path);
        agent->started_usec = env->now_usec(env, CLOCK_BOOTTIME);
        agent->facts = tn_facts_new();
        tn_facts_subscribe(agent->facts, on_fact, agent);
        agent->commands = tn_commands_new();
        agent->dispatch = tn_dispatch_new(env, agent->commands, agent->facts);
        agent->plugins = tn_plugins_new(env, config, agent->commands, agent->facts);
        agent->core = g_new0(struct tenon_host, 1);
        *agent->core = (struct tenon_host){
                .data = agent, .env = env, .reply = tn_call_reply, .fail = tn_call_fail};
        report_mistakes(agent, config);
        agent->catalogue = tn_catalogue_new(env, NULL); /* mistakes are tenon-drivers.service's to report */
        detect(agent);
        (void) tn_commands_add(agent->commands, "agent", agent->core, tn_core_commands,
                               NULL); /* table is empty */
        start_plugins(agent, plugin_dirs);
        use_policy(agent, config);
        return agent;
}

bool tn_agent_open(struct tn_agent *agent, int listen_fd, GError **error)
{
        if (!tn_transports_open(agent, listen_fd, error))
                return false;
        agent->hotplug = tn_hotplug_new(agent->env, on_hotplug, agent);
        tn_transports_retry(agent); /* a port may have come between the first try and the subscription */
        tn_events_start(agent);
        if (tn_config_get_bool(agent->config, "agent", "dbus"))
                agent->service = tn_service_new(agent);
        announce_start(agent);
        return true;
}

void tn_agent_free(struct tn_agent *agent)
{
        if (!agent)
                return;
        g_clear_handle_id(&agent->drivers_source, g_source_remove);
        tn_service_free(agent->service);
        agent->service = NULL;
        tn_hotplug_free(agent->hotplug);
        tn_transports_close(agent);
        tn_plugins_free(agent->plugins);
        tn_dispatch_free(agent->dispatch);
        tn_commands_free(agent->commands);
        tn_facts_free(agent->facts);
        tn_catalogue_free(agent->catalogue);
        tn_config_free(agent->config);
        g_free(agent->core);
        g_free(agent->config_path);
        g_free(agent->control_problem);
        g_free(agent->path);
        g_free(agent);
}

void tn_agent_reload(struct tn_agent *agent)
{
        g_autoptr(GError) error = NULL;
        g_autoptr(tn_config_t) config = tn_config_new(agent->env, agent->config_path, false, &error);
        enum tn_log_level level;

        report_mistakes(agent, config);
        if (*tn_config_mistakes(config)) {
                tn_log(agent->env->log, TN_LOG_ERR, NULL,
                       "configuration not reloaded; the old one stays in force");
                return;
        }
        tn_config_carry_over(config, agent->config);
        use_policy(agent, config);
        if (tn_log_level_parse(tn_config_get(config, "log", "level"), &level))
                tn_log_set_level(agent->env->log, level);
        tn_events_update_health(agent);
        tn_service_touch(agent->service, "policy");
        tn_service_retry(agent->service);
        tn_log(agent->env->log, TN_LOG_NOTICE, NULL, "configuration reloaded, policy %s",
               tn_policy_preset(tn_dispatch_policy(agent->dispatch)));
}
