/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* The distribution's package manager, asked without changing anything: apt, dnf, zypper or apk. Waits. */
#pragma once

#include "lib/env.h"
#include "pvdrivers/tool.h"
#include "update/verdict.h"

struct tn_update_manager {
        const char *name; /* "auto": the one that this machine has */
        const char *package;
        unsigned max_age_days; /* of its lists; 0: any */
        unsigned deadline_s;
        tn_tool_run_func run; /* NULL: tn_tool_run */
};

/* NULL when the machine has none, or not the one that is named: then with @error. */
struct tn_verdict *tn_update_manager_ask(const struct tn_env *env, const struct tn_update_manager *request,
                                         GError **error);

/* What lists so old are worth: makes a verdict of "nothing newer" unknown. */
void tn_update_judge_age(struct tn_verdict *verdict, int64_t age_s, unsigned max_age_days,
                         const char *remedy);
