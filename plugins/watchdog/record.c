/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * The state file. Its members:
 *
 *   armed     {boot-id, device, identity, since}: armed and not yet given back in order
 *   starved   {boot-id, reason, since, test}: feeding was stopped on purpose
 *   disarmed  boot id in which an administrator has disarmed it
 *   examined  boot id whose cause has been found already
 *   last      the cause of the last reset, see cause.h, and the boot-id of the boot in which it was found
 *   resets    times of the resets that count for the brake, seconds since 1970, the newest last
 *   total     how many resets there were of which the watchdog is known to be the cause
 *   brake     {since, resets}: the brake is on
 */
#define _GNU_SOURCE
#include "plugins/watchdog/record.h"

#include <errno.h>
#include <fcntl.h>
#include <glib-unix.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/env.h"
#include "lib/fd.h"
#include "lib/json.h"

#define NAME     "watchdog.json"
#define LIMIT_MS 3000
#define FLUSH_MS 1000

struct watchdog_record {
        const struct tn_env *env;
        char *directory; /* relative to the root; NULL: nowhere to write */
        char *boot_id;
        json_t *members;
        pid_t child; /* 0: none */
        int pidfd;
        guint source, limit_source;
        watchdog_record_saved done;
        void *data;
};

struct watchdog_record *watchdog_record_new(const struct tn_env *env, const char *directory)
{
        struct watchdog_record *record = g_new0(struct watchdog_record, 1);
        g_autofree char *text = NULL;

        record->env = env;
        record->pidfd = -1;
        record->directory = directory ? g_strdup(directory + strspn(directory, "/")) : NULL;
        record->boot_id = tn_env_read_line(env, "proc/sys/kernel/random/boot_id");
        if (record->directory) {
                g_autofree char *path = g_strdup_printf("%s/" NAME, record->directory);

                if (tn_env_read(env, path, &text, NULL, NULL))
                        record->members = json_loads(text, 0, NULL);
        }
        if (!json_is_object(record->members)) {
                json_decref(record->members);
                record->members = json_object();
        }
        return record;
}

static gboolean on_late_end(int fd, GIOCondition condition, void *data)
{
        (void) waitpid(GPOINTER_TO_INT(data), NULL, WNOHANG);
        close(fd);
        return G_SOURCE_REMOVE;
}

/* A child that hangs in the kernel is not waited for, only reaped whenever it ends. */
static void forget_child(struct watchdog_record *record)
{
        g_clear_handle_id(&record->source, g_source_remove);
        g_clear_handle_id(&record->limit_source, g_source_remove);
        if (record->child > 0 && record->pidfd >= 0)
                g_unix_fd_add(tn_fd_steal(&record->pidfd), G_IO_IN, on_late_end,
                              GINT_TO_POINTER(record->child));
        record->child = 0;
}

void watchdog_record_free(struct watchdog_record *record)
{
        if (!record)
                return;
        forget_child(record);
        json_decref(record->members);
        g_free(record->directory);
        g_free(record->boot_id);
        g_free(record);
}

json_t *watchdog_record_get(struct watchdog_record *record)
{
        return record->members;
}

const char *watchdog_record_boot(const struct watchdog_record *record)
{
        return record->boot_id ? record->boot_id : "";
}

bool watchdog_record_is_now(struct watchdog_record *record, const char *key)
{
        json_t *member = json_object_get(record->members, key);
        const char *boot = json_string_value(json_is_object(member) ? json_object_get(member, "boot-id")
                                                                    : member);

        return record->boot_id && g_strcmp0(boot, record->boot_id) == 0;
}

/* In the child: nothing but system calls. */
static bool write_file(int root_fd, const char *temporary, const char *path, const char *directory,
                       const char *text, size_t len)
{
        tn_autofd int fd = openat(root_fd, temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW,
                                  0600);
        tn_autofd int folder = openat(root_fd, directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

        if (fd < 0 || write(fd, text, len) != (ssize_t) len || fsync(fd) < 0 ||
            renameat(root_fd, temporary, root_fd, path) < 0)
                return false;
        return folder >= 0 && fsync(folder) == 0;
}

static bool start_child(struct watchdog_record *record)
{
        g_autofree char *path = NULL, *temporary = NULL, *text = NULL;

        if (!record->directory)
                return false;
        path = g_strdup_printf("%s/" NAME, record->directory);
        temporary = g_strdup_printf("%s/." NAME ".new", record->directory);
        text = tn_json_pretty(record->members);
        record->child = fork();
        if (record->child == 0)
                _exit(write_file(record->env->root_fd, temporary, path, record->directory, text,
                                 strlen(text))
                              ? 0
                              : 1);
        if (record->child > 0)
                record->pidfd = (int) syscall(SYS_pidfd_open, record->child, 0);
        return record->pidfd >= 0;
}

static bool reap(struct watchdog_record *record)
{
        int status;
        bool ok = waitpid(record->child, &status, WNOHANG) == record->child && WIFEXITED(status) &&
                  WEXITSTATUS(status) == 0;

        record->child = 0;
        tn_fd_close(&record->pidfd);
        return ok;
}

static void finish(struct watchdog_record *record, bool ok)
{
        watchdog_record_saved done = record->done;

        forget_child(record);
        record->done = NULL;
        if (done)
                done(ok, record->data);
}

static gboolean on_written(int fd, GIOCondition condition, void *data)
{
        struct watchdog_record *record = data;

        g_clear_handle_id(&record->source, g_source_remove); /* before its descriptor is closed */
        finish(record, reap(record));
        return G_SOURCE_REMOVE;
}

static gboolean on_limit(void *data)
{
        struct watchdog_record *record = data;

        record->limit_source = 0;
        (void) kill(record->child, SIGKILL);
        finish(record, false);
        return G_SOURCE_REMOVE;
}

/* Also when nothing could be started the answer comes from the loop. */
static gboolean on_not_started(void *data)
{
        struct watchdog_record *record = data;

        record->limit_source = 0;
        finish(record, false);
        return G_SOURCE_REMOVE;
}

void watchdog_record_save(struct watchdog_record *record, watchdog_record_saved done, void *data)
{
        if (record->child > 0) { /* killed, so that an older text never lands on the newer one */
                (void) kill(record->child, SIGKILL);
                finish(record, false);
        }
        record->done = done;
        record->data = data;
        if (!start_child(record)) {
                record->limit_source = g_idle_add(on_not_started, record);
                return;
        }
        record->source = g_unix_fd_add(record->pidfd, G_IO_IN, on_written, record);
        record->limit_source = g_timeout_add(LIMIT_MS, on_limit, record);
}

void watchdog_record_flush(struct watchdog_record *record)
{
        struct pollfd pfd;

        watchdog_record_save(record, NULL, NULL);
        pfd = (struct pollfd){.fd = record->pidfd, .events = POLLIN};
        if (record->pidfd >= 0 && poll(&pfd, 1, FLUSH_MS) == 1)
                (void) reap(record);
        forget_child(record);
}
