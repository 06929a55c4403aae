/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* The agent as its service on the system bus tells it, kept up to date over restarts of both. */
#pragma once

#include <glib.h>
#include <jansson.h>

struct tn_tray_agent;

/* Something is different. */
typedef void (*tn_tray_changed)(void *data);
/* The agent looked for updates: its sentence, or why it did not. */
typedef void (*tn_tray_checked)(const char *text, const GError *error, void *data);

struct tn_tray_agent *tn_tray_agent_new(tn_tray_changed changed, void *data);
void tn_tray_agent_free(struct tn_tray_agent *agent);
/* For tn_tray_view_new(); borrowed until the next change. NULL: it does not run. */
const json_t *tn_tray_agent_facts(const struct tn_tray_agent *agent);
/* Has the agent look for updates; its right is asked of the user by polkit, where that is needed. @checked
 * gets the data of tn_tray_agent_new(). */
void tn_tray_agent_check_updates(struct tn_tray_agent *agent, tn_tray_checked checked);
