/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* tenonctl heartbeat: its parts. */
#pragma once

#include <glib.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

/* argv[0] is the verb. */
int tn_cli_heartbeat_list(int argc, char **argv);
int tn_cli_heartbeat_run(int argc, char **argv);
int tn_cli_heartbeat_remove(int argc, char **argv);

/* The member "heartbeats" of tenon-get-health as a table. */
void tn_cli_print_heartbeats(const json_t *heartbeats);

struct tn_heartbeat_run {
        char *name;
        gint timeout; /* seconds */
        gboolean required;
        char *socket; /* of the heartbeats */
        char **command;
};
/* Runs the command with a heartbeat; the exit status of tenonctl. */
int tn_heartbeat_run(const struct tn_heartbeat_run *run);

/* The agent's heartbeat socket, from our side. */
struct tn_heartbeat_client {
        int fd;
        const char *path; /* borrowed */
};

bool tn_heartbeat_client_init(struct tn_heartbeat_client *client, const char *path, GError **error);
void tn_heartbeat_client_deinit(struct tn_heartbeat_client *client);
/* Sends without waiting for an answer. False with @error: TN_ERROR_NOT_FOUND when nobody is there. */
bool tn_heartbeat_client_send(const struct tn_heartbeat_client *client, const char *message, GError **error);
/* Sends and waits for the answer. TN_ERROR_DENIED with the agent's reason when it refuses. */
bool tn_heartbeat_client_ask(const struct tn_heartbeat_client *client, const char *message, GError **error);
