/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * Changes to files of the machine that can be taken back, and that an interruption at any point leaves in a
 * state that boots: each file is the old one or the new one. A transaction is a folder below
 * var/lib/tenon/drivers with copies of all files as they were, and a journal of what was about to be done:
 *
 *   begin      who and what for
 *   directory  a folder is about to be made
 *   file       the file has been copied ("copy"), or was not there; nothing has been changed yet
 *   replace    the file is about to become "after"
 *   commit     all is done: `undo` takes it back
 *   undo       it is being taken back; "force": what somebody else has changed since, too
 *
 * One without commit, or with undo, was interrupted: tn_undo_recover() takes it back.
 */
#pragma once

#include <glib.h>
#include <jansson.h>
#include <stdbool.h>
#include <sys/types.h>

#include "lib/env.h"

struct tn_transaction;

/* Takes the lock, which every transaction needs; -1 with @error (TN_ERROR_BUSY: somebody else has it).
 * Close it to give it back. */
int tn_transaction_lock(const struct tn_env *env, GError **error);

/* A new one, after its record `begin` with the members of @about. */
struct tn_transaction *tn_transaction_begin(const struct tn_env *env, const json_t *about, GError **error);
/* Of the folder @id, as its journal has it. */
struct tn_transaction *tn_transaction_open(const struct tn_env *env, const char *id, GError **error);
/* Forgets it; what it did stays as it is. NULL is fine. */
void tn_transaction_free(struct tn_transaction *transaction);
typedef struct tn_transaction tn_transaction_t;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(tn_transaction_t, tn_transaction_free)

/* Names of the folders, oldest first. Free with g_strfreev(). */
char **tn_transaction_list(const struct tn_env *env);

/* Copies the file at @path, once; all steps below do it themselves where it has not been done. */
bool tn_transaction_keep(struct tn_transaction *transaction, const char *path, GError **error);
/* Makes missing folders on the way to @path, which undo removes when they are empty. */
bool tn_transaction_make_folders(struct tn_transaction *transaction, const char *path, GError **error);
/* Gives the file new contents, and @mode when it is new. This and the next two refuse (TN_ERROR_BUSY) when
 * somebody else has changed it since it was kept. */
bool tn_transaction_write(struct tn_transaction *transaction, const char *path, const char *text, size_t len,
                          mode_t mode, GError **error);
/* Gives the file the contents that @source has, and @mode when it is new. */
bool tn_transaction_copy(struct tn_transaction *transaction, const char *path, const char *source,
                         mode_t mode, GError **error);
/* Where a program puts the file that is to replace @path; then tn_transaction_swap(). Free with g_free(). */
char *tn_transaction_temp(const struct tn_transaction *transaction, const char *path);
bool tn_transaction_swap(struct tn_transaction *transaction, const char *path, GError **error);
bool tn_transaction_commit(struct tn_transaction *transaction, GError **error);

/* Writes the record `undo`, once: an earlier one counts. @force is kept for who finishes an interrupted
 * undo.
 */
bool tn_transaction_mark_undo(struct tn_transaction *transaction, bool force, GError **error);
/* Files that are neither as they were before nor as this transaction left them; of char *, free with
 * g_ptr_array_unref(). NULL with @error. */
GPtrArray *tn_transaction_find_changed(struct tn_transaction *transaction, GError **error);
/* Makes all files what they were, the last one first, and removes temporary files and folders that were
 * made. Files that somebody else has changed are left as they are unless @force. */
bool tn_transaction_restore(struct tn_transaction *transaction, bool force, GError **error);
/* Removes the folder with the copies; the journal first, so that half a folder is never taken for a whole
 * one. */
bool tn_transaction_forget(struct tn_transaction *transaction, GError **error);

const char *tn_transaction_id(const struct tn_transaction *transaction);
bool tn_transaction_committed(const struct tn_transaction *transaction);
/* Has the record `undo` with force. */
bool tn_transaction_forced(const struct tn_transaction *transaction);
/* Paths of the files that it has changed or was about to; borrowed array of borrowed strings. */
const GPtrArray *tn_transaction_files(const struct tn_transaction *transaction);
/* The members of `begin`. Borrowed. */
const json_t *tn_transaction_about(const struct tn_transaction *transaction);
