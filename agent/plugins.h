/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * Plugin loader: finds shared modules, refuses what is not trustworthy, starts the rest in order, stops
 * them in reverse. A plugin that fails is a row with a reason; it never takes the agent down.
 */
#pragma once

#include <glib.h>
#include <jansson.h>

#include "agent/command.h"
#include "agent/config.h"
#include "agent/facts.h"
#include "lib/env.h"

struct tn_plugins;

/* All arguments outlive the loader. */
struct tn_plugins *tn_plugins_new(const struct tn_env *env, const struct tn_config *config,
                                  struct tn_commands *commands, struct tn_facts *facts);
/* Stops what runs, unloads. */
void tn_plugins_free(struct tn_plugins *plugins);

/* Loads every (any).so of @directory (a path of the running system). A folder that belongs to someone else
 * than root or the agent's user, or that others may write to, is refused as a whole. */
bool tn_plugins_load_directory(struct tn_plugins *plugins, const char *directory, GError **error);
/* Takes part in the same way as a module that was found: for tests, and for plugins that are linked in. */
void tn_plugins_add(struct tn_plugins *plugins, const struct tenon_plugin *desc, const char *file);
/* Probes and starts, in the order of `after`. */
void tn_plugins_start(struct tn_plugins *plugins);
/* A device came: plugins that said LATER are asked again. */
void tn_plugins_retry(struct tn_plugins *plugins);

/* [{"name", "file", "state", "reason"?, "summary"?, "commands"?: [{"name", "summary", "category"}]}] where
 * state is running, unused, waiting, disabled, failed or refused. New reference. */
json_t *tn_plugins_to_json(const struct tn_plugins *plugins);
/* The row of the plugin that serves a method over D-Bus, and its data; NULL: none does. */
const struct tn_bus_method *tn_plugins_find_method(const struct tn_plugins *plugins, const char *interface,
                                                   const char *name, void **ret_data);
/* Plugins that failed or were refused. */
unsigned tn_plugins_problems(const struct tn_plugins *plugins);
