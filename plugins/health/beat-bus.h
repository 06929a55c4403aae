/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* Heartbeats over D-Bus: org.tenon.Agent1.Heartbeats on the system bus, where there is one. */
#pragma once

#include "plugins/health/access.h"
#include "plugins/health/bus-link.h"
#include "plugins/health/heartbeats.h"

struct beat_bus;

/* Connects, and comes back after the bus was gone. */
struct beat_bus *beat_bus_new(struct tenon_host *host, struct health_bus *link,
                              struct heartbeats *heartbeats, const struct health_access *access);
void beat_bus_free(struct beat_bus *service);

/* Tells listeners of another state. NULL is fine. */
void beat_bus_changed(struct beat_bus *service, const struct heartbeat *heartbeat);
/* NULL: it is there; else why it is not. Borrowed. */
const char *beat_bus_problem(const struct beat_bus *service);
