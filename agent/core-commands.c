/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* guest-sync and its relatives, guest-info, tenon-get-status. Their reply formats are the QGA schema's. */
#include "agent/core-commands.h"

#include "agent/agent.h"
#include "lib/names.h"

#define SINCE_MAX 253402300799 /* seconds: the end of the year 9999 */

static json_t *sync_run(struct tenon_host *host, json_t *args, GError **error)
{
        return json_incref(json_object_get(args, "id"));
}

static json_t *ping_run(struct tenon_host *host, json_t *args, GError **error)
{
        return json_object();
}

struct listing {
        const struct tn_agent *agent;
        json_t *list;
};

static void add_command(const struct tn_command *command, void *data)
{
        struct listing *listing = data;
        const struct tenon_command *desc = command->desc;
        bool enabled = tn_policy_allows(tn_dispatch_policy(listing->agent->dispatch), desc);

        json_array_append_new(listing->list,
                              json_pack("{s:s, s:b, s:b}", "name", desc->name, "enabled", enabled,
                                        "success-response", !(desc->flags & TENON_COMMAND_NO_REPLY)));
}

static json_t *info_run(struct tenon_host *host, json_t *args, GError **error)
{
        const struct tn_agent *agent = host->data;
        struct listing listing = {agent, json_array()};

        tn_commands_foreach(agent->commands, add_command, &listing);
        return json_pack("{s:s, s:o}", "version", TN_VERSION, "supported_commands", listing.list);
}

static void add_verdict(const struct tn_command *command, void *data)
{
        struct listing *listing = data;
        const struct tn_policy *policy = tn_dispatch_policy(listing->agent->dispatch);
        const struct tenon_command *desc = command->desc;
        bool allowed = tn_policy_allows(policy, desc);
        json_t *row = json_pack("{s:s, s:s, s:b, s:b}", "name", desc->name, "category",
                                tn_policy_category_name(desc->category), "changes",
                                (desc->flags & TENON_COMMAND_CHANGES) != 0, "allowed", allowed);

        if (!allowed) {
                g_autofree char *why = tn_policy_explain(policy, desc);

                json_object_set_new(row, "remedy", json_string(why));
        }
        json_array_append_new(listing->list, row);
}

static json_t *policy_run(struct tenon_host *host, json_t *args, GError **error)
{
        struct tn_agent *agent = host->data;
        struct listing listing = {agent, json_array()};
        const char *preset = tn_policy_preset(tn_dispatch_policy(agent->dispatch));
        const char *origin = tn_config_origin(agent->config, "policy", "preset");

        tn_commands_foreach(agent->commands, add_verdict, &listing);
        return json_pack("{s:s, s:s, s:o}", "preset", preset, "origin", origin ? origin : "default",
                         "commands", listing.list);
}

static json_t *status_run(struct tenon_host *host, json_t *args, GError **error)
{
        return tn_agent_status(host->data);
}

/* From before 1970 or after the year 9999: everything, or nothing. */
static void watch_start(struct tenon_host *host, struct tenon_call *call, json_t *args)
{
        json_t *since = json_object_get(args, "since");
        json_int_t seconds = json_integer_value(since);

        tn_call_watch_events(call, !since || seconds > SINCE_MAX ? G_MAXUINT64
                                   : seconds < 0                 ? 0
                                                                 : (uint64_t) seconds * G_USEC_PER_SEC);
}

const struct tenon_command tn_core_commands[] = {
        {.name = "guest-sync",
         .args = "id:int",
         .summary = "Echo a number; replies still owed to earlier requests are dropped",
         .category = TENON_CATEGORY_AGENT,
         .flags = TENON_COMMAND_WHILE_FROZEN | TN_COMMAND_SYNC,
         .run = sync_run},
        {.name = "guest-sync-delimited",
         .args = "id:int",
         .summary = "guest-sync with the byte 0xFF before its reply",
         .category = TENON_CATEGORY_AGENT,
         .flags = TENON_COMMAND_WHILE_FROZEN | TN_COMMAND_SYNC | TN_COMMAND_DELIMITED,
         .run = sync_run},
        {.name = "guest-ping",
         .args = "",
         .summary = "Answer",
         .category = TENON_CATEGORY_AGENT,
         .flags = TENON_COMMAND_WHILE_FROZEN,
         .run = ping_run},
        {.name = "guest-info",
         .args = "",
         .summary = "Version and commands of the agent",
         .category = TENON_CATEGORY_AGENT,
         .flags = TENON_COMMAND_WHILE_FROZEN,
         .run = info_run},
        {.name = "tenon-get-status",
         .args = "",
         .summary = "All of the agent: hypervisor, channels, plugins, drivers, health, counters",
         .category = TENON_CATEGORY_AGENT,
         .flags = TENON_COMMAND_WHILE_FROZEN,
         .run = status_run},
        {.name = "tenon-get-policy",
         .args = "",
         .summary = "Which commands the host may use, and what would allow the others",
         .category = TENON_CATEGORY_AGENT,
         .flags = TENON_COMMAND_WHILE_FROZEN,
         .run = policy_run},
        {.name = "tenon-watch-events",
         .args = "since:int?",
         .summary = "From now on send events over this connection, those since a time first",
         .category = TENON_CATEGORY_AGENT,
         .flags = TENON_COMMAND_WHILE_FROZEN,
         .start = watch_start},
        {.name = NULL},
};
