/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * The plugin "guestinfo": the commands that tell a host what its guest is, and the same as facts on the
 * board. Facts are renewed when the kernel says that something changed (rtnetlink, the mount table, inotify
 * on os-release, which an upgrade replaces, and on logind's records); the surprising thing is that nothing
 * here ever polls, so numbers that run by themselves (statistics, sizes) are in the commands' replies only.
 */
#include "plugins/guestinfo/guestinfo.h"

#include <errno.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "lib/error.h"
#include "lib/fd.h"
#include "lib/log.h"
#include "lib/mountinfo.h"
#include "lib/worker.h"
#include "plugins/guestinfo/fsinfo.h"
#include "plugins/guestinfo/mounts.h"
#include "plugins/guestinfo/netlink.h"
#include "plugins/guestinfo/network.h"
#include "plugins/guestinfo/users.h"
#include "plugins/guestinfo/watch.h"

/* Sets the fact @name (to an equal value is no change); says at debug level when it cannot be read. */
static void renew_fact(struct tenon_host *host, const char *name,
                       json_t *(*read)(struct tenon_host *host, GError **error))
{
        g_autoptr(GError) error = NULL;
        json_t *value = read(host, &error);

        if (!value)
                host->log(host, TN_LOG_DEBUG, "the fact \"%s\" is not known: %s", name, error->message);
        else
                host->fact_set(host, name, value);
}

/* An upgrade puts another file in the place of os-release, and the watch stays with the old one. */
static void watch_release_file(struct tenon_host *host, int inotify_fd)
{
        tn_autofd int fd = tn_osinfo_open_release(host);
        g_autofree char *path = g_strdup_printf("/proc/self/fd/%d", fd);

        if (fd < 0 || inotify_add_watch(inotify_fd, path, IN_ATTRIB | IN_CLOSE_WRITE | IN_DELETE_SELF) < 0)
                host->log(host, TN_LOG_DEBUG, "changes of os-release are not seen");
}

static void drain_inotify(int fd)
{
        char scrap[4096];

        while (read(fd, scrap, sizeof scrap) > 0)
                ; /* only that something happened counts */
}

static void on_release_changed(void *data)
{
        struct tenon_host *host = data;
        struct tn_guestinfo *self = host->data;

        watch_release_file(host, self->release_inotify);
        renew_fact(host, "os", tn_osinfo_fact);
}

static void on_network_changed(void *data)
{
        renew_fact(data, "network", tn_network_fact);
}

static void on_filesystems_changed(void *data)
{
        renew_fact(data, "filesystems", tn_fsinfo_fact);
}

static void on_users_changed(void *data)
{
        struct tenon_host *host = data;
        struct tn_guestinfo *self = host->data;

        (void) tn_users_watch(host->env, self->users_inotify); /* what was not there may have come */
        renew_fact(host, "users", tn_users_fact);
}

static void watch_users(struct tenon_host *host, struct tn_guestinfo *self)
{
        self->users_inotify = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
        if (self->users_inotify < 0 || !tn_users_watch(host->env, self->users_inotify)) {
                tn_fd_close(&self->users_inotify);
                host->log(host, TN_LOG_DEBUG, "logins are not seen");
                return;
        }
        self->users = tn_watch_new(self->users_inotify, G_IO_IN, drain_inotify, on_users_changed, host);
}

static void watch_os(struct tenon_host *host, struct tn_guestinfo *self)
{
        self->release_inotify = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
        if (self->release_inotify < 0) {
                host->log(host, TN_LOG_DEBUG, "changes of os-release are not seen: %s", g_strerror(errno));
                return;
        }
        watch_release_file(host, self->release_inotify);
        self->os = tn_watch_new(self->release_inotify, G_IO_IN, drain_inotify, on_release_changed, host);
}

static void watch_network(struct tenon_host *host, struct tn_guestinfo *self)
{
        g_autoptr(GError) error = NULL;
        int fd = tn_netlink_subscribe(&error);

        if (fd >= 0)
                self->network = tn_watch_new(fd, G_IO_IN, tn_netlink_drain, on_network_changed, host);
        else
                host->log(host, TN_LOG_DEBUG, "changes of the network are not seen: %s", error->message);
}

/* poll(2) on a mount table reports a change as POLLPRI and POLLERR; the poll itself takes note of it. */
static void watch_filesystems(struct tenon_host *host, struct tn_guestinfo *self)
{
        g_autoptr(GError) error = NULL;
        int fd = tn_mountinfo_open(host->env, &error);

        if (fd >= 0)
                self->filesystems = tn_watch_new(fd, G_IO_PRI, NULL, on_filesystems_changed, host);
        else
                host->log(host, TN_LOG_DEBUG, "changes of the mounts are not seen: %s", error->message);
}

static bool start(struct tenon_host *host, GError **error)
{
        struct tn_guestinfo *self = g_new0(struct tn_guestinfo, 1);

        (void) error;
        host->data = self;
        self->fsinfo = tn_fsinfo_new(host->env);
        self->remembered_network = tn_network_new(host->env);
        self->disks_worker = tn_worker_new(host->env);
        if (host->env->recorded) {
                host->log(host, TN_LOG_DEBUG, "a recorded machine does not change: no subscriptions");
        } else {
                watch_os(host, self);
                watch_network(host, self);
                watch_filesystems(host, self);
                watch_users(host, self);
        }
        renew_fact(host, "os", tn_osinfo_fact);
        renew_fact(host, "network", tn_network_fact);
        renew_fact(host, "filesystems", tn_fsinfo_fact);
        renew_fact(host, "users", tn_users_fact);
        return true;
}

static void stop(struct tenon_host *host)
{
        struct tn_guestinfo *self = host->data;

        tn_watch_free(self->os);
        tn_watch_free(self->network);
        tn_watch_free(self->filesystems);
        tn_watch_free(self->users);
        tn_network_free(self->remembered_network);
        tn_fsinfo_free(self->fsinfo); /* may answer what is still owed */
        tn_worker_free(self->disks_worker);
        g_free(self);
        host->data = NULL;
}

#define INFO(wire_name, function, text)                                                                     \
        {                                                                                                   \
                .name = wire_name, .args = "", .summary = text, .category = TENON_CATEGORY_INFO,            \
                .run = function                                                                             \
        }

/* For what may have to wait for drives or file servers. */
#define INFO_LATER(wire_name, function, text)                                                               \
        {                                                                                                   \
                .name = wire_name, .args = "", .summary = text, .category = TENON_CATEGORY_INFO,            \
                .start = function                                                                           \
        }

static const struct tenon_command commands[] = {
        INFO("guest-get-osinfo", tn_osinfo_run, "Distribution and kernel"),
        INFO("guest-get-host-name", tn_osinfo_run_host_name, "Host name"),
        INFO("guest-get-timezone", tn_timezone_run, "Time zone and its offset now"),
        INFO("guest-get-users", tn_users_run, "Users who are logged in, and since when"),
        INFO("guest-network-get-interfaces", tn_network_run, "Network interfaces, addresses, statistics"),
        INFO("guest-network-get-route", tn_routes_run, "Routing tables"),
        INFO_LATER("guest-get-fsinfo", tn_fsinfo_start, "Mounted file systems and the disks below them"),
        INFO_LATER("guest-get-disks", tn_disks_start, "Disks and partitions"),
        INFO("guest-get-diskstats", tn_diskstats_run, "Disk statistics"),
        INFO("guest-get-vcpus", tn_cpu_run_vcpus, "Processors and which are online"),
        INFO("guest-get-load", tn_cpu_run_load, "Load averages"),
        INFO("guest-get-cpustats", tn_cpu_run_stats, "What the processors spent their time on"),
        INFO("guest-get-memory-blocks", tn_memory_run_blocks, "Memory blocks and which are online"),
        INFO("guest-get-memory-block-info", tn_memory_run_block_info, "Size of a memory block"),
        {NULL},
};

const struct tenon_plugin tenon_plugin = {
        .abi = TENON_PLUGIN_ABI,
        .name = "guestinfo",
        .summary = "tells the host what this guest is: system, network, file systems, processors",
        .start = start,
        .stop = stop,
        .commands = commands,
};
