/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * A user's ~/.ssh/authorized_keys, handled with the user's own rights. Everything is found from the home
 * directory downwards without following a symbolic link; what is not the user's is refused. A file is
 * replaced by renaming, so a hard link to somebody else's file is left behind, not written to.
 *
 * Each function turns this process into the user, for good: call at most one, with one user.
 */
#pragma once

#include <glib.h>
#include <jansson.h>
#include <stdbool.h>

#include "plugins/accounts/user.h"

struct tn_env;

/* The keys, a new reference. No file is an error. */
json_t *tn_keys_file_get(const struct tn_env *env, const struct tn_user *user, GError **error);
/* With @reset the file holds nothing but @keys afterwards. */
bool tn_keys_file_add(const struct tn_env *env, const struct tn_user *user, const json_t *keys, bool reset,
                      GError **error);
/* No file is fine. */
bool tn_keys_file_remove(const struct tn_env *env, const struct tn_user *user, const json_t *keys,
                         GError **error);
