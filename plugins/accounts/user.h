/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* Whose files are touched: an account, and becoming it. */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <sys/types.h>

struct tn_user {
        char *name;
        char *home; /* absolute path */
        uid_t uid;
        gid_t gid;
};

/* Fills @ret from the account database; tests have one of their own. */
typedef bool (*tn_user_find_func)(const char *name, struct tn_user *ret, GError **error);

/* getpwnam(3). */
bool tn_user_find(const char *name, struct tn_user *ret, GError **error);
void tn_user_clear(struct tn_user *user);

/* Gives up root for good: this process is @user from now on, with its groups and without capabilities, so
 * that no link in its directories leads further than the user could go. Needs root, unless @user is who we
 * are. */
bool tn_user_become(const struct tn_user *user, GError **error);
