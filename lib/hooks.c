/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * Hook directories. The surprising thing: a hook is judged together with the directory that it lies in,
 * because whoever may write there can put another file in its place.
 */
#include "lib/hooks.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/fd.h"
#include "lib/names.h"

#define UNIT_GRACE_MS 5000 /* for systemd itself, beyond a hook's own limit */

void tn_hook_free(struct tn_hook *hook)
{
        if (!hook)
                return;
        g_free(hook->path);
        g_free(hook->refused);
        g_free(hook);
}

static char *find_fault(const struct stat *st)
{
        if (st->st_uid != 0 && st->st_uid != geteuid())
                return g_strdup_printf("belongs to uid %u; run: chown root on it", st->st_uid);
        if (st->st_mode & (S_IWGRP | S_IWOTH))
                return g_strdup("is writable by others; run: chmod go-w on it");
        return NULL;
}

static bool is_hook(const char *name, const struct stat *st)
{
        return name[0] != '.' && !g_str_has_suffix(name, "~") && S_ISREG(st->st_mode) &&
               (st->st_mode & 0111);
}

/* NULL when @name in the open directory @dir is no hook. @folder_fault: what is wrong with that, or NULL. */
static struct tn_hook *judge(int dir, const char *directory, const char *name, const char *folder_fault)
{
        struct tn_hook *hook;
        struct stat st;

        if (fstatat(dir, name, &st, 0) < 0 || !is_hook(name, &st))
                return NULL;
        hook = g_new0(struct tn_hook, 1);
        hook->path = g_build_filename(directory, name, NULL);
        hook->refused = folder_fault ? g_strdup_printf("its directory %s", folder_fault) : find_fault(&st);
        return hook;
}

static int open_folder(const struct tn_env *env, const char *directory, char **ret_fault)
{
        int dir = tn_env_open(env, directory + strspn(directory, "/"), O_RDONLY | O_DIRECTORY, NULL);
        struct stat st;

        if (dir >= 0 && fstat(dir, &st) < 0)
                tn_fd_close(&dir);
        if (dir >= 0)
                *ret_fault = find_fault(&st);
        return dir;
}

GPtrArray *tn_hooks_list(const struct tn_env *env, const char *directory)
{
        GPtrArray *hooks = g_ptr_array_new_with_free_func((GDestroyNotify) tn_hook_free);
        g_auto(GStrv) names = tn_env_list(env, directory + strspn(directory, "/"));
        g_autofree char *fault = NULL;
        tn_autofd int dir = open_folder(env, directory, &fault);

        for (size_t i = 0; dir >= 0 && names && names[i]; i++) {
                struct tn_hook *hook = judge(dir, directory, names[i], fault);

                if (hook)
                        g_ptr_array_add(hooks, hook);
        }
        return hooks;
}

struct tn_hook *tn_hooks_find(const struct tn_env *env, const char *path)
{
        g_autofree char *directory = g_path_get_dirname(path), *name = g_path_get_basename(path);
        g_autofree char *fault = NULL;
        tn_autofd int dir = open_folder(env, directory, &fault);

        return dir >= 0 ? judge(dir, directory, name, fault) : NULL;
}

char **tn_hooks_argv(const struct tn_env *env, const char *path, const char *argument, unsigned limit_ms,
                     unsigned *ret_deadline_ms)
{
        g_autofree char *limit = g_strdup_printf("RuntimeMaxSec=%ums", limit_ms);
        const char *plain[] = {path, argument, NULL};
        const char *unit[] = {"/usr/bin/systemd-run",
                              "--quiet",
                              "--wait",
                              "--collect",
                              "--service-type=exec",
                              "-p",
                              limit,
                              path,
                              argument,
                              NULL};
        bool systemd = tn_env_exists(env, TN_PATH_SYSTEMD_RUNNING) &&
                       tn_env_exists(env, "usr/bin/systemd-run");

        *ret_deadline_ms = limit_ms + (systemd ? UNIT_GRACE_MS : 0);
        return g_strdupv((char **) (systemd ? unit : plain));
}
