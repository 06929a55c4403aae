/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * Accounts. The surprising thing: there is no way back. The process is made for one request and ends with
 * it, so it needs none, and neither has who would take it over.
 */
#define _GNU_SOURCE
#include "plugins/accounts/user.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <unistd.h>

#include "lib/error.h"

#define LOOKUP_MAX (1024 * 1024) /* bytes of one account's record */

static bool take_record(const struct passwd *record, struct tn_user *ret, GError **error)
{
        if (!record->pw_dir || record->pw_dir[0] != '/')
                return tn_error_set(error, TN_ERROR_NOT_FOUND, "user '%s' has no home directory",
                                    record->pw_name);
        *ret = (struct tn_user){
                .name = g_strdup(record->pw_name),
                .home = g_strdup(record->pw_dir),
                .uid = record->pw_uid,
                .gid = record->pw_gid,
        };
        return true;
}

bool tn_user_find(const char *name, struct tn_user *ret, GError **error)
{
        for (size_t size = 4096; size <= LOOKUP_MAX; size *= 4) {
                g_autofree char *buffer = g_malloc(size);
                struct passwd record, *found = NULL;
                int r = getpwnam_r(name, &record, buffer, size, &found);

                if (r == ERANGE)
                        continue;
                if (found)
                        return take_record(found, ret, error);
                if (r == 0 || r == ENOENT || r == ESRCH || r == EBADF || r == EPERM)
                        return tn_error_set(error, TN_ERROR_NOT_FOUND,
                                            "failed to lookup user '%s': no such user", name);
                return tn_error_errno(error, r, "failed to lookup user '%s'", name);
        }
        return tn_error_set(error, TN_ERROR_LIMIT, "failed to lookup user '%s': its record is too large",
                            name);
}

void tn_user_clear(struct tn_user *user)
{
        g_clear_pointer(&user->name, g_free);
        g_clear_pointer(&user->home, g_free);
}

bool tn_user_become(const struct tn_user *user, GError **error)
{
        if (geteuid() != 0 && geteuid() == user->uid)
                return true;
        if (initgroups(user->name, user->gid) < 0 || setresgid(user->gid, user->gid, user->gid) < 0 ||
            setresuid(user->uid, user->uid, user->uid) < 0)
                return tn_error_errno(error, errno, "become user '%s'", user->name);
        return true;
}
