/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* The hooks of one freeze: command lines made beforehand, because nothing is looked up later. */
#pragma once

#include <glib.h>
#include <jansson.h>

#include "lib/env.h"
#include "plugins/freeze/board.h"

struct freeze_hook {
        char *path;
        char *refused; /* why it is not run, or NULL */
        char **freeze_argv, **thaw_argv;
        unsigned deadline_ms;
        char *freeze_result, *thaw_result; /* "ok", "timed out", …; NULL: not run */
};

/* qemu-ga's hook, when it is there, and those of @directory. Either may be NULL. Elements are struct
 * freeze_hook, owned by the array. Never NULL. */
GPtrArray *freeze_hooks_new(const struct tn_env *env, const char *qga_hook, const char *directory,
                            unsigned limit_ms);

/* [{hook, freeze?, thaw?, refused?}] New reference. */
json_t *freeze_hooks_to_json(const GPtrArray *hooks);

/* The hook whose "thaw" is due next, marked as begun, or -1: the last that was frozen comes first. */
int freeze_hooks_next_thaw(struct freeze_board *board);

/* In the keeper, when the agent is gone: runs all thaw hooks that are due, one after the other. */
void freeze_hooks_run_orphaned(const GPtrArray *hooks, struct freeze_board *board);
