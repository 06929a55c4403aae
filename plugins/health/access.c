/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* The users of [heartbeat] users= and required-users=, as numbers. */
#include "plugins/health/access.h"

#include <string.h>
#include <unistd.h>

#include "lib/env.h"
#include "lib/error.h"
#include "lib/log.h"

struct health_access {
        GHashTable *users;    /* of uids, as pointers; may register */
        GHashTable *required; /* may register required ones, too */
};

/* The lines of /etc/passwd and /etc/group, split at the colons. */
struct accounts {
        GPtrArray *users;  /* of GStrv: name, password, uid, gid, … */
        GPtrArray *groups; /* of GStrv: name, password, gid, members */
};

static GPtrArray *read_rows(const struct tn_env *env, const char *path, unsigned fields)
{
        GPtrArray *rows = g_ptr_array_new_with_free_func((GDestroyNotify) g_strfreev);
        g_autofree char *text = NULL;
        g_auto(GStrv) lines = tn_env_read(env, path, &text, NULL, NULL) ? g_strsplit(text, "\n", -1) : NULL;

        for (size_t i = 0; lines && lines[i]; i++) {
                g_auto(GStrv) row = g_strsplit(lines[i], ":", -1);

                if (g_strv_length(row) >= fields)
                        g_ptr_array_add(rows, g_steal_pointer(&row));
        }
        return rows;
}

static char **find_row(const GPtrArray *rows, const char *name)
{
        for (guint i = 0; i < rows->len; i++)
                if (g_str_equal(((char **) g_ptr_array_index(rows, i))[0], name))
                        return g_ptr_array_index(rows, i);
        return NULL;
}

static bool add_number(GHashTable *uids, const char *text)
{
        guint64 uid;

        if (!g_ascii_string_to_unsigned(text, 10, 0, G_MAXUINT32 - 1, &uid, NULL))
                return false;
        g_hash_table_add(uids, GSIZE_TO_POINTER(uid));
        return true;
}

static bool add_user(GHashTable *uids, const struct accounts *accounts, const char *name)
{
        char **row = find_row(accounts->users, name);

        return row ? add_number(uids, row[2]) : add_number(uids, name);
}

/* Its members, and those whose own group it is. */
static bool add_group(GHashTable *uids, const struct accounts *accounts, const char *name)
{
        char **group = find_row(accounts->groups, name);
        g_auto(GStrv) members = group ? g_strsplit(group[3], ",", -1) : NULL;

        for (size_t i = 0; members && members[i]; i++)
                if (*members[i])
                        (void) add_user(uids, accounts, members[i]);
        for (guint i = 0; group && i < accounts->users->len; i++) {
                char **row = g_ptr_array_index(accounts->users, i);

                if (g_str_equal(row[3], group[2]))
                        (void) add_number(uids, row[2]);
        }
        return group != NULL;
}

static void add_list(GHashTable *uids, struct tenon_host *host, const struct accounts *accounts,
                     const char *key)
{
        const char *text = host->config(host, "heartbeat", key);
        g_auto(GStrv) words = text ? g_strsplit_set(text, ",;", -1) : NULL;

        for (size_t i = 0; words && words[i]; i++) {
                const char *word = g_strstrip(words[i]);
                bool known = *word == '@' ? add_group(uids, accounts, word + 1)
                                          : add_user(uids, accounts, word);

                if (*word && !known)
                        host->log(host, TN_LOG_WARNING,
                                  "configuration: group [heartbeat], key '%s': '%s' is neither in /etc/%s "
                                  "nor a "
                                  "number; it lets nobody in",
                                  key, word, *word == '@' ? "group" : "passwd");
        }
}

struct health_access *health_access_new(struct tenon_host *host)
{
        struct health_access *access = g_new0(struct health_access, 1);
        struct accounts accounts = {read_rows(host->env, "etc/passwd", 4),
                                    read_rows(host->env, "etc/group", 4)};

        access->users = g_hash_table_new(NULL, NULL);
        access->required = g_hash_table_new(NULL, NULL);
        add_list(access->users, host, &accounts, "users");
        add_list(access->required, host, &accounts, "required-users");
        g_ptr_array_unref(accounts.users);
        g_ptr_array_unref(accounts.groups);
        return access;
}

void health_access_free(struct health_access *access)
{
        if (!access)
                return;
        g_hash_table_unref(access->users);
        g_hash_table_unref(access->required);
        g_free(access);
}

struct heartbeat_peer health_access_peer(uid_t uid, pid_t pid)
{
        return (struct heartbeat_peer){.uid = uid, .pid = pid, .root = uid == 0 || uid == geteuid()};
}

bool health_access_check(const struct health_access *access, const struct heartbeat_peer *peer,
                         bool required, GError **error)
{
        bool may_required = g_hash_table_contains(access->required, GSIZE_TO_POINTER((gsize) peer->uid));

        if (peer->root || may_required ||
            (!required && g_hash_table_contains(access->users, GSIZE_TO_POINTER((gsize) peer->uid))))
                return true;
        return tn_error_set(
                error, TN_ERROR_DENIED,
                "user %u may not register %sheartbeats; %s in [heartbeat] of tenond.conf allows it",
                peer->uid, required ? "required " : "", required ? "required-users=" : "users=");
}
