/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * Opening what the host names, with the modes of fopen(3) and every place in which it allows the 'b'. The
 * surprising thing: a file is created only in a second step, when it was
 * not there in the first, and then with O_EXCL: so only files that are new get the mode 0666, and a symbolic
 * link that leads nowhere is never written through.
 */
#define _GNU_SOURCE
#include "lib/file-open.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/env.h"
#include "lib/error.h"
#include "lib/fd.h"

#define NEW_FILE_MODE 0666

#define WRITE (O_WRONLY | O_CREAT)
#define BOTH  (O_RDWR | O_CREAT)

static const struct tn_file_mode modes[] = {
        {"r", O_RDONLY},         {"rb", O_RDONLY},         {"w", WRITE | O_TRUNC},   {"wb", WRITE | O_TRUNC},
        {"a", WRITE | O_APPEND}, {"ab", WRITE | O_APPEND}, {"r+", O_RDWR},           {"rb+", O_RDWR},
        {"r+b", O_RDWR},         {"w+", BOTH | O_TRUNC},   {"wb+", BOTH | O_TRUNC},  {"w+b", BOTH | O_TRUNC},
        {"a+", BOTH | O_APPEND}, {"ab+", BOTH | O_APPEND}, {"a+b", BOTH | O_APPEND},
};

const struct tn_file_mode *tn_file_mode_find(const char *name)
{
        if (!name)
                return &modes[0];
        for (size_t i = 0; i < G_N_ELEMENTS(modes); i++)
                if (strcmp(modes[i].name, name) == 0)
                        return &modes[i];
        return NULL;
}

/* Is it ENOTDIR because the last part is a symbolic link? Then ELOOP, as openat2(2) says it. */
static void tell_link(int dir, const char *name)
{
        int errnum = errno;
        struct stat st;

        if (errnum == ENOTDIR && fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISLNK(st.st_mode))
                errnum = ELOOP;
        errno = errnum;
}

/* One part of a path after the other, none of which may be a symbolic link. */
static int open_parts(int dir, const char *path, int flags)
{
        tn_autofd int above = openat(dir, *path == '/' ? "/" : ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
        const char *name = path + strspn(path, "/");
        size_t len = strcspn(name, "/");

        if (*path == '\0') {
                errno = ENOENT;
                return -1;
        }
        while (above >= 0 && name[len] == '/') {
                g_autofree char *part = g_strndup(name, len);
                int below = openat(above, part, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

                if (below < 0)
                        tell_link(above, part);
                tn_fd_close(&above);
                above = below;
                name += len + strspn(name + len, "/");
                len = strcspn(name, "/");
        }
        if (above < 0)
                return -1;
        return openat(above, *name ? name : ".", flags | O_NOFOLLOW, NEW_FILE_MODE);
}

static int open_at(const struct tn_env *env, const char *path, int flags, bool nofollow)
{
        /* A relative path starts where the agent was started; its unit starts it in "/". */
        int dir = env->recorded ? env->root_fd : AT_FDCWD;
        struct open_how how = {
                .flags = (uint64_t) flags,
                .mode = flags & O_CREAT ? NEW_FILE_MODE : 0,
                .resolve = (env->recorded ? RESOLVE_IN_ROOT : 0) | (nofollow ? RESOLVE_NO_SYMLINKS : 0),
        };
        int fd;

        if (how.resolve == 0)
                return openat(dir, path, flags, NEW_FILE_MODE);
        fd = (int) syscall(SYS_openat2, dir, path, &how, sizeof how);
        /* Linux before 5.6, or a sandbox that looks at modes of files and would not see them there. */
        if (fd < 0 && errno == ENOSYS && !env->recorded)
                fd = open_parts(dir, path, flags);
        return fd;
}

static int open_or_create(const struct tn_env *env, const char *path, int flags, bool nofollow)
{
        int existing = flags & ~O_CREAT;
        int fd = open_at(env, path, existing, nofollow);

        if (fd >= 0 || errno != ENOENT || !(flags & O_CREAT))
                return fd;
        fd = open_at(env, path, flags | O_EXCL, nofollow);
        if (fd >= 0)
                (void) fchmod(fd, NEW_FILE_MODE); /* file systems without modes refuse it */
        else if (errno == EEXIST)                 /* somebody was faster, or it is a link to nothing */
                fd = open_at(env, path, existing, nofollow);
        return fd;
}

int tn_file_open(const struct tn_env *env, const char *path, const char *mode, bool nofollow, GError **error)
{
        const struct tn_file_mode *found = tn_file_mode_find(mode);
        int fd;

        if (!found) {
                (void) tn_error_set(error, TN_ERROR_INVALID, "invalid file open mode '%s'", mode);
                return -1;
        }
        fd = open_or_create(env, path, found->flags | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, nofollow);
        if (fd < 0 && nofollow && errno == ELOOP)
                (void) tn_error_set(
                        error, TN_ERROR_DENIED,
                        "failed to open file '%s' (mode: '%s'): a part of the path is a symbolic "
                        "link, and nofollow was asked for",
                        path, found->name);
        else if (fd < 0)
                (void) tn_error_errno(error, errno, "failed to open file '%s' (mode: '%s')", path,
                                      found->name);
        return fd;
}
