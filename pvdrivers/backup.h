/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * What a file is, in a form that can be written down, compared and made again: contents, mode, owner, times,
 * extended attributes. Regular files, symbolic links, and files that are not there.
 *
 *   {"kind": "file", "mode": 420, "uid": 0, "gid": 0, "size": 61, "sha256": "…",
 *    "mtime": "1764150000.000000000", "atime": "…", "xattrs": {"security.selinux": "BASE64"}}
 *   {"kind": "link", "target": "…", …}, {"kind": "absent"}
 */
#pragma once

#include <jansson.h>

#include "pvdrivers/place.h"

#define TN_BACKUP_XATTRS_MAX (64 * 1024) /* bytes of all extended attributes of a file; Linux' own limit */

/* NULL with @error: not readable, or neither file nor link. New reference. */
json_t *tn_backup_describe(const struct tn_place *place, GError **error);
/* Contents, mode, owner and attributes are equal; times are not looked at. */
bool tn_backup_same(const json_t *a, const json_t *b);
bool tn_backup_is_absent(const json_t *state);

/* Copies a regular file's contents to the file @name of the folder @store_fd, synced. */
bool tn_backup_store(const struct tn_place *place, int store_fd, const char *name, GError **error);
/* Makes the file at @place what @state says, with contents from @store_fd/@name, in one step. @tag names the
 * temporary file. */
bool tn_backup_restore(const struct tn_place *place, const json_t *state, int store_fd, const char *name,
                       const char *tag, GError **error);
/* Gives @fd, a new file, the mode, owner and attributes that @state has; @mode where it is absent. */
bool tn_backup_apply(int fd, const json_t *state, mode_t mode, const char *path, GError **error);
