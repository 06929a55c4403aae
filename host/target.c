/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * The temporary file stands in the folder of the new one, for rename() must not cross file systems. The
 * surprising thing: without --force it is renameat2(RENAME_NOREPLACE), so nothing is overwritten even if it
 * came into being while we copied.
 */
#define _GNU_SOURCE
#include "host/target.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/trouble.h"
#include "lib/fd.h"

struct tn_target {
        char *path;
        char *temporary; /* NULL: it was finished */
        int fd;
        bool force;
};

static const int signals[] = {SIGINT, SIGTERM, SIGHUP, SIGPIPE};
static const char *volatile to_remove; /* for the signal handler */

static void on_signal(int number)
{
        if (to_remove)
                (void) unlink(to_remove);
        (void) signal(number, SIG_DFL);
        (void) raise(number);
}

static void watch_signals(void (*handler)(int))
{
        for (size_t i = 0; i < G_N_ELEMENTS(signals); i++) {
                struct sigaction before, after = {.sa_handler = handler};

                /* Who ignores a signal (nohup) wants it ignored. */
                if (sigaction(signals[i], NULL, &before) == 0 && before.sa_handler != SIG_IGN)
                        (void) sigaction(signals[i], &after, NULL);
        }
}

static char *final_path(const char *path, const char *name)
{
        return g_file_test(path, G_FILE_TEST_IS_DIR) ? g_build_filename(path, name, NULL) : g_strdup(path);
}

static bool check_free(const char *path, bool force, GError **error)
{
        struct stat st;

        if (lstat(path, &st) < 0)
                return true;
        if (S_ISDIR(st.st_mode))
                return tn_trouble_set(error, TN_TROUBLE_LOCAL, "%s is a folder", path);
        return force || tn_trouble_set(error, TN_TROUBLE_LOCAL, "%s exists; --force would replace it", path);
}

/* As open(2) would have made it. */
static mode_t usual_mode(void)
{
        mode_t mask = umask(077);

        (void) umask(mask);
        return 0666 & ~mask;
}

struct tn_target *tn_target_new(const char *path, const char *name, bool force, GError **error)
{
        g_autofree char *final = final_path(path, name);
        g_autofree char *folder = g_path_get_dirname(final);
        g_autofree char *temporary = g_build_filename(folder, ".tenon-host-XXXXXX", NULL);
        struct tn_target *target;
        int fd;

        if (!check_free(final, force, error))
                return NULL;
        fd = mkostemp(temporary, O_CLOEXEC);
        if (fd < 0) {
                (void) tn_trouble_errno(error, TN_TROUBLE_LOCAL, errno, "make a file in %s", folder);
                return NULL;
        }
        target = g_new0(struct tn_target, 1);
        target->path = g_steal_pointer(&final);
        target->temporary = g_steal_pointer(&temporary);
        target->fd = fd;
        target->force = force;
        to_remove = target->temporary;
        watch_signals(on_signal);
        return target;
}

bool tn_target_write(struct tn_target *target, const void *bytes, size_t len, GError **error)
{
        const char *at = bytes;

        while (len > 0) {
                ssize_t n = write(target->fd, at, len);

                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return tn_trouble_errno(error, TN_TROUBLE_LOCAL, errno, "write %s", target->path);
                at += n;
                len -= (size_t) n;
        }
        return true;
}

/* File systems without RENAME_NOREPLACE have link(2). */
static bool rename_new(const char *from, const char *to)
{
        if (renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE) == 0)
                return true;
        if (errno != EINVAL && errno != ENOSYS)
                return false;
        return link(from, to) == 0 && unlink(from) == 0;
}

static void forget(struct tn_target *target)
{
        to_remove = NULL;
        watch_signals(SIG_DFL);
        g_clear_pointer(&target->temporary, g_free);
}

bool tn_target_finish(struct tn_target *target, GError **error)
{
        bool good;

        if (fchmod(target->fd, usual_mode()) < 0 || fsync(target->fd) < 0)
                return tn_trouble_errno(error, TN_TROUBLE_LOCAL, errno, "write %s", target->path);
        good = target->force ? rename(target->temporary, target->path) == 0
                             : rename_new(target->temporary, target->path);
        if (!good && errno == EEXIST)
                return tn_trouble_set(error, TN_TROUBLE_LOCAL, "%s exists by now; --force would replace it",
                                      target->path);
        if (!good)
                return tn_trouble_errno(error, TN_TROUBLE_LOCAL, errno, "rename to %s", target->path);
        forget(target);
        return true;
}

const char *tn_target_path(const struct tn_target *target)
{
        return target->path;
}

void tn_target_free(struct tn_target *target)
{
        if (!target)
                return;
        if (target->temporary) {
                (void) unlink(target->temporary);
                forget(target);
        }
        tn_fd_close(&target->fd);
        g_free(target->path);
        g_free(target);
}
