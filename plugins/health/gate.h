/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * The gate between health and the watchdog: the fact "health-gate", {"feed", "reason", "since", "fault"}.
 * Who feeds a watchdog looks at it before. It is closed only after the reason was logged, told and recorded
 * on disk. With a fault (a required check that cannot work) no watchdog is armed; one that is armed stays
 * so.
 */
#pragma once

#include "tenon/plugin.h"

struct health_gate;

/* Opens it; takes @fault, which may be NULL. */
struct health_gate *health_gate_new(struct tenon_host *host, char *fault);
void health_gate_free(struct health_gate *gate);

/* @culprit: the check or heartbeat that closes it, with @reason; NULL opens it. */
void health_gate_set(struct health_gate *gate, const char *culprit, const char *reason);
/* Takes @fault, NULL: there is none any more. */
void health_gate_set_fault(struct health_gate *gate, char *fault);
