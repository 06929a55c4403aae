/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * guest-get-fsinfo and the fact "filesystems". Two things are remembered between questions, and before each
 * answer it is made sure that they are still true; sizes are asked of the file systems each time.
 *
 * The mount table is read anew when poll(2) on it, which the kernel answers at once and exactly, says that
 * it changed. The entries, with disks and their addresses, are forgotten with the table, and when the number
 * of the kernel's last device event (which counts all of them, whoever listens) or udev's directory of
 * records is another than when they were made. Because the kernel says "changed" a moment before it has
 * cleaned up behind a change of device mapper, entries are not kept within SETTLE_USEC after an event; and
 * never where disks can change without one (members of a RAID, of a btrfs). Without all of these sources (a
 * recorded machine, a container) nothing is kept.
 */
#define _GNU_SOURCE
#include "plugins/guestinfo/fsinfo.h"

#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/fd.h"
#include "lib/mountinfo.h"
#include "lib/worker.h"
#include "plugins/guestinfo/fs-entry.h"
#include "plugins/guestinfo/fs-network.h"
#include "plugins/guestinfo/guestinfo.h"

#define SETTLE_USEC        (200 * 1000)
#define NETWORK_TIMEOUT_MS 2000

/* Equal: no device has come, gone or changed. */
struct devices_state {
        char event[24];        /* number of the last event of the kernel's, as text */
        struct timespec udevs; /* when udev last wrote or dropped a record; zero without udev */
};

/* A number in the remembered answer; borrowed from it. */
struct shown {
        const struct tn_mount *mount;
        json_t *used, *total, *privileged; /* all NULL: told without a size */
};

struct tn_fsinfo {
        const struct tn_env *env;
        struct tn_worker *worker; /* NULL: there is nobody to ask */
        int table_fd, events_fd;  /* -1: nothing is remembered */
        GPtrArray *mounts;        /* the table, or NULL */
        GPtrArray *selected;      /* of @mounts */
        bool with_network;        /* what was selected */
        struct devices_state devices;
        uint64_t devices_changed_usec;
        json_t *reply; /* or NULL */
        GArray *shown; /* struct shown, one for each entry of @reply */
};

/* False: they cannot be watched, or have just changed; then nothing may be remembered of them. */
static bool devices_rest(struct tn_fsinfo *self)
{
        struct devices_state now;
        uint64_t now_usec = tn_env_monotonic_usec(self->env);
        struct stat st;

        memset(&now, 0, sizeof now); /* padding, too, for the comparison */
        if (self->events_fd < 0 || pread(self->events_fd, now.event, sizeof now.event, 0) <= 0)
                return false;
        if (fstatat(self->env->root_fd, "run/udev/data", &st, 0) == 0)
                now.udevs = st.st_mtim;
        if (memcmp(&now, &self->devices, sizeof now) != 0) {
                self->devices = now;
                self->devices_changed_usec = now_usec;
        }
        return now_usec - self->devices_changed_usec >= SETTLE_USEC;
}

struct tn_fsinfo *tn_fsinfo_new(const struct tn_env *env)
{
        struct tn_fsinfo *self = g_new0(struct tn_fsinfo, 1);

        self->env = env;
        self->table_fd = self->events_fd = -1;
        self->shown = g_array_new(FALSE, TRUE, sizeof(struct shown));
        if (env->recorded)
                return self;
        self->worker = tn_worker_new(env);
        self->table_fd = tn_mountinfo_open(env, NULL);
        self->events_fd = tn_env_open(env, "sys/kernel/uevent_seqnum", O_RDONLY, NULL);
        (void) devices_rest(self); /* from now on it is known how long they rest */
        return self;
}

static void forget_reply(struct tn_fsinfo *self)
{
        g_clear_pointer(&self->reply, json_decref);
        g_array_set_size(self->shown, 0);
}

static void forget_table(struct tn_fsinfo *self)
{
        forget_reply(self);
        g_clear_pointer(&self->selected, g_ptr_array_unref);
        g_clear_pointer(&self->mounts, g_ptr_array_unref);
}

void tn_fsinfo_free(struct tn_fsinfo *self)
{
        if (!self)
                return;
        tn_worker_free(self->worker);
        forget_table(self);
        g_array_unref(self->shown);
        tn_fd_close(&self->table_fd);
        tn_fd_close(&self->events_fd);
        g_free(self);
}

/* The poll itself takes note of the change, so it comes before the reading. */
static bool read_table(struct tn_fsinfo *self, bool with_network, GError **error)
{
        struct pollfd pollfd = {.fd = self->table_fd, .events = POLLPRI};

        if (self->table_fd < 0 || poll(&pollfd, 1, 0) != 0 || with_network != self->with_network)
                forget_table(self);
        if (self->mounts)
                return true;
        self->mounts = tn_mounts_read(self->env, error);
        if (!self->mounts)
                return false;
        self->selected = tn_mounts_select(self->mounts, with_network);
        self->with_network = with_network;
        return true;
}

static bool read_size_now(const struct tn_fsinfo *self, const struct tn_mount *mount, struct tn_fs_size *ret)
{
        return !mount->may_hang && tn_fs_entry_read_size(self->env, mount, ret);
}

/* False: which file systems have a size is not as it was. */
static bool renew_sizes(struct tn_fsinfo *self)
{
        for (guint i = 0; i < self->shown->len; i++) {
                const struct shown *shown = &g_array_index(self->shown, struct shown, i);
                struct tn_fs_size size;
                bool known = read_size_now(self, shown->mount, &size);

                if (known != (shown->used != NULL))
                        return false;
                if (!known)
                        continue;
                tn_guestinfo_set_uint(shown->used, size.used);
                tn_guestinfo_set_uint(shown->total, size.total);
                tn_guestinfo_set_uint(shown->privileged, size.privileged);
        }
        return true;
}

static json_t *describe_all(const struct tn_fsinfo *self, bool with_sizes, bool *ret_steady)
{
        json_t *reply = json_array();
        bool steady = true;

        for (guint i = 0; i < self->selected->len; i++) {
                const struct tn_mount *mount = self->selected->pdata[i];
                struct tn_fs_size size;
                bool known = with_sizes && read_size_now(self, mount, &size);

                (void) json_array_append_new(
                        reply, tn_fs_entry_new(self->env, mount, known ? &size : NULL, &steady));
        }
        *ret_steady = steady;
        return reply;
}

static void remember(struct tn_fsinfo *self, json_t *reply)
{
        self->reply = json_incref(reply);
        for (guint i = 0; i < self->selected->len; i++) {
                const json_t *entry = json_array_get(reply, i);
                struct shown shown = {
                        .mount = self->selected->pdata[i],
                        .used = json_object_get(entry, "used-bytes"),
                        .total = json_object_get(entry, "total-bytes"),
                        .privileged = json_object_get(entry, "total-bytes-privileged"),
                };

                g_array_append_val(self->shown, shown);
        }
}

static bool any_may_hang(const struct tn_fsinfo *self)
{
        for (guint i = 0; i < self->selected->len; i++)
                if (((const struct tn_mount *) self->selected->pdata[i])->may_hang)
                        return true;
        return false;
}

/* The answer, but for the sizes of what may hang. */
static json_t *make_reply(struct tn_fsinfo *self, bool with_network, GError **error)
{
        bool rest, steady;
        json_t *reply;

        if (!read_table(self, with_network, error))
                return NULL;
        rest = devices_rest(self);
        if (!rest || (self->reply && self->reply->refcount > 1)) /* somebody kept it: it must not change */
                forget_reply(self);
        if (self->reply && renew_sizes(self))
                return json_incref(self->reply);
        forget_reply(self);
        reply = describe_all(self, true, &steady);
        if (rest && steady && self->table_fd >= 0 && !(with_network && any_may_hang(self)))
                remember(self, reply);
        return reply;
}

static bool wants_network(struct tenon_host *host)
{
        return g_strcmp0(host->config(host, TN_GUESTINFO_GROUP, "network-filesystems"), "yes") == 0;
}

static unsigned network_timeout_ms(struct tenon_host *host)
{
        const char *text = host->config(host, TN_GUESTINFO_GROUP, "network-timeout-ms");
        guint64 ms = NETWORK_TIMEOUT_MS;

        if (text)
                (void) g_ascii_string_to_unsigned(text, 10, 1, 600000, &ms, NULL); /* else as it was */
        return (unsigned) ms;
}

static void answer(struct tn_fsinfo *self, struct tenon_host *host, struct tenon_call *call)
{
        bool with_network = wants_network(host);
        GError *error = NULL;
        json_t *reply = make_reply(self, with_network, &error);

        if (!reply)
                host->fail(call, error);
        else if (with_network && self->worker && any_may_hang(self))
                tn_fs_network_reply(self->worker, host, call, self->mounts, self->selected,
                                    network_timeout_ms(host), reply);
        else
                host->reply(call, reply);
}

void tn_fsinfo_start(struct tenon_host *host, struct tenon_call *call, json_t *args)
{
        struct tn_guestinfo *self = host->data;

        (void) args;
        answer(self->fsinfo, host, call);
}

json_t *tn_fsinfo_fact(struct tenon_host *host, GError **error)
{
        struct tn_fsinfo *fresh = tn_fsinfo_new(host->env);
        json_t *fact = NULL;
        bool steady;

        if (read_table(fresh, wants_network(host), error))
                fact = describe_all(fresh, false, &steady);
        tn_fsinfo_free(fresh);
        return fact;
}
