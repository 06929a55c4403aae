/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * The journal of one transaction: a file of JSON lines, each synced before the step that it announces is
 * taken. A last line that is cut off was never acted upon, and is left out.
 */
#pragma once

#include <glib.h>
#include <jansson.h>
#include <stdbool.h>

#define TN_JOURNAL_NAME "journal"

/* Appends @record to the journal in the folder @dir_fd and syncs it; the first one makes the file. */
bool tn_journal_append(int dir_fd, const json_t *record, GError **error);
/* All whole records, an array; NULL with @error when there is no journal or it cannot be read. A damaged
 * line ends it. New reference. */
json_t *tn_journal_read(int dir_fd, GError **error);
