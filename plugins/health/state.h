/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * What a row of results makes of a check. Pure. It takes N bad results in a row to become bad and one good
 * one to become ok; a result that is no measurement (unknown) counts at once, since nothing follows from it.
 */
#pragma once

#include <stdbool.h>

enum health_severity {
        HEALTH_OK,
        HEALTH_WARNING,
        HEALTH_CRITICAL,
        HEALTH_UNKNOWN, /* the check itself does not work */
        _HEALTH_SEVERITY_MAX,
};

struct health_state {
        enum health_severity severity; /* in force */
        unsigned in_a_row;             /* N, at least 1 */
        unsigned warnings,
                criticals; /* newest results in a row that were at least this bad; they stop at N */
};

/* "ok", "warning", "critical", "unknown". */
const char *health_severity_name(enum health_severity severity);

/* True when the severity in force has changed. */
bool health_state_feed(struct health_state *state, enum health_severity result);

/* The severity of a value; a limit of 0 is none. @falling: small values are the bad ones. */
enum health_severity health_judge(double value, double warning, double critical, bool falling);
