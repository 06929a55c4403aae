/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* The agent as a whole: its parts, made in the right order and wired to each other. */
#pragma once

#include <glib.h>
#include <jansson.h>
#include <stdbool.h>

#include "agent/config.h"
#include "agent/dispatch.h"
#include "agent/facts.h"
#include "agent/hotplug.h"
#include "agent/listener.h"
#include "agent/plugins.h"
#include "agent/port.h"
#include "agent/service.h"
#include "lib/env.h"
#include "pvdrivers/catalogue.h"

struct tn_agent {
        const struct tn_env *env;
        struct tn_config *config;
        char *config_path;
        struct tn_facts *facts;
        struct tn_catalogue *catalogue; /* of drivers */
        enum tn_pv_platform platform;   /* that we run on; the maximum: not one of the catalogue's */
        struct tn_commands *commands;
        struct tn_dispatch *dispatch;
        struct tn_plugins *plugins;
        struct tn_hotplug *hotplug;       /* NULL: no device events here */
        struct tn_port *port;             /* one of port … */
        struct tn_listener *listener;     /* … and listener leads to the host */
        struct tn_port *qmp_port;         /* the port that speaks QMP; NULL: none */
        struct tn_listener *qmp_listener; /* the same as a socket, for development; NULL: none */
        struct tn_listener *control;      /* NULL: none */
        struct tenon_host *core;          /* what the agent's own commands are handed; data is this struct */
        struct tn_service *service;       /* on the system bus; NULL: not wanted, or not yet */
        guint drivers_source;             /* the fact "driver-advice" is to be made anew */
        const char *method;               /* how the host is reached, static */
        char *path;
        char *control_problem; /* why there is no control socket */
        uint64_t started_usec; /* CLOCK_BOOTTIME */
};

/* Takes ownership of @config; keeps a copy of @config_path for reloads. Starts the plugins of @plugin_dirs,
 * or, when that is NULL, of the configuration's directory. Reaches no host yet. Never NULL. */
struct tn_agent *tn_agent_new(const struct tn_env *env, struct tn_config *config, const char *config_path,
                              const char *const *plugin_dirs);
/* Opens the channel to the host and the control socket. @listen_fd: a socket from socket activation, or -1.
 * Fails only when the host could never be reached: a listening socket that cannot be made. */
bool tn_agent_open(struct tn_agent *agent, int listen_fd, GError **error);
void tn_agent_free(struct tn_agent *agent);

/* Reads the configuration again: [policy] and [log] take effect at once, the rest at the next start. With
 * mistakes in it the old one stays in force. */
void tn_agent_reload(struct tn_agent *agent);

/* The reply of tenon-get-status. New reference. */
json_t *tn_agent_status(const struct tn_agent *agent);

/* {"state": "ok"|"degraded", "problems": [text], "remedies": [text or null]}, lib/problems.h. New reference.
 */
json_t *tn_agent_health(const struct tn_agent *agent);
