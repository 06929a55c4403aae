/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * What the host may ask: a preset decides by category, the lists allow= and block= by name, block wins. A
 * list only= leaves nothing but its names, whatever the preset says.
 * The agent's own commands (ping, sync, info, status) are refused only by name.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "agent/config.h"
#include "tenon/plugin.h"

struct tn_policy;

struct tn_policy *tn_policy_new(const struct tn_config *config);
void tn_policy_free(struct tn_policy *policy);

bool tn_policy_allows(const struct tn_policy *policy, const struct tenon_command *command);
/* For a command that is not allowed: which line of the configuration would allow it. Free with g_free(). */
char *tn_policy_explain(const struct tn_policy *policy, const struct tenon_command *command);

/* "standard", "open", "locked". Static. */
const char *tn_policy_preset(const struct tn_policy *policy);
/* "info", "power", … Static. */
const char *tn_policy_category_name(enum tenon_category category);
/* The package that brings the command @name, when that is one of its own; else NULL. Static. */
const char *tn_policy_package(const char *name);
/* Names in allow=, only= and block=, for a warning about those that no command has. Borrowed. */
const char *const *tn_policy_allowed_names(const struct tn_policy *policy);
const char *const *tn_policy_only_names(const struct tn_policy *policy);
const char *const *tn_policy_blocked_names(const struct tn_policy *policy);
