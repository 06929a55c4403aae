/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* Heartbeats over D-Bus: org.tenon.Agent1.Heartbeats on the system bus, where there is one. */
#pragma once

#include "plugins/health/access.h"
#include "plugins/health/heartbeats.h"

struct beat_bus;

/* From now on the calls are served. They are not any more when the plugin is stopped. */
struct beat_bus *beat_bus_new(struct tenon_host *host, struct heartbeats *heartbeats,
                              const struct health_access *access);
/* NULL is fine. */
void beat_bus_free(struct beat_bus *service);

/* NULL: it is there; else why it is not. Borrowed. */
const char *beat_bus_problem(const struct beat_bus *service);
