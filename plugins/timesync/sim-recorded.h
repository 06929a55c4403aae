/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* For tests: recordings of real clocks (tests/clocks/README.md), played to the simulated guest over and
 * over. */
#pragma once

#include <glib.h>
#include <stdint.h>

/* A guest's clock against its host's. Free with g_array_unref(). Ends the test when it cannot be read. */
GArray *sim_recorded_oscillator(const char *path);
/* How far that clock went ahead of the host's in the first so many nanoseconds. */
double sim_recorded_ahead(const GArray *oscillator, double nsec);
/* How late wakeups were, in nanoseconds; int64_t. */
GArray *sim_recorded_timers(const char *path);
