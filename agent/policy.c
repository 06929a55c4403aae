/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* Policy presets as a table: which categories each lets through. */
#include "agent/policy.h"

#define BIT(category) (1U << TENON_CATEGORY_##category)

static const struct preset {
        const char *name;
        unsigned categories;
} presets[] = {
        {"locked", BIT(AGENT) | BIT(INFO) | BIT(POWER)},
        {"standard", BIT(AGENT) | BIT(INFO) | BIT(POWER) | BIT(TIME) | BIT(FREEZE)},
        {"open", ~0U},
};

static const char *const category_names[_TENON_CATEGORY_MAX] = {
        [TENON_CATEGORY_AGENT] = "agent",       [TENON_CATEGORY_INFO] = "info",
        [TENON_CATEGORY_POWER] = "power",       [TENON_CATEGORY_TIME] = "time",
        [TENON_CATEGORY_FREEZE] = "freeze",     [TENON_CATEGORY_HOTPLUG] = "hotplug",
        [TENON_CATEGORY_EXEC] = "exec",         [TENON_CATEGORY_FILES] = "files",
        [TENON_CATEGORY_ACCOUNTS] = "accounts", [TENON_CATEGORY_WATCHDOG] = "watchdog",
};

struct tn_policy {
        const struct preset *preset;
        char **allow;
        char **only; /* empty: no such restriction */
        char **block;
};

struct tn_policy *tn_policy_new(const struct tn_config *config)
{
        struct tn_policy *policy = g_new0(struct tn_policy, 1);
        const char *name = tn_config_get(config, "policy", "preset");

        policy->preset = &presets[0];
        for (size_t i = 0; i < G_N_ELEMENTS(presets); i++)
                if (g_str_equal(presets[i].name, name))
                        policy->preset = &presets[i];
        policy->allow = tn_config_get_list(config, "policy", "allow");
        policy->only = tn_config_get_list(config, "policy", "only");
        policy->block = tn_config_get_list(config, "policy", "block");
        return policy;
}

void tn_policy_free(struct tn_policy *policy)
{
        if (!policy)
                return;
        g_strfreev(policy->allow);
        g_strfreev(policy->only);
        g_strfreev(policy->block);
        g_free(policy);
}

static bool listed(char **list, const char *name)
{
        return g_strv_contains((const char *const *) list, name);
}

static bool preset_has(const struct preset *preset, const struct tenon_command *command)
{
        return (preset->categories & (1U << command->category)) != 0;
}

bool tn_policy_allows(const struct tn_policy *policy, const struct tenon_command *command)
{
        if (listed(policy->block, command->name))
                return false;
        if (*policy->only)
                return listed(policy->only, command->name);
        return listed(policy->allow, command->name) || preset_has(policy->preset, command);
}

char *tn_policy_explain(const struct tn_policy *policy, const struct tenon_command *command)
{
        if (listed(policy->block, command->name))
                return g_strdup("remove it from block= in [policy] of tenond.conf, or from --block-rpcs, to "
                                "allow it");
        if (*policy->only)
                return g_strdup("add it to only= in [policy] of tenond.conf, or --allow-rpcs, to allow it");
        for (size_t i = 0; i < G_N_ELEMENTS(presets); i++)
                if (preset_has(&presets[i], command))
                        return g_strdup_printf(
                                "preset=%s or allow=%s in [policy] of tenond.conf would allow it",
                                presets[i].name, command->name);
        return g_strdup_printf("allow=%s in [policy] of tenond.conf would allow it", command->name);
}

const char *tn_policy_preset(const struct tn_policy *policy)
{
        return policy->preset->name;
}

const char *tn_policy_category_name(enum tenon_category category)
{
        return category_names[category];
}

/* Commands that a guest may be without: packaging/ puts their plugins into packages of their own. */
static const struct {
        const char *package;
        const char *commands[7];
} packages[] = {
        {"tenon-exec", {"guest-exec", "guest-exec-status", "tenon-exec-terminate"}},
        {"tenon-files",
         {"guest-file-close", "guest-file-flush", "guest-file-open", "guest-file-read", "guest-file-seek",
          "guest-file-write"}},
        {"tenon-accounts",
         {"guest-set-user-password", "guest-ssh-add-authorized-keys", "guest-ssh-get-authorized-keys",
          "guest-ssh-remove-authorized-keys"}},
};

const char *tn_policy_package(const char *name)
{
        for (size_t i = 0; i < G_N_ELEMENTS(packages); i++)
                if (g_strv_contains(packages[i].commands, name))
                        return packages[i].package;
        return NULL;
}

const char *const *tn_policy_allowed_names(const struct tn_policy *policy)
{
        return (const char *const *) policy->allow;
}

const char *const *tn_policy_only_names(const struct tn_policy *policy)
{
        return (const char *const *) policy->only;
}

const char *const *tn_policy_blocked_names(const struct tn_policy *policy)
{
        return (const char *const *) policy->block;
}
