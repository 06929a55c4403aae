/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * A process that must exist, by its name, by a file with its number, or both. Once it is found, a pidfd
 * tells of its end, and nothing is looked up until then.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <glib-unix.h>
#include <poll.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/env.h"
#include "lib/fd.h"
#include "plugins/health/check.h"

struct process {
        int pidfd; /* -1: not found */
        guint source;
        pid_t pid;
};

static gboolean on_end(int fd, GIOCondition condition, void *data)
{
        struct health_check *check = data;
        struct process *process = check->own;

        (void) fd;
        (void) condition;
        process->source = 0;
        tn_fd_close(&process->pidfd);
        health_check_look(check);
        return G_SOURCE_REMOVE;
}

static bool is_named(const struct tn_env *env, pid_t pid, const char *name)
{
        g_autofree char *path = g_strdup_printf("proc/%d/comm", pid);
        g_autofree char *comm = tn_env_read_line(env, path);

        return g_strcmp0(comm, name) == 0;
}

/* A zombie has a name and a number, but has ended. */
static int open_living(pid_t pid)
{
        tn_autofd int fd = (int) syscall(SYS_pidfd_open, pid, 0);
        struct pollfd end = {.fd = fd, .events = POLLIN};

        return fd >= 0 && poll(&end, 1, 0) == 0 ? tn_fd_steal(&fd) : -1;
}

static bool take(struct process *process, pid_t pid)
{
        process->pidfd = pid > 0 ? open_living(pid) : -1;
        process->pid = pid;
        return process->pidfd >= 0;
}

static bool find_by_name(struct process *process, const struct tn_env *env, const char *name)
{
        g_auto(GStrv) entries = tn_env_list(env, "proc");

        for (size_t i = 0; entries && entries[i]; i++) {
                gint64 pid;

                if (g_ascii_string_to_signed(entries[i], 10, 1, G_MAXINT32, &pid, NULL) &&
                    is_named(env, (pid_t) pid, name) && take(process, (pid_t) pid))
                        return true;
        }
        return false;
}

static bool find_by_file(struct process *process, const struct tn_env *env, const char *path,
                         const char *name)
{
        int64_t pid;

        return tn_env_read_int64(env, path + strspn(path, "/"), &pid) && pid > 0 && pid <= G_MAXINT32 &&
               (!name || is_named(env, (pid_t) pid, name)) && take(process, (pid_t) pid);
}

static void init(struct health_check *check)
{
        struct process *process = g_new0(struct process, 1);

        process->pidfd = -1;
        check->own = process;
}

static void deinit(struct health_check *check)
{
        struct process *process = check->own;

        if (!process)
                return;
        g_clear_handle_id(&process->source, g_source_remove);
        tn_fd_close(&process->pidfd);
        g_free(process);
}

static bool watches(const struct health_check *check)
{
        const struct process *process = check->own;

        return process && process->source;
}

static void measure(struct health_check *check)
{
        struct process *process = check->own;
        const char *name = health_check_setting(check, "process");
        const char *file = health_check_setting(check, "pid-file");
        const struct tn_env *env = check->host->env;

        if (!name && !file) {
                health_check_result(check, HEALTH_UNKNOWN,
                                    "set process= or pid-file= in [%s] of tenond.conf", check->group);
                return;
        }
        if (process->source ||
            (file ? find_by_file(process, env, file, name) : find_by_name(process, env, name))) {
                if (!process->source)
                        process->source = g_unix_fd_add(process->pidfd, G_IO_IN, on_end, check);
                health_check_result(check, HEALTH_OK, "process %d is there", process->pid);
                return;
        }
        if (file && name)
                health_check_result(check, HEALTH_CRITICAL, "the process of %s is not there, or is not %s",
                                    file, name);
        else
                health_check_result(check, HEALTH_CRITICAL, "no process %s%s", file ? "of " : "",
                                    file ? file : name);
}

const struct health_type health_type_process = {
        .name = "process",
        .remedy = "start it again; its journal says why it ended",
        .deadline_ms = 1000,
        .init = init,
        .deinit = deinit,
        .measure = measure,
        .watches = watches,
};
