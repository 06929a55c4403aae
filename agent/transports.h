/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* The agent's ways to its host and to tenonctl, opened and closed together. */
#pragma once

#include "agent/agent.h"

/* @listen_fd: a socket from socket activation, or -1. Fails only when the host could never be reached. */
bool tn_transports_open(struct tn_agent *agent, int listen_fd, GError **error);
/* A device came: ports that are not open are tried again. */
void tn_transports_retry(struct tn_agent *agent);
void tn_transports_close(struct tn_agent *agent);
/* The "channels" of tenon-get-status. New reference. */
json_t *tn_transports_to_json(const struct tn_agent *agent);

/* Where a method usually reaches the host; NULL when that must be given, or there is no such method. */
const char *tn_transports_usual_path(const char *method);
