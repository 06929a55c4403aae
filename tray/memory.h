/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* Which things the user was told of and has looked at, over restarts of the tray and new logins. */
#pragma once

#include <glib.h>
#include <stdbool.h>

struct tn_tray_memory;

#define TN_TRAY_MEMORY_MAX 200       /* things */
#define TN_TRAY_FORGET_S   (60 * 60) /* a thing that is gone is forgotten this long after it was told */

/* Reads @path, where changes are written to; a file that is not there or not ours is as an empty one. NULL:
 * nothing is kept. */
struct tn_tray_memory *tn_tray_memory_new(const char *path);
void tn_tray_memory_free(struct tn_tray_memory *memory);

bool tn_tray_memory_was_told(const struct tn_tray_memory *memory, const char *id);
/* @now is in seconds since 1970. */
void tn_tray_memory_tell(struct tn_tray_memory *memory, const char *id, gint64 now);
/* The user has looked at all that was told. */
void tn_tray_memory_see(struct tn_tray_memory *memory);
/* The set of ids that were looked at. Borrowed. */
GHashTable *tn_tray_memory_seen(const struct tn_tray_memory *memory);
/* Forgets what is not among @present (a set of ids) any more. One that comes and goes is told once an hour.
 */
void tn_tray_memory_keep(struct tn_tray_memory *memory, GHashTable *present, gint64 now);
