/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * A file of this host that appears under its name only when it is complete: temporary file, then rename.
 * Also when a signal ends us, the temporary file is removed.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>

struct tn_target;

/* @path: the new file, or a folder, in which it becomes @name. Fails when the file exists, unless @force.
 * One at a time in a process. */
struct tn_target *tn_target_new(const char *path, const char *name, bool force, GError **error);
bool tn_target_write(struct tn_target *target, const void *bytes, size_t len, GError **error);
/* Now it is there. */
bool tn_target_finish(struct tn_target *target, GError **error);
/* Borrowed. */
const char *tn_target_path(const struct tn_target *target);
/* Removes what was not finished. NULL is fine. */
void tn_target_free(struct tn_target *target);
typedef struct tn_target tn_target_t;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(tn_target_t, tn_target_free)
