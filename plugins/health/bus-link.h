/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* The one connection to the system bus that the checks share, made when it is needed, and
 * its loss. */
#pragma once

#include <glib.h>

#include "lib/bus.h"

struct health_bus;

struct health_bus *health_bus_new(void);
void health_bus_free(struct health_bus *link);

/* The connection, borrowed until @lost is called; NULL with @error: there is no bus. */
struct tn_bus *health_bus_get(struct health_bus *link, GError **error);

/* Called when the connection is gone, before it is freed: end what was made on it. */
typedef void (*health_bus_lost)(void *data);
void health_bus_watch(struct health_bus *link, health_bus_lost lost, void *data);
void health_bus_unwatch(struct health_bus *link, void *data);
