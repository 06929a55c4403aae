/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * Transactions forwards. Every step goes the same way: a record, synced; then the step; and what is in
 * memory is made of the record by the same function that reads the journal of an interrupted one.
 */
#define _GNU_SOURCE
#include "pvdrivers/transaction.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/error.h"
#include "lib/fd.h"
#include "lib/json.h"
#include "lib/names.h"
#include "pvdrivers/backup.h"
#include "pvdrivers/journal.h"
#include "pvdrivers/place.h"
#include "pvdrivers/transaction-private.h"

static void entry_free(void *data)
{
        struct entry *entry = data;

        g_free(entry->path);
        g_free(entry->copy);
        json_decref(entry->before);
        json_decref(entry->after);
        g_free(entry);
}

/* Opens the folder @path below the root, which is made first where it is missing. */
static int open_folder(const struct tn_env *env, const char *path, GError **error)
{
        g_auto(GStrv) parts = g_strsplit(path, "/", -1);
        int fd = tn_env_open(env, ".", O_RDONLY | O_DIRECTORY, error);

        for (char **part = parts; fd >= 0 && *part; part++) {
                int next, made = mkdirat(fd, *part, 0700) == 0 ? 0 : errno;

                if (!made)
                        (void) fsync(fd);
                next = openat(fd, *part, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
                if (next < 0)
                        (void) tn_error_errno(error, errno == ENOENT ? made : errno,
                                              "make the folder %s of /%s; nothing was changed", *part, path);
                tn_fd_close(&fd);
                fd = next;
        }
        return fd;
}

int tn_transaction_lock(const struct tn_env *env, GError **error)
{
        tn_autofd int store = open_folder(env, STORE_PATH, error);
        tn_autofd int fd = store < 0 ? -1 : openat(store, "lock", O_RDWR | O_CREAT | O_CLOEXEC, 0600);

        if (store < 0)
                return -1;
        if (fd < 0) {
                (void) tn_error_errno(error, errno, "open /%s/lock", STORE_PATH);
                return -1;
        }
        if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
                (void) tn_error_set(error, TN_ERROR_BUSY,
                                    "another prepare or undo is under way; wait for it to end");
                return -1;
        }
        return tn_fd_steal(&fd);
}

char **tn_transaction_list(const struct tn_env *env)
{
        g_auto(GStrv) names = tn_env_list(env, STORE_PATH);
        g_autoptr(GPtrArray) found = g_ptr_array_new();

        for (char **name = names; name && *name; name++)
                if (g_ascii_isdigit(**name))
                        g_ptr_array_add(found, g_strdup(*name));
        g_ptr_array_add(found, NULL);
        return (char **) g_ptr_array_free(g_steal_pointer(&found), FALSE);
}

static struct tn_transaction *transaction_new(const struct tn_env *env, const char *id)
{
        struct tn_transaction *transaction = g_new0(struct tn_transaction, 1);

        transaction->env = env;
        transaction->id = g_strdup(id);
        transaction->dir_fd = -1;
        transaction->entries = g_ptr_array_new_with_free_func(entry_free);
        transaction->folders = g_ptr_array_new_with_free_func(g_free);
        transaction->files = g_ptr_array_new();
        transaction->times = json_object();
        return transaction;
}

void tn_transaction_free(struct tn_transaction *transaction)
{
        if (!transaction)
                return;
        tn_fd_close(&transaction->dir_fd);
        g_ptr_array_unref(transaction->files);
        g_ptr_array_unref(transaction->entries);
        g_ptr_array_unref(transaction->folders);
        json_decref(transaction->times);
        json_decref(transaction->about);
        g_free(transaction->id);
        g_free(transaction);
}

static struct entry *find_entry(const struct tn_transaction *transaction, const char *path)
{
        for (guint i = 0; i < transaction->entries->len; i++) {
                struct entry *entry = g_ptr_array_index(transaction->entries, i);

                if (g_str_equal(entry->path, path))
                        return entry;
        }
        return NULL;
}

static void replay_file(struct tn_transaction *transaction, const char *path, json_t *record)
{
        struct entry *entry = g_new0(struct entry, 1);
        g_autofree char *folder = g_path_get_dirname(path);
        json_t *time = json_object_get(record, "folder-mtime");

        entry->path = g_strdup(path);
        entry->copy = g_strdup(json_string_value(json_object_get(record, "copy")));
        entry->before = json_incref(json_object_get(record, "before"));
        g_ptr_array_add(transaction->entries, entry);
        if (time)
                json_object_set(transaction->times, folder, time);
}

static void replay_replace(struct tn_transaction *transaction, const char *path, json_t *record)
{
        struct entry *entry = find_entry(transaction, path);

        if (!entry)
                return;
        if (!entry->after)
                g_ptr_array_add(transaction->files, entry->path);
        json_decref(entry->after);
        entry->after = json_incref(json_object_get(record, "after"));
}

static void replay_undo(struct tn_transaction *transaction, json_t *record)
{
        transaction->undone = true;
        transaction->forced = json_is_true(json_object_get(record, "force"));
}

void tn_transaction_replay(struct tn_transaction *transaction, json_t *record)
{
        const char *kind = json_string_value(json_object_get(record, "record"));
        const char *path = json_string_value(json_object_get(record, "path"));

        if (g_strcmp0(kind, "begin") == 0 && !transaction->about)
                transaction->about = json_incref(record);
        else if (g_strcmp0(kind, "file") == 0 && path)
                replay_file(transaction, path, record);
        else if (g_strcmp0(kind, "directory") == 0 && path)
                g_ptr_array_add(transaction->folders, g_strdup(path));
        else if (g_strcmp0(kind, "replace") == 0 && path)
                replay_replace(transaction, path, record);
        else if (g_strcmp0(kind, "commit") == 0)
                transaction->committed = true;
        else if (g_strcmp0(kind, "undo") == 0)
                replay_undo(transaction, record);
}

/* Takes the reference to @record. */
static bool announce(struct tn_transaction *transaction, json_t *record, GError **error)
{
        bool good = tn_journal_append(transaction->dir_fd, record, error);

        if (good)
                tn_transaction_replay(transaction, record);
        json_decref(record);
        return good;
}

struct tn_transaction *tn_transaction_begin(const struct tn_env *env, const json_t *about, GError **error)
{
        g_auto(GStrv) old = tn_transaction_list(env);
        guint count = g_strv_length(old);
        unsigned long last = count ? strtoul(old[count - 1], NULL, 10) : 0;
        g_autofree char *id = g_strdup_printf("%04lu-%d", last + 1, (int) getpid());
        g_autofree char *path = g_strdup_printf("%s/%s", STORE_PATH, id);
        g_autoptr(tn_transaction_t) transaction = transaction_new(env, id);
        json_t *record = json_pack("{s:s, s:i}", "record", "begin", "version", 1);

        (void) json_object_update(record, (json_t *) about);
        transaction->dir_fd = open_folder(env, path, error);
        if (transaction->dir_fd < 0) {
                json_decref(record);
                return NULL;
        }
        return announce(transaction, record, error) ? g_steal_pointer(&transaction) : NULL;
}

struct tn_transaction *tn_transaction_open(const struct tn_env *env, const char *id, GError **error)
{
        g_autofree char *path = g_strdup_printf("%s/%s", STORE_PATH, id);
        g_autoptr(tn_transaction_t) transaction = transaction_new(env, id);
        json_auto_t *records = NULL;
        json_t *record;
        size_t i;

        transaction->dir_fd = tn_env_open(env, path, O_RDONLY | O_DIRECTORY, error);
        if (transaction->dir_fd < 0)
                return NULL;
        if (faccessat(transaction->dir_fd, TN_JOURNAL_NAME, F_OK, 0) < 0)
                return g_steal_pointer(&transaction); /* its end was interrupted; nothing refers to it */
        records = tn_journal_read(transaction->dir_fd, error);
        if (!records)
                return NULL;
        json_array_foreach(records, i, record) tn_transaction_replay(transaction, record);
        return g_steal_pointer(&transaction);
}

/* NULL when it is known already. */
static json_t *folder_mtime(struct tn_transaction *transaction, const struct tn_place *place)
{
        g_autofree char *folder = g_path_get_dirname(place->path);
        g_autofree char *text = NULL;
        struct stat st;

        if (json_object_get(transaction->times, folder) || fstat(place->dir_fd, &st) < 0)
                return NULL;
        text = g_strdup_printf("%lld.%09ld", (long long) st.st_mtim.tv_sec, st.st_mtim.tv_nsec);
        return json_string(text);
}

bool tn_transaction_keep(struct tn_transaction *transaction, const char *path, GError **error)
{
        g_auto(tn_place_t) place = {0};
        g_autofree char *copy = NULL;
        json_t *before, *record, *time;

        if (find_entry(transaction, path))
                return true;
        if (!tn_place_open(&place, transaction->env, path, error))
                return false;
        before = tn_backup_describe(&place, error);
        if (!before)
                return false;
        if (g_strcmp0(json_string_value(json_object_get(before, "kind")), "file") == 0)
                copy = g_strdup_printf("%04u", transaction->entries->len + 1);
        if (copy && !tn_backup_store(&place, transaction->dir_fd, copy, error)) {
                json_decref(before);
                return false;
        }
        record = json_pack("{s:s, s:s, s:o, s:s?}", "record", "file", "path", path, "before", before, "copy",
                           copy);
        time = folder_mtime(transaction, &place);
        if (time)
                json_object_set_new(record, "folder-mtime", time);
        return announce(transaction, record, error);
}

bool tn_transaction_make_folders(struct tn_transaction *transaction, const char *path, GError **error)
{
        g_autofree char *folder = g_path_get_dirname(path);
        g_auto(tn_place_t) place = {0};

        if (tn_env_exists(transaction->env, folder))
                return true;
        if (!tn_transaction_make_folders(transaction, folder, error) ||
            !tn_place_open(&place, transaction->env, folder, error))
                return false;
        if (!announce(transaction, json_pack("{s:s, s:s}", "record", "directory", "path", folder), error))
                return false;
        if (mkdirat(place.dir_fd, place.name, 0755) < 0 || fchmodat(place.dir_fd, place.name, 0755, 0) < 0 ||
            fsync(place.dir_fd) < 0)
                return tn_error_errno(error, errno, "make the folder /%s", folder);
        return true;
}

char *tn_transaction_temp(const struct tn_transaction *transaction, const char *path)
{
        g_autofree char *folder = g_path_get_dirname(path), *name = g_path_get_basename(path);

        return g_strdup_printf("%s/.%s.tenon-%s", folder, name, transaction->id);
}

/* Is the file what the journal has of it? Who changed it since it was kept would lose that, also by undo. */
static bool check_place(const struct entry *entry, const struct tn_place *place, GError **error)
{
        json_auto_t *now = tn_backup_describe(place, error);

        if (!now)
                return false;
        return tn_backup_same(now, entry->after ? entry->after : entry->before) ||
               tn_error_set(
                       error, TN_ERROR_BUSY,
                       "/%s was changed by another program meanwhile; run this again when that has ended",
                       place->path);
}

/* The temporary file is whole: give it what the old one had, write down what comes, rename. */
static bool finish_temp(struct tn_transaction *transaction, const struct tn_place *place, const char *temp,
                        mode_t mode, GError **error)
{
        const struct entry *entry = find_entry(transaction, place->path);
        const struct tn_place fresh = {place->dir_fd, (char *) temp, place->path};
        tn_autofd int fd = openat(place->dir_fd, temp, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
        json_t *after;

        if (fd < 0)
                return tn_error_errno(error, errno, "open the new file for /%s", place->path);
        if (!tn_backup_apply(fd, entry->before, mode, place->path, error))
                return false;
        if (fsync(fd) < 0)
                return tn_error_errno(error, errno, "sync the new file for /%s", place->path);
        after = check_place(entry, place, error) ? tn_backup_describe(&fresh, error) : NULL;
        if (!after)
                return false;
        return announce(transaction,
                        json_pack("{s:s, s:s, s:o}", "record", "replace", "path", place->path, "after",
                                  after),
                        error) &&
               tn_place_rename(place, temp, error);
}

/* Contents are those of @from, or @text where that is negative. */
static bool put(struct tn_transaction *transaction, const char *path, int from, const char *text, size_t len,
                mode_t mode, GError **error)
{
        g_auto(tn_place_t) place = {0};
        g_autofree char *temp = NULL;
        tn_autofd int fd = -1;

        if (!tn_transaction_make_folders(transaction, path, error) ||
            !tn_transaction_keep(transaction, path, error) ||
            !tn_place_open(&place, transaction->env, path, error))
                return false;
        temp = tn_place_temp_name(&place, transaction->id);
        fd = tn_place_create(&place, temp, error);
        if (fd >= 0 &&
            (from < 0 ? tn_place_write_all(fd, text, len, path, error)
                      : tn_place_copy(from, fd, path, error)) &&
            finish_temp(transaction, &place, temp, mode, error)) {
                if (g_str_has_prefix(path, "boot/")) /* the boot loader reads it, without the journal */
                        tn_place_settle(&place);
                return true;
        }
        (void) unlinkat(place.dir_fd, temp, 0);
        return false;
}

bool tn_transaction_write(struct tn_transaction *transaction, const char *path, const char *text, size_t len,
                          mode_t mode, GError **error)
{
        return put(transaction, path, -1, text, len, mode, error);
}

bool tn_transaction_copy(struct tn_transaction *transaction, const char *path, const char *source,
                         mode_t mode, GError **error)
{
        tn_autofd int from = tn_env_open(transaction->env, source, O_RDONLY, error);

        return from >= 0 && put(transaction, path, from, NULL, 0, mode, error);
}

bool tn_transaction_swap(struct tn_transaction *transaction, const char *path, GError **error)
{
        g_auto(tn_place_t) place = {0};
        g_autofree char *temp = NULL;

        if (!tn_transaction_keep(transaction, path, error) ||
            !tn_place_open(&place, transaction->env, path, error))
                return false;
        temp = tn_place_temp_name(&place, transaction->id);
        if (!finish_temp(transaction, &place, temp, 0600, error))
                return false;
        tn_place_settle(&place);
        return true;
}

bool tn_transaction_commit(struct tn_transaction *transaction, GError **error)
{
        return announce(transaction, json_pack("{s:s}", "record", "commit"), error);
}

bool tn_transaction_mark_undo(struct tn_transaction *transaction, bool force, GError **error)
{
        return transaction->undone ||
               announce(transaction, json_pack("{s:s, s:b}", "record", "undo", "force", force), error);
}

const char *tn_transaction_id(const struct tn_transaction *transaction)
{
        return transaction->id;
}

bool tn_transaction_committed(const struct tn_transaction *transaction)
{
        return transaction->committed && !transaction->undone;
}

bool tn_transaction_forced(const struct tn_transaction *transaction)
{
        return transaction->forced;
}

const GPtrArray *tn_transaction_files(const struct tn_transaction *transaction)
{
        return transaction->files;
}

const json_t *tn_transaction_about(const struct tn_transaction *transaction)
{
        return transaction->about;
}
