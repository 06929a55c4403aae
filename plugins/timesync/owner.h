/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * Who keeps the system clock: a time daemon that runs, else nobody. Exactly one may do it.
 */
#pragma once

#include <glib.h>

#include "lib/env.h"

struct tn_clock_owner {
        const char *name; /* "chronyd" */
        const char *unit; /* the unit that was found running, or NULL: found among the processes */
        /* How it is asked to step the clock now; NULL: by a restart of the unit. Ended by NULL. */
        const char *const *step_argv;
        /* … and some seconds before that, to measure, for it steps only what it knows of; NULL: nothing. */
        const char *const *measure_argv;
};

/* A row of a static table, or NULL. Reads the control groups of systemd's units; where there are none, the
 * names of the processes. */
const struct tn_clock_owner *tn_clock_owner_find(const struct tn_env *env);
