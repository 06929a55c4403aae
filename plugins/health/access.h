/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * Who may register heartbeats. Root may; others only when an administrator has listed them, for a heartbeat
 * can tell the host that this guest is sick, and a required one can have it reset. Pure: names are looked up
 * in the texts of passwd(5) and group(5), once, and never with the name service, which may have to ask a
 * network.
 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "plugins/health/heartbeats.h"
#include "tenon/plugin.h"

struct health_access;

/* Reads [heartbeat] and the two files. Names that are not found are logged and let nobody in. */
struct health_access *health_access_new(struct tenon_host *host);
void health_access_free(struct health_access *access);

/* The peer with this user id; root's rights for root and for the user that the agent runs as. */
struct heartbeat_peer health_access_peer(uid_t uid, pid_t pid);
bool health_access_check(const struct health_access *access, const struct heartbeat_peer *peer,
                         bool required, GError **error);
