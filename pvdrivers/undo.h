/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* Taking back what was prepared, and what was interrupted. */
#pragma once

#include <glib.h>
#include <jansson.h>
#include <stdbool.h>

#include "lib/env.h"
#include "pvdrivers/progress.h"
#include "pvdrivers/tool.h"
#include "pvdrivers/transaction.h"

struct tn_undo_options {
        bool all;             /* every prepare, not only the last one */
        bool force;           /* also files that somebody else has changed since */
        bool dry_run;         /* only tell */
        tn_tool_run_func run; /* NULL: tn_tool_run */
};

/* Makes all files of @transaction what they were, tells the programs that copied images (@run, see above),
 * and forgets it. False with @error: it stays, and the next one to come tries again. */
bool tn_undo_restore(const struct tn_env *env, struct tn_transaction *transaction, bool force,
                     tn_tool_run_func run, struct tn_progress *progress, GError **error);

/* Takes back transactions that were interrupted: those before their commit, and undos. Needs the lock. Files
 * that somebody else has changed meanwhile stay as they are, with a note, unless that undo was forced. */
bool tn_undo_recover(const struct tn_env *env, tn_tool_run_func run, struct tn_progress *progress,
                     GError **error);

/* Takes the lock, recovers, then undoes. What was interrupted, a prepare or an undo, is what was asked for:
 * without `all` nothing more is undone. {"restored": [path], "undone": [id], "left": number}; NULL with
 * @error: nothing to undo (TN_ERROR_NOT_FOUND), a file was changed by somebody else (TN_ERROR_DENIED: all of
 * them are named, and nothing has been touched), or it could not be done. New reference. */
json_t *tn_undo_run(const struct tn_env *env, const struct tn_undo_options *options,
                    struct tn_progress *progress, GError **error);

/* What could be undone: [{"id", "target", "time", "state": "prepared" | "interrupted", "files": [path]}],
 * the oldest first. Folders that cannot be read are left out. New reference. */
json_t *tn_undo_list(const struct tn_env *env);
