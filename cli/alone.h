/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* What verbs can still tell when no agent runs. */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "agent/config.h"

/* Prints lines about one thing. */
typedef void (*tn_alone_func)(const struct tn_env *env, const struct tn_config *config);

/* Tells @error, then, where it is that no agent runs and unless JSON is wanted, what @tell knows; it may be
 * NULL. The exit status. */
int tn_alone(const GError *error, tn_alone_func tell);

void tn_alone_health(const struct tn_env *env, const struct tn_config *config);
void tn_alone_plugins(const struct tn_env *env, const struct tn_config *config);
void tn_alone_policy(const struct tn_env *env, const struct tn_config *config);
void tn_alone_time(const struct tn_env *env, const struct tn_config *config);
void tn_alone_watchdog(const struct tn_env *env, const struct tn_config *config);
