/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* All checks of the configuration, and when each is due. Has no timer of its own: its owner calls
 * health_checks_turn() when health_checks_next() says so. */
#pragma once

#include "plugins/health/check.h"
#include "plugins/health/health.h"

struct health_checks;

/* @changed: the state of a check has changed. @rearm: health_checks_next() may have. */
struct health_checks_events {
        void (*changed)(const struct health_check *check, enum health_severity before, void *data);
        void (*rearm)(void *data);
        void *data;
};

/* Makes the checks [check NAME] and, unless one of them is of that type, the built-in check "loop". */
struct health_checks *health_checks_new(struct tenon_host *host, struct health_bus *bus,
                                        struct health_checks_events events);
void health_checks_free(struct health_checks *checks);

/* Measures what is due, and gives up on what takes too long. */
void health_checks_turn(struct health_checks *checks);
/* When the next turn is due, on the monotonic clock; 0: never, as things are. */
uint64_t health_checks_next(const struct health_checks *checks);

/* Why the first required check that cannot work here at all cannot, or NULL. It needs no checks made. */
char *health_checks_fault(struct tenon_host *host);
/* The first required check that is critical, or NULL. */
const struct health_check *health_checks_culprit(const struct health_checks *checks);
/* The fact: names, states and reasons, nothing that changes with each measurement. New reference. */
json_t *health_checks_to_fact(const struct health_checks *checks);
/* The same with the newest measurements. New reference. */
json_t *health_checks_to_json(const struct health_checks *checks);

/* For types that need it; NULL in some tests. */
struct health_bus *health_checks_bus(const struct health_checks *checks);
