/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* The check: asks each source that there is, strongest first, and concludes. Waits; not for the agent's
 * loop. */
#pragma once

#include <glib.h>
#include <jansson.h>
#include <stdbool.h>

#include "lib/env.h"
#include "pvdrivers/progress.h"
#include "pvdrivers/tool.h"

/* The group [update] of tenond.conf(5). Texts are borrowed; paths are absolute, NULL is none. */
struct tn_update_settings {
        const char *package;
        const char *manager; /* "auto", "packagekit", "apt", …, "none" */
        unsigned max_age_days;
        bool announcement; /* listen to what the host announced */
        const char *manifest;
        const char *channel;
        const char *keys; /* beside TN_PATH_VENDOR_KEYS */
        const char *statedir;
        const char *bus;              /* NULL: the system bus */
        unsigned deadline_s;          /* for each question; 0: the usual */
        tn_tool_run_func run;         /* NULL: tn_tool_run */
        const char *installed;        /* NULL: this program's version */
        struct tn_progress *progress; /* told which source is asked; may be NULL */
};

#define TN_UPDATE_DEADLINE_S 60
#define TN_UPDATE_STEPS      4 /* of a check, for progress */

/* The fact `update`, see docs/update.md. Never NULL: what could not be asked is in it. */
json_t *tn_update_check(const struct tn_env *env, const struct tn_update_settings *settings);
