/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * guest-get-users and the fact "users". Newer distributions write no utmp any more, so logind's session
 * records come first and utmp(5) adds what logind does not know (a terminal without a session). The
 * surprising thing: next to the records lie FIFOs (ID.ref) whose open() would block for ever, so only plain
 * session names are read.
 */
#define _GNU_SOURCE
#include "plugins/guestinfo/users.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <utmp.h>

#include "lib/fd.h"
#include "lib/json.h"
#include "plugins/guestinfo/envfile.h"
#include "plugins/guestinfo/guestinfo.h"

#define SESSIONS_PATH "run/systemd/sessions"
#define USERS_PATH    "run/systemd/users"
#define UTMP_PATH     "run/utmp"

struct tn_user {
        char *name;
        guint64 usec;
        unsigned sessions, terminals; /* by logind, by utmp: mostly the same ones */
};

static void user_free(gpointer data)
{
        struct tn_user *user = data;

        g_free(user->name);
        g_free(user);
}

GHashTable *tn_users_new(void)
{
        return g_hash_table_new_full(g_str_hash, g_str_equal, NULL, user_free);
}

static struct tn_user *add(GHashTable *users, const char *name, guint64 usec)
{
        struct tn_user *user = g_hash_table_lookup(users, name);

        if (user) {
                user->usec = MIN(user->usec, usec);
                return user;
        }
        user = g_new(struct tn_user, 1);
        *user = (struct tn_user){.name = g_strdup(name), .usec = usec};
        g_hash_table_insert(users, user->name, user);
        return user;
}

void tn_users_add_utmp(GHashTable *users, const void *bytes, size_t len)
{
        const char *p = bytes;

        for (; len >= sizeof(struct utmp); p += sizeof(struct utmp), len -= sizeof(struct utmp)) {
                char name[UT_NAMESIZE + 1] = "";
                struct utmp record;
                guint64 seconds;

                memcpy(&record, p, sizeof record);
                memcpy(name, record.ut_user, UT_NAMESIZE);
                if (record.ut_type != USER_PROCESS || !name[0])
                        continue;
                /* A 32-bit field is read unsigned: good until 2106 instead of 2038. */
                seconds = sizeof record.ut_tv.tv_sec == 4 ? (guint32) record.ut_tv.tv_sec
                                                          : (guint64) record.ut_tv.tv_sec;
                add(users, name, seconds * G_USEC_PER_SEC + (guint64) record.ut_tv.tv_usec)->terminals++;
        }
}

void tn_users_add_session(GHashTable *users, const char *text, const char *fallback_name)
{
        g_autoptr(GHashTable) session = tn_envfile_parse(text);
        const char *name = g_hash_table_lookup(session, "USER");
        const char *class = g_hash_table_lookup(session, "CLASS");
        const char *state = g_hash_table_lookup(session, "STATE");
        const char *since = g_hash_table_lookup(session, "REALTIME");
        guint64 usec;

        name = name ? name : fallback_name;
        /* Greeters, user managers and background jobs are nobody at a terminal. */
        if (!name || !*name || (class && !g_str_has_prefix(class, "user")))
                return;
        if (g_strcmp0(state, "closing") == 0)
                return; /* logged out, something of it still runs */
        if (since && g_ascii_string_to_unsigned(since, 10, 0, G_MAXUINT64, &usec, NULL))
                add(users, name, usec)->sessions++;
}

static int compare_users(gconstpointer a, gconstpointer b)
{
        const struct tn_user *x = a, *y = b;

        if (x->usec != y->usec)
                return x->usec < y->usec ? -1 : 1;
        return strcmp(x->name, y->name);
}

json_t *tn_users_json(GHashTable *users, bool with_sessions)
{
        g_autoptr(GList) list = g_list_sort(g_hash_table_get_values(users), compare_users);
        json_t *reply = json_array();

        for (GList *l = list; l; l = l->next) {
                const struct tn_user *user = l->data;
                json_t *entry = json_object();

                tn_json_set_text(entry, "user", user->name);
                (void) json_object_set_new(entry, "login-time",
                                           json_real((double) user->usec / G_USEC_PER_SEC));
                if (with_sessions)
                        (void) json_object_set_new(entry, "sessions",
                                                   json_integer(MAX(user->sessions, user->terminals)));
                (void) json_array_append_new(reply, entry);
        }
        return reply;
}

/* Old records have no USER=; then the record of the user, which is named by the number, has the name. */
static char *name_of_uid(const struct tn_env *env, const char *session_text)
{
        g_autoptr(GHashTable) session = tn_envfile_parse(session_text);
        g_autoptr(GHashTable) user = NULL;
        g_autofree char *path = NULL, *text = NULL;
        const char *uid = g_hash_table_lookup(session, "UID");
        guint64 number;

        if (!uid || !g_ascii_string_to_unsigned(uid, 10, 0, G_MAXUINT32, &number, NULL))
                return NULL;
        path = g_strdup_printf(USERS_PATH "/%" G_GUINT64_FORMAT, number);
        if (!tn_env_read(env, path, &text, NULL, NULL))
                return NULL;
        user = tn_envfile_parse(text);
        return g_strdup(g_hash_table_lookup(user, "NAME"));
}

static void add_sessions(const struct tn_env *env, GHashTable *users)
{
        g_auto(GStrv) ids = tn_env_list(env, SESSIONS_PATH);

        for (size_t i = 0; ids && ids[i]; i++) {
                g_autofree char *path = g_build_filename(SESSIONS_PATH, ids[i], NULL);
                g_autofree char *text = NULL, *name = NULL;

                if (strchr(ids[i], '.') || !tn_env_read(env, path, &text, NULL, NULL))
                        continue;
                name = name_of_uid(env, text);
                tn_users_add_session(users, text, name);
        }
}

static GHashTable *read_users(const struct tn_env *env)
{
        GHashTable *users = tn_users_new();
        g_autofree char *utmp = NULL;
        size_t len;

        add_sessions(env, users);
        if (tn_env_read(env, UTMP_PATH, &utmp, &len, NULL) ||
            tn_env_read(env, "var/run/utmp", &utmp, &len, NULL))
                tn_users_add_utmp(users, utmp, len);
        return users;
}

json_t *tn_users_run(struct tenon_host *host, json_t *args, GError **error)
{
        g_autoptr(GHashTable) users = read_users(host->env);

        (void) args;
        (void) error;
        return tn_users_json(users, false);
}

json_t *tn_users_fact(struct tenon_host *host, GError **error)
{
        g_autoptr(GHashTable) users = read_users(host->env);

        (void) error;
        return tn_users_json(users, true);
}

static bool watch(const struct tn_env *env, int inotify_fd, const char *path, uint32_t mask)
{
        tn_autofd int fd = tn_env_open(env, path, O_PATH, NULL);
        g_autofree char *link = g_strdup_printf("/proc/self/fd/%d", fd);

        return fd >= 0 && inotify_add_watch(inotify_fd, link, mask) >= 0;
}

bool tn_users_watch(const struct tn_env *env, int inotify_fd)
{
        /* A record is written beside its place and renamed. */
        bool sessions = watch(env, inotify_fd, SESSIONS_PATH, IN_MOVED_TO | IN_DELETE);
        bool utmp = watch(env, inotify_fd, UTMP_PATH, IN_MODIFY);

        /* Neither: logind may still come up. Not otherwise, for much happens in /run. */
        return sessions || utmp ||
               watch(env, inotify_fd, "run/systemd", IN_CREATE | IN_MOVED_TO | IN_ONESHOT) ||
               watch(env, inotify_fd, "run", IN_CREATE | IN_MOVED_TO | IN_ONESHOT);
}
