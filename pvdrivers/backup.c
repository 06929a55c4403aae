/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * Files described, stored and made again. Times are restored but not compared: reading a file or touching it
 * does not make it another one.
 */
#define _GNU_SOURCE
#include "pvdrivers/backup.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "lib/base64.h"
#include "lib/error.h"
#include "lib/fd.h"
#include "lib/json.h"

static char *checksum(int fd, const char *path, GError **error)
{
        g_autoptr(GChecksum) sum = g_checksum_new(G_CHECKSUM_SHA256);
        g_autofree guchar *buffer = g_malloc(128 * 1024);
        ssize_t n;

        while ((n = read(fd, buffer, 128 * 1024)) != 0) {
                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0) {
                        (void) tn_error_errno(error, errno, "read /%s", path);
                        return NULL;
                }
                g_checksum_update(sum, buffer, n);
        }
        return g_strdup(g_checksum_get_string(sum));
}

static json_t *base64_text(const char *bytes, size_t len)
{
        g_autofree char *text = g_malloc(TN_BASE64_SIZE(len) + 1);
        size_t n = tn_base64_encode(bytes, len, text);

        return json_stringn(text, n);
}

/* File systems without attributes have none. */
static json_t *describe_xattrs(int fd)
{
        g_autofree char *names = g_malloc(TN_BACKUP_XATTRS_MAX), *value = g_malloc(TN_BACKUP_XATTRS_MAX);
        ssize_t len = flistxattr(fd, names, TN_BACKUP_XATTRS_MAX);
        json_t *xattrs = json_object();

        for (const char *name = names; len > 0 && name < names + len; name += strlen(name) + 1) {
                ssize_t n = fgetxattr(fd, name, value, TN_BACKUP_XATTRS_MAX);

                if (n >= 0)
                        json_object_set_new(xattrs, name, base64_text(value, (size_t) n));
        }
        return xattrs;
}

static void set_time(json_t *state, const char *key, const struct timespec *time)
{
        g_autofree char *text = g_strdup_printf("%lld.%09ld", (long long) time->tv_sec, time->tv_nsec);

        json_object_set_new(state, key, json_string(text));
}

static json_t *describe_common(const char *kind, const struct stat *st)
{
        json_t *state = json_pack("{s:s, s:i, s:I, s:I}", "kind", kind, "mode", (int) (st->st_mode & 07777),
                                  "uid", (json_int_t) st->st_uid, "gid", (json_int_t) st->st_gid);

        set_time(state, "mtime", &st->st_mtim);
        set_time(state, "atime", &st->st_atim);
        return state;
}

static json_t *describe_link(const struct tn_place *place, const struct stat *st, GError **error)
{
        char target[4096];
        ssize_t n = readlinkat(place->dir_fd, place->name, target, sizeof target);
        json_t *state;

        if (n < 0 || (size_t) n >= sizeof target) {
                (void) tn_error_errno(error, n < 0 ? errno : ENAMETOOLONG, "read the link /%s", place->path);
                return NULL;
        }
        state = describe_common("link", st);
        json_object_set_new(state, "target", json_stringn(target, (size_t) n));
        return state;
}

static json_t *describe_file(const struct tn_place *place, const struct stat *st, GError **error)
{
        tn_autofd int fd = openat(place->dir_fd, place->name,
                                  O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
        g_autofree char *sum = NULL;
        json_t *state;

        if (fd < 0) {
                (void) tn_error_errno(error, errno, "open /%s", place->path);
                return NULL;
        }
        sum = checksum(fd, place->path, error);
        if (!sum)
                return NULL;
        state = describe_common("file", st);
        json_object_set_new(state, "size", json_integer(st->st_size));
        json_object_set_new(state, "sha256", json_string(sum));
        json_object_set_new(state, "xattrs", describe_xattrs(fd));
        return state;
}

json_t *tn_backup_describe(const struct tn_place *place, GError **error)
{
        struct stat st;

        if (fstatat(place->dir_fd, place->name, &st, AT_SYMLINK_NOFOLLOW) < 0) {
                if (errno == ENOENT)
                        return json_pack("{s:s}", "kind", "absent");
                (void) tn_error_errno(error, errno, "look at /%s", place->path);
                return NULL;
        }
        if (S_ISLNK(st.st_mode))
                return describe_link(place, &st, error);
        if (S_ISREG(st.st_mode))
                return describe_file(place, &st, error);
        (void) tn_error_set(error, TN_ERROR_INVALID, "/%s is neither a file nor a symbolic link",
                            place->path);
        return NULL;
}

bool tn_backup_same(const json_t *a, const json_t *b)
{
        static const char *const keys[] = {"kind", "mode",   "uid",    "gid",
                                           "size", "sha256", "target", "xattrs"};

        for (size_t i = 0; i < G_N_ELEMENTS(keys); i++) {
                json_t *left = json_object_get(a, keys[i]), *right = json_object_get(b, keys[i]);

                if (left != right && !json_equal(left, right))
                        return false;
        }
        return true;
}

bool tn_backup_is_absent(const json_t *state)
{
        return g_strcmp0(json_string_value(json_object_get(state, "kind")), "absent") == 0;
}

bool tn_backup_store(const struct tn_place *place, int store_fd, const char *name, GError **error)
{
        const struct tn_place store = {.dir_fd = store_fd, .name = (char *) name, .path = (char *) name};
        tn_autofd int from = openat(place->dir_fd, place->name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
        tn_autofd int to = -1;

        if (from < 0)
                return tn_error_errno(error, errno, "open /%s", place->path);
        to = tn_place_create(&store, name, error);
        if (to < 0)
                return false;
        if (!tn_place_copy(from, to, place->path, error))
                return g_prefix_error(error, "keep a copy: "), false;
        if (fsync(to) < 0 || fsync(store_fd) < 0)
                return tn_error_errno(error, errno, "sync the copy of /%s", place->path);
        return true;
}

static bool apply_xattrs(int fd, const json_t *xattrs, const char *path, GError **error)
{
        const char *name;
        json_t *value;

        json_object_foreach((json_t *) xattrs, name, value)
        {
                g_autofree uint8_t *bytes = NULL;
                size_t len;

                if (!tn_base64_decode(json_string_value(value), json_string_length(value), &bytes, &len,
                                      error))
                        return false;
                if (fsetxattr(fd, name, bytes, len, 0) < 0)
                        return tn_error_errno(error, errno, "set the attribute %s of /%s", name, path);
        }
        return true;
}

/* Only what differs is set: FAT has one owner and one mode for all, and refuses to be asked. */
static bool apply_owner_and_mode(int fd, uid_t uid, gid_t gid, mode_t mode, const char *path, GError **error)
{
        struct stat st;

        if (fstat(fd, &st) < 0)
                return tn_error_errno(error, errno, "look at the new file for /%s", path);
        if ((st.st_uid != uid || st.st_gid != gid) && fchown(fd, uid, gid) < 0)
                return tn_error_errno(error, errno, "set the owner of /%s", path);
        if ((st.st_mode & 07777) != mode && fchmod(fd, mode) < 0)
                return tn_error_errno(error, errno, "set the mode of /%s", path);
        return true;
}

bool tn_backup_apply(int fd, const json_t *state, mode_t mode, const char *path, GError **error)
{
        uid_t uid = geteuid();
        gid_t gid = getegid();

        if (json_object_get(state, "mode")) {
                uid = (uid_t) json_integer_value(json_object_get(state, "uid"));
                gid = (gid_t) json_integer_value(json_object_get(state, "gid"));
                mode = (mode_t) json_integer_value(json_object_get(state, "mode"));
        }
        return apply_owner_and_mode(fd, uid, gid, mode, path, error) &&
               apply_xattrs(fd, json_object_get(state, "xattrs"), path, error);
}

static struct timespec get_time(const json_t *state, const char *key)
{
        const char *text = json_string_value(json_object_get(state, key));
        long long seconds = 0;
        long nanoseconds = 0;

        if (!text || sscanf(text, "%lld.%ld", &seconds, &nanoseconds) != 2)
                return (struct timespec){.tv_nsec = UTIME_OMIT};
        return (struct timespec){.tv_sec = (time_t) seconds, .tv_nsec = nanoseconds};
}

static bool restore_times(const struct tn_place *place, const char *name, const json_t *state,
                          GError **error)
{
        const struct timespec times[] = {get_time(state, "atime"), get_time(state, "mtime")};

        if (utimensat(place->dir_fd, name, times, AT_SYMLINK_NOFOLLOW) < 0)
                return tn_error_errno(error, errno, "set the times of /%s", place->path);
        return true;
}

static bool restore_link(const struct tn_place *place, const char *temp, const json_t *state, GError **error)
{
        const char *target = json_string_value(json_object_get(state, "target"));

        (void) unlinkat(place->dir_fd, temp, 0);
        if (symlinkat(target ? target : "", place->dir_fd, temp) < 0 ||
            fchownat(place->dir_fd, temp, (uid_t) json_integer_value(json_object_get(state, "uid")),
                     (gid_t) json_integer_value(json_object_get(state, "gid")), AT_SYMLINK_NOFOLLOW) < 0)
                return tn_error_errno(error, errno, "make the link /%s", place->path);
        return true;
}

static bool restore_file(const struct tn_place *place, const char *temp, const json_t *state, int store_fd,
                         const char *name, GError **error)
{
        tn_autofd int from = openat(store_fd, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
        tn_autofd int to = -1;

        if (from < 0)
                return tn_error_errno(error, errno, "open the copy of /%s", place->path);
        to = tn_place_create(place, temp, error);
        if (to < 0 || !tn_place_copy(from, to, place->path, error) ||
            !tn_backup_apply(to, state, 0644, place->path, error) ||
            !restore_times(place, temp, state, error))
                return false;
        if (fsync(to) < 0)
                return tn_error_errno(error, errno, "sync /%s", place->path);
        return true;
}

bool tn_backup_restore(const struct tn_place *place, const json_t *state, int store_fd, const char *name,
                       const char *tag, GError **error)
{
        g_autofree char *temp = tn_place_temp_name(place, tag);
        const char *kind = json_string_value(json_object_get(state, "kind"));
        bool good;

        if (g_strcmp0(kind, "absent") == 0)
                return tn_place_remove(place, place->name, error);
        if (g_strcmp0(kind, "link") == 0)
                good = restore_link(place, temp, state, error) && restore_times(place, temp, state, error);
        else
                good = restore_file(place, temp, state, store_fd, name, error);
        if (good && tn_place_rename(place, temp, error))
                return true;
        (void) unlinkat(place->dir_fd, temp, 0);
        g_prefix_error(error, "restore /%s: ", place->path);
        return false;
}
