/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* Verbs that look at a machine: this one, or one that was recorded. */
#pragma once

#include "lib/env.h"

typedef int (*tn_cli_machine_func)(const struct tn_env *env, void *data);

/* Runs @func on the machine that is recorded in the folder @recorded, or on this one where it is NULL. The
 * exit status is that of @func, or @failure where there is nothing to look at. */
int tn_cli_on_machine(const char *recorded, tn_cli_machine_func func, void *data, int failure);
