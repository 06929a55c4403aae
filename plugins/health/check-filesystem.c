/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * A file system: is it mounted, can it be written to, is there room. The surprising thing: whether it is
 * read-only is asked of the mount table of process 1, for in the agent's sandbox every file system is; how
 * full it is, is asked in a copy of this process, for a file server may never answer.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "lib/env.h"
#include "lib/fd.h"
#include "lib/mountinfo.h"
#include "lib/worker.h"
#include "plugins/health/check.h"
#include "plugins/health/measures.h"

#define DEADLINE_MS 10000

static bool has_option(const char *options, const char *wanted)
{
        g_auto(GStrv) words = g_strsplit(options, ",", -1);

        return g_strv_contains((const char *const *) words, wanted);
}

void health_consider_mount(const struct tn_mountinfo *mount, void *data)
{
        struct health_mount_search *search = data;

        if (g_str_equal(mount->target, search->path))
                search->found = has_option(mount->flags, "ro") || has_option(mount->options, "ro")
                                        ? HEALTH_MOUNT_READ_ONLY
                                        : HEALTH_MOUNT_WRITABLE;
}

static double percent_used(uint64_t total, uint64_t free, uint64_t available)
{
        uint64_t used = total > free ? total - free : 0;

        return used + available ? 100.0 * (double) used / (double) (used + available) : 0;
}

double health_space_used(const struct health_space *space, bool *ret_inodes)
{
        double blocks = percent_used(space->blocks, space->free, space->available);
        double inodes = percent_used(space->files, space->files_free, space->files_free);

        *ret_inodes = inodes > blocks;
        return MAX(inodes, blocks);
}

struct filesystem {
        char *path;
        struct tn_worker *worker;
        bool ending;
};

static void init(struct health_check *check)
{
        struct filesystem *fs = g_new0(struct filesystem, 1);
        const char *path = health_check_setting(check, "path");
        size_t len;

        fs->path = g_strdup(path ? path : "/");
        for (len = strlen(fs->path); len > 1 && fs->path[len - 1] == '/'; len--)
                fs->path[len - 1] = '\0';
        fs->worker = tn_worker_new(check->host->env);
        check->own = fs;
}

static void deinit(struct health_check *check)
{
        struct filesystem *fs = check->own;

        if (!fs)
                return;
        fs->ending = true;
        tn_worker_free(fs->worker);
        g_free(fs->path);
        g_free(fs);
}

/* In the copy. */
static void ask_space(const struct tn_env *env, const void *job, int fd)
{
        const char *path = (const char *) job + strspn(job, "/");
        tn_autofd int folder = tn_env_open(env, *path ? path : ".", O_PATH, NULL);
        struct statvfs st;
        struct health_space space;

        if (folder < 0 || fstatvfs(folder, &st) < 0)
                return;
        space = (struct health_space){st.f_blocks, st.f_bfree, st.f_bavail, st.f_files, st.f_ffree};
        (void) !write(fd, &space, sizeof space);
}

static void on_space(const void *bytes, size_t len, void *data)
{
        struct health_check *check = data;
        const struct filesystem *fs = check->own;
        struct health_space space;
        double percent;
        bool inodes;

        if (fs->ending)
                return;
        if (len != sizeof space) {
                health_check_result(check, HEALTH_UNKNOWN, "%s does not tell how full it is", fs->path);
                return;
        }
        memcpy(&space, bytes, sizeof space);
        percent = health_space_used(&space, &inodes);
        health_check_value(check, percent, "%s is %.0f %% full%s", fs->path, percent,
                           inodes ? " (inodes)" : "");
}

static bool must_be_writable(const struct health_check *check)
{
        return g_strcmp0(health_check_setting(check, "writable"), "no") != 0;
}

static void measure(struct health_check *check)
{
        struct filesystem *fs = check->own;
        g_autoptr(GError) error = NULL;
        struct health_mount_search search = {.path = fs->path};

        if (!tn_mountinfo_read(check->host->env, health_consider_mount, &search, &error)) {
                health_check_result(check, HEALTH_UNKNOWN, "%s", error->message);
                return;
        }
        if (search.found == HEALTH_MOUNT_NONE)
                health_check_result(check, HEALTH_CRITICAL, "nothing is mounted at %s", fs->path);
        else if (search.found == HEALTH_MOUNT_READ_ONLY && must_be_writable(check))
                health_check_result(check, HEALTH_CRITICAL, "%s is read-only", fs->path);
        else if (!tn_worker_run(fs->worker, ask_space, fs->path, DEADLINE_MS, on_space, check, &error))
                health_check_result(check, HEALTH_UNKNOWN, "%s: %s", fs->path, error->message);
}

const struct health_type health_type_filesystem = {
        .name = "filesystem",
        .remedy = "make room, or raise the limits of this check; it looks at",
        .remedy_of = "path",
        .unit = "%",
        .deadline_ms = DEADLINE_MS + 1000,
        .init = init,
        .deinit = deinit,
        .measure = measure,
};
