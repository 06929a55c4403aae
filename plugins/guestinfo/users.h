/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* Who is logged in: a table of users and when each logged in first. */
#pragma once

#include <glib.h>
#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "lib/env.h"

/* Name (char *) → struct tn_user; free with g_hash_table_unref(). */
GHashTable *tn_users_new(void);

/* All user processes in the records of utmp(5); half a record at the end is passed over. */
void tn_users_add_utmp(GHashTable *users, const void *bytes, size_t len);

/* One of logind's session records, /run/systemd/sessions/ID. @fallback_name is for records without USER=;
 * NULL when there is none. */
void tn_users_add_session(GHashTable *users, const char *text, const char *fallback_name);

/* GuestUser[], earliest login first; @with_sessions adds how many sessions each has. New reference. */
json_t *tn_users_json(GHashTable *users, bool with_sessions);

/* Lets an inotify descriptor speak when somebody logs in or out: logind's records, utmp, and where there is
 * neither, the folders in which they would come. Again after each event. False: nothing could be watched. */
bool tn_users_watch(const struct tn_env *env, int inotify_fd);
