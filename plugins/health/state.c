/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* The state machine of a check. */
#include "plugins/health/state.h"

#include <glib.h>

static const char *const names[_HEALTH_SEVERITY_MAX] = {"ok", "warning", "critical", "unknown"};

const char *health_severity_name(enum health_severity severity)
{
        return names[severity];
}

static void count(unsigned *row, bool counts, unsigned limit)
{
        *row = counts ? MIN(*row + 1, limit) : 0;
}

bool health_state_feed(struct health_state *state, enum health_severity result)
{
        enum health_severity before = state->severity;
        bool bad = result == HEALTH_WARNING || result == HEALTH_CRITICAL;

        count(&state->criticals, result == HEALTH_CRITICAL, state->in_a_row);
        count(&state->warnings, bad, state->in_a_row);
        if (!bad)
                state->severity = result;
        else if (state->criticals == state->in_a_row)
                state->severity = HEALTH_CRITICAL;
        else if (state->warnings == state->in_a_row)
                state->severity = HEALTH_WARNING;
        return state->severity != before;
}

enum health_severity health_judge(double value, double warning, double critical, bool falling)
{
        double sign = falling ? -1 : 1;

        if (critical > 0 && sign * value >= sign * critical)
                return HEALTH_CRITICAL;
        if (warning > 0 && sign * value >= sign * warning)
                return HEALTH_WARNING;
        return HEALTH_OK;
}
