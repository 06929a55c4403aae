/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * Which file a name stands for, and whether it may be run. Both are decided here and not by who runs it, so
 * that a transient unit and a plain child find the same. The surprising thing: two paths are the same
 * program when their directories are the same and their names are equal, so /bin/ls and /usr/bin/ls may be
 * one; where a symbolic link of the last part leads is not asked, for with busybox all lead to one file.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/env.h"
#include "lib/error.h"
#include "lib/fd.h"
#include "plugins/exec/exec.h"

#define DEFAULT_PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

static const char *relative(const char *path)
{
        path += strspn(path, "/");
        return *path ? path : ".";
}

/* 0, or why it cannot be run. */
static int check_program(const struct tn_env *env, const char *path)
{
        tn_autofd int fd = tn_env_open(env, relative(path), O_PATH, NULL);
        struct stat st;

        if (fd < 0)
                return errno;
        if (fstat(fd, &st) < 0)
                return errno;
        /* Not access(2): systemd may do more than we. */
        return S_ISREG(st.st_mode) && (st.st_mode & 0111) ? 0 : EACCES;
}

static char *search(const struct tn_env *env, const char *name, const char *path, int *ret_errnum)
{
        g_auto(GStrv) folders = g_strsplit(path ? path : DEFAULT_PATH, ":", -1);
        int errnum = ENOENT;

        for (char **folder = folders; *folder; folder++) {
                g_autofree char *candidate = g_build_filename(*folder, name, NULL);
                int r = g_path_is_absolute(candidate) ? check_program(env, candidate) : ENOENT;

                if (r == 0)
                        return g_steal_pointer(&candidate);
                if (r == EACCES)
                        errnum = r;
        }
        *ret_errnum = errnum;
        return NULL;
}

char *tn_exec_program_find(const struct tn_env *env, const char *name, const char *cwd, char **child_env,
                           GError **error)
{
        const char *path = child_env ? g_environ_getenv(child_env, "PATH") : NULL;
        g_autofree char *found = NULL;
        int errnum = ENOENT;

        if (strchr(name, '/')) {
                found = g_path_is_absolute(name) ? g_strdup(name) : g_build_filename(cwd, name, NULL);
                errnum = check_program(env, found);
                if (errnum == 0)
                        return g_steal_pointer(&found);
        } else if (*name) {
                found = search(env, name, path ? path : g_getenv("PATH"), &errnum);
                if (found)
                        return g_steal_pointer(&found);
        }
        (void) tn_error_set(error, errnum == ENOENT ? TN_ERROR_NOT_FOUND : TN_ERROR_DENIED,
                            "Failed to execute child process “%s” (%s)", name, g_strerror(errnum));
        return NULL;
}

bool tn_exec_program_is_text(const struct tn_env *env, const char *program)
{
        tn_autofd int fd = tn_env_open(env, relative(program), O_RDONLY | O_NONBLOCK, NULL);
        char head[128];
        ssize_t n = fd < 0 ? -1 : read(fd, head, sizeof head);

        return n > 0 && !memchr(head, '\0', (size_t) n) && !(n >= 2 && memcmp(head, "#!", 2) == 0) &&
               !(n >= 4 && memcmp(head, "\177ELF", 4) == 0);
}

/* With its directory as the kernel calls it; NULL when that does not exist. */
static char *canonical(const struct tn_env *env, const char *program)
{
        g_autofree char *folder = g_path_get_dirname(program);
        g_autofree char *base = g_path_get_basename(program);
        tn_autofd int fd = tn_env_open(env, relative(folder), O_PATH | O_DIRECTORY, NULL);
        char link[sizeof "/proc/self/fd/" + 3 * sizeof fd], target[4096];
        ssize_t n;

        if (fd < 0)
                return NULL;
        (void) snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
        n = readlink(link, target, sizeof target - 1);
        if (n < 0)
                return NULL;
        target[n] = '\0';
        return g_build_filename(target, base, NULL);
}

bool tn_exec_program_check_allowed(const struct tn_env *env, const char *program, const char *list,
                                   GError **error)
{
        g_auto(GStrv) entries = g_strsplit_set(list, ",;", -1);
        g_autofree char *wanted = canonical(env, program);

        for (char **entry = entries; wanted && *entry; entry++) {
                g_autofree char *found = tn_exec_program_find(env, g_strstrip(*entry), "/", NULL, NULL);
                g_autofree char *same = found ? canonical(env, found) : NULL;

                if (g_strcmp0(same, wanted) == 0)
                        return true;
        }
        return tn_error_set(
                error, TN_ERROR_DENIED,
                "running %s is not allowed: it is not in the list 'allow' in the group [exec] of "
                "the configuration",
                program);
}
