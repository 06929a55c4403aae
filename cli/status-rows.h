/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* The screen of `tenonctl status`, from what the agent answered and what is looked up beside it. */
#pragma once

#include <jansson.h>

#include "lib/env.h"

struct tn_status_view {
        const struct tn_env *env;
        const json_t *status;    /* the reply of tenon-get-status, or what is known without an agent */
        const json_t *time;      /* of tenon-get-time-status; NULL: not known */
        const json_t *inventory; /* as tenonctl drivers --json prints it */
};

/* What needs attention, each with its remedy, and what would be better. */
void tn_status_print_attention(const struct tn_status_view *view);
/* One row for each part. */
void tn_status_print_parts(const struct tn_status_view *view);
/* "Attention" and "Remedy", for any object with problems. */
void tn_status_print_problems(const json_t *health);
