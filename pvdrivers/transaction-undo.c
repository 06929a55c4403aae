/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * Transactions backwards. Restoring may itself be interrupted anywhere and simply be done again: a file that
 * is already what it was is left alone.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/error.h"
#include "lib/fd.h"
#include "lib/names.h"
#include "pvdrivers/backup.h"
#include "pvdrivers/journal.h"
#include "pvdrivers/place.h"
#include "pvdrivers/transaction-private.h"

/* The folder of a file may be gone: then the file is, too. NULL with @error otherwise. New reference. */
static json_t *describe_now(const struct tn_transaction *transaction, const struct entry *entry,
                            struct tn_place *place, GError **error)
{
        g_autoptr(GError) reason = NULL;

        if (tn_place_open(place, transaction->env, entry->path, &reason))
                return tn_backup_describe(place, error);
        if (g_error_matches(reason, TN_ERROR, TN_ERROR_NOT_FOUND))
                return json_pack("{s:s}", "kind", "absent");
        g_propagate_error(error, g_steal_pointer(&reason));
        return NULL;
}

GPtrArray *tn_transaction_find_changed(struct tn_transaction *transaction, GError **error)
{
        g_autoptr(GPtrArray) changed = g_ptr_array_new_with_free_func(g_free);

        for (guint i = 0; i < transaction->entries->len; i++) {
                const struct entry *entry = g_ptr_array_index(transaction->entries, i);
                g_auto(tn_place_t) place = {0};
                json_auto_t *now = NULL;

                if (!entry->after)
                        continue;
                now = describe_now(transaction, entry, &place, error);
                if (!now)
                        return NULL;
                if (!tn_backup_same(now, entry->before) && !tn_backup_same(now, entry->after))
                        g_ptr_array_add(changed, g_strdup(entry->path));
        }
        return g_steal_pointer(&changed);
}

/* With the folder gone, there is only something to do when the file existed in it. */
static bool restore_entry(struct tn_transaction *transaction, const struct entry *entry, bool force,
                          GError **error)
{
        g_auto(tn_place_t) place = {0};
        g_autofree char *temp = NULL;
        json_auto_t *now = describe_now(transaction, entry, &place, error);

        if (!now)
                return false;
        if (place.path) {
                temp = tn_place_temp_name(&place, transaction->id);
                (void) unlinkat(place.dir_fd, temp, 0);
        }
        if (!entry->after || tn_backup_same(now, entry->before))
                return true;
        if (!force && !tn_backup_same(now, entry->after))
                return true;
        if (!place.path)
                return tn_error_set(error, TN_ERROR_NOT_FOUND,
                                    "the folder of /%s is gone; make it, then try again", entry->path);
        if (!tn_backup_restore(&place, entry->before, transaction->dir_fd, entry->copy ? entry->copy : "",
                               transaction->id, error))
                return false;
        tn_place_settle(&place);
        return true;
}

static void remove_folders(struct tn_transaction *transaction)
{
        for (guint i = transaction->folders->len; i > 0; i--) {
                g_auto(tn_place_t) place = {0};

                /* Not when somebody has put a file there. */
                if (tn_place_open(&place, transaction->env, g_ptr_array_index(transaction->folders, i - 1),
                                  NULL))
                        (void) unlinkat(place.dir_fd, place.name, AT_REMOVEDIR);
        }
}

static void restore_folder_times(struct tn_transaction *transaction)
{
        const char *folder;
        json_t *time;

        json_object_foreach(transaction->times, folder, time)
        {
                tn_autofd int fd = tn_env_open(transaction->env, folder, O_RDONLY | O_DIRECTORY, NULL);
                struct timespec times[2] = {{.tv_nsec = UTIME_OMIT}, {0}};
                long long seconds;

                if (fd >= 0 &&
                    sscanf(json_string_value(time), "%lld.%ld", &seconds, &times[1].tv_nsec) == 2) {
                        times[1].tv_sec = (time_t) seconds;
                        (void) futimens(fd, times);
                        (void) fsync(fd);
                }
        }
}

bool tn_transaction_restore(struct tn_transaction *transaction, bool force, GError **error)
{
        for (guint i = transaction->entries->len; i > 0; i--)
                if (!restore_entry(transaction, g_ptr_array_index(transaction->entries, i - 1), force,
                                   error))
                        return false;
        remove_folders(transaction);
        restore_folder_times(transaction);
        return true;
}

bool tn_transaction_forget(struct tn_transaction *transaction, GError **error)
{
        g_autofree char *path = g_strdup_printf("%s/%s", STORE_PATH, transaction->id);
        g_auto(GStrv) names = NULL;
        g_auto(tn_place_t) place = {0};

        if (unlinkat(transaction->dir_fd, TN_JOURNAL_NAME, 0) < 0 && errno != ENOENT)
                return tn_error_errno(error, errno, "remove the journal of /%s", path);
        if (fsync(transaction->dir_fd) < 0)
                return tn_error_errno(error, errno, "sync /%s", path);
        names = tn_env_list(transaction->env, path);
        for (char **name = names; name && *name; name++)
                (void) unlinkat(transaction->dir_fd, *name, 0);
        if (!tn_place_open(&place, transaction->env, path, error))
                return false;
        if (unlinkat(place.dir_fd, place.name, AT_REMOVEDIR) < 0)
                return tn_error_errno(error, errno, "remove /%s", path);
        return true;
}
