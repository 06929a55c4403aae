/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * authorized_keys on disk. The QEMU guest agent did this as root by path names, which a user could bend
 * (CVE-2026-12080); here it is the user who does it, and by directory descriptors.
 */
#define _GNU_SOURCE
#include "plugins/accounts/keys-file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/env.h"
#include "lib/error.h"
#include "lib/fd.h"
#include "plugins/accounts/keys.h"

#define FILE_MAX      (1024 * 1024) /* bytes of authorized_keys */
#define TEMP_ATTEMPTS 16

typedef struct place place_t;

struct place {
        const struct tn_user *user;
        char *home; /* without '/' at its end */
        char *file; /* for messages */
        int ssh_fd; /* ~/.ssh; -1: there is none */
};

static void place_clear(struct place *place)
{
        g_free(place->home);
        g_free(place->file);
        tn_fd_close(&place->ssh_fd);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(place_t, place_clear)

static bool check_directory(int fd, const struct tn_user *user, const char *path, GError **error)
{
        struct stat st;

        if (fstat(fd, &st) < 0)
                return tn_error_errno(error, errno, "check '%s'", path);
        if (st.st_uid != user->uid)
                return tn_error_set(error, TN_ERROR_DENIED, "'%s' belongs to uid %u, not to %s (uid %u)",
                                    path, st.st_uid, user->name, user->uid);
        return true;
}

/* O_DIRECTORY | O_NOFOLLOW gave this errno. */
static bool not_opened(int errnum, const char *path, GError **error)
{
        if (errnum == ENOTDIR || errnum == ELOOP)
                return tn_error_set(error, TN_ERROR_DENIED,
                                    "'%s' is a symbolic link or no directory; it is not followed", path);
        return tn_error_errno(error, errnum, "failed to open '%s'", path);
}

static int open_home(const struct tn_env *env, const struct place *place, GError **error)
{
        tn_autofd int fd = -1;

        if (place->home[0] == '\0') {
                tn_error_set(error, TN_ERROR_DENIED, "the home directory of %s is '/'", place->user->name);
                return -1;
        }
        fd = tn_env_open(env, place->home + 1, O_PATH | O_DIRECTORY | O_NOFOLLOW, NULL);
        if (fd < 0) {
                not_opened(errno, place->home, error);
                return -1;
        }
        return check_directory(fd, place->user, place->home, error) ? tn_fd_steal(&fd) : -1;
}

/* Opens ~/.ssh; true with place->ssh_fd -1 when there is none and @create is false. */
static bool open_ssh(struct place *place, int home_fd, bool create, GError **error)
{
        g_autofree char *path = g_strconcat(place->home, "/.ssh", NULL);
        tn_autofd int fd = -1;

        if (create && mkdirat(home_fd, ".ssh", 0700) < 0 && errno != EEXIST)
                return tn_error_errno(error, errno, "failed to make '%s'", path);
        fd = openat(home_fd, ".ssh", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (fd < 0 && errno == ENOENT && !create)
                return true;
        if (fd < 0)
                return not_opened(errno, path, error);
        if (!check_directory(fd, place->user, path, error))
                return false;
        place->ssh_fd = tn_fd_steal(&fd);
        return true;
}

/* Becomes the user and finds the directory. A missing home is like a missing ~/.ssh. */
static bool enter(const struct tn_env *env, const struct tn_user *user, bool create, struct place *place,
                  GError **error)
{
        g_autoptr(GError) why = NULL;
        tn_autofd int home_fd = -1;
        size_t len = strlen(user->home);

        while (len > 0 && user->home[len - 1] == '/')
                len--;
        place->user = user;
        place->home = g_strndup(user->home, len);
        place->file = g_strconcat(place->home, "/.ssh/authorized_keys", NULL);
        if (!tn_user_become(user, error))
                return false;
        home_fd = open_home(env, place, &why);
        if (home_fd < 0 && !create && g_error_matches(why, TN_ERROR, TN_ERROR_NOT_FOUND))
                return true;
        if (home_fd < 0) {
                g_propagate_error(error, g_steal_pointer(&why));
                return false;
        }
        return open_ssh(place, home_fd, create, error);
}

static bool read_all(int fd, const char *path, char **ret_text, GError **error)
{
        g_autofree char *text = g_malloc(FILE_MAX + 1);
        size_t used = 0;
        ssize_t n;

        while ((n = read(fd, text + used, FILE_MAX + 1 - used)) != 0) {
                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return tn_error_errno(error, errno, "failed to read '%s'", path);
                used += (size_t) n;
                if (used > FILE_MAX)
                        return tn_error_set(error, TN_ERROR_LIMIT, "'%s' is larger than %d bytes", path,
                                            FILE_MAX);
        }
        text[used] = '\0';
        if (strlen(text) != used)
                return tn_error_set(error, TN_ERROR_INVALID, "'%s' is not text: it has a NUL byte", path);
        *ret_text = g_steal_pointer(&text);
        return true;
}

/* *ret_text is NULL when there is no file. */
static bool read_keys(const struct place *place, char **ret_text, GError **error)
{
        tn_autofd int fd = -1;
        struct stat st;

        if (place->ssh_fd >= 0)
                fd = openat(place->ssh_fd, "authorized_keys",
                            O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
        else
                errno = ENOENT;
        if (fd < 0 && errno == ENOENT) {
                *ret_text = NULL;
                return true;
        }
        if (fd < 0 && errno == ELOOP)
                return tn_error_set(error, TN_ERROR_DENIED, "'%s' is a symbolic link; it is not followed",
                                    place->file);
        if (fd < 0 || fstat(fd, &st) < 0)
                return tn_error_errno(error, errno, "failed to read '%s'", place->file);
        if (!S_ISREG(st.st_mode))
                return tn_error_set(error, TN_ERROR_DENIED, "'%s' is not a regular file", place->file);
        return read_all(fd, place->file, ret_text, error);
}

static int make_temp(int dir_fd, char *name, size_t size)
{
        int fd = -1;

        for (unsigned i = 0; fd < 0 && i < TEMP_ATTEMPTS; i++) {
                (void) snprintf(name, size, ".authorized_keys.%08x%08x", g_random_int(), g_random_int());
                fd = openat(dir_fd, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
                if (fd < 0 && errno != EEXIST)
                        break;
        }
        return fd;
}

static bool replace_keys(const struct place *place, const char *text, GError **error)
{
        char name[64];
        tn_autofd int fd = make_temp(place->ssh_fd, name, sizeof name);

        if (fd < 0)
                return tn_error_errno(error, errno, "failed to make a file beside '%s'", place->file);
        if (!tn_fd_write_all(fd, text, strlen(text)) || fsync(fd) < 0 ||
            renameat(place->ssh_fd, name, place->ssh_fd, "authorized_keys") < 0) {
                (void) tn_error_errno(error, errno, "failed to write '%s'", place->file);
                (void) unlinkat(place->ssh_fd, name, 0);
                return false;
        }
        (void) fsync(place->ssh_fd); /* some file systems cannot; the file itself is safe */
        return true;
}

/* Two requests at the same time follow each other. A file system without locks is used without. */
static void lock(const struct place *place)
{
        if (place->ssh_fd >= 0)
                (void) flock(place->ssh_fd, LOCK_EX);
}

json_t *tn_keys_file_get(const struct tn_env *env, const struct tn_user *user, GError **error)
{
        g_auto(place_t) place = {.ssh_fd = -1};
        g_autofree char *text = NULL;

        if (!enter(env, user, false, &place, error) || !read_keys(&place, &text, error))
                return NULL;
        if (!text) {
                (void) tn_error_errno(error, ENOENT, "failed to read '%s'", place.file);
                return NULL;
        }
        return tn_keys_list(text);
}

bool tn_keys_file_add(const struct tn_env *env, const struct tn_user *user, const json_t *keys, bool reset,
                      GError **error)
{
        g_auto(place_t) place = {.ssh_fd = -1};
        g_autofree char *before = NULL, *after = NULL;

        if (!enter(env, user, true, &place, error))
                return false;
        lock(&place);
        if (!reset && !read_keys(&place, &before, error))
                return false;
        after = tn_keys_add(before ? before : "", keys);
        return g_strcmp0(before, after) == 0 || replace_keys(&place, after, error);
}

bool tn_keys_file_remove(const struct tn_env *env, const struct tn_user *user, const json_t *keys,
                         GError **error)
{
        g_auto(place_t) place = {.ssh_fd = -1};
        g_autofree char *before = NULL, *after = NULL;

        if (!enter(env, user, false, &place, error))
                return false;
        lock(&place);
        if (!read_keys(&place, &before, error))
                return false;
        if (!before)
                return true;
        after = tn_keys_remove(before, keys);
        return g_str_equal(before, after) || replace_keys(&place, after, error);
}
