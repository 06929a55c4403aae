/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* The agent's side of struct tenon_host: one for each plugin, with the plugin's name behind it. */
#pragma once

#include "agent/config.h"
#include "agent/facts.h"
#include "lib/env.h"
#include "tenon/plugin.h"

struct tn_plugin_host;

/* @name is copied. The rest outlives the host. */
struct tn_plugin_host *tn_plugin_host_new(const struct tn_env *env, const struct tn_config *config,
                                          struct tn_facts *facts, const char *name);
/* The plugin is told of no fact any more, and of no call over D-Bus: it is about to be stopped. */
void tn_plugin_host_unwatch(struct tn_plugin_host *host);
/* The row for a method that the plugin serves over D-Bus, and the plugin's data; NULL: it does not. */
const struct tn_bus_method *tn_plugin_host_find_method(const struct tn_plugin_host *host,
                                                       const char *interface, const char *name,
                                                       void **ret_data);
/* Children that the plugin still has under way are killed; their callbacks do not run. */
void tn_plugin_host_free(struct tn_plugin_host *host);
/* What the plugin is handed. Borrowed. */
struct tenon_host *tn_plugin_host_get(struct tn_plugin_host *host);
