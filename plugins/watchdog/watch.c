/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * udev's events of the class "watchdog", and inotify on the node of a device that somebody else has open.
 * The one driver that is older than the class (ib700wdt) shows as the misc device "watchdog".
 */
#define _GNU_SOURCE
#include "plugins/watchdog/watch.h"

#include <glib-unix.h>
#include <libudev.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "lib/fd.h"

#define GRACE_SECONDS 60

struct watchdog_watch {
        const struct tn_env *env;
        struct udev *udev;
        struct udev_monitor *monitor;
        guint monitor_source, close_source, grace_source;
        int inotify_fd;
        watchdog_watch_func func;
        void *data;
};

static gboolean on_device(int fd, GIOCondition condition, void *data)
{
        struct watchdog_watch *watch = data;
        struct udev_device *device = udev_monitor_receive_device(watch->monitor);

        bool ours = device && g_str_has_prefix(udev_device_get_sysname(device), "watchdog");

        udev_device_unref(device);
        if (ours)
                watch->func(watch->data);
        return G_SOURCE_CONTINUE;
}

static void listen_for_devices(struct watchdog_watch *watch)
{
        bool udevd = tn_env_exists(watch->env, "run/udev/control");

        watch->udev = udev_new();
        watch->monitor = watch->udev ? udev_monitor_new_from_netlink(watch->udev, udevd ? "udev" : "kernel")
                                     : NULL;
        if (!watch->monitor ||
            udev_monitor_filter_add_match_subsystem_devtype(watch->monitor, "watchdog", NULL) < 0 ||
            udev_monitor_filter_add_match_subsystem_devtype(watch->monitor, "misc", NULL) < 0 ||
            udev_monitor_enable_receiving(watch->monitor) < 0)
                return;
        watch->monitor_source = g_unix_fd_add(udev_monitor_get_fd(watch->monitor), G_IO_IN, on_device,
                                              watch);
}

struct watchdog_watch *watchdog_watch_new(const struct tn_env *env, watchdog_watch_func func, void *data)
{
        struct watchdog_watch *watch = g_new0(struct watchdog_watch, 1);

        *watch = (struct watchdog_watch){.env = env, .inotify_fd = -1, .func = func, .data = data};
        if (!env->recorded)
                listen_for_devices(watch);
        return watch;
}

static void forget_owner(struct watchdog_watch *watch)
{
        g_clear_handle_id(&watch->close_source, g_source_remove);
        g_clear_handle_id(&watch->grace_source, g_source_remove);
        tn_fd_close(&watch->inotify_fd);
}

void watchdog_watch_free(struct watchdog_watch *watch)
{
        if (!watch)
                return;
        forget_owner(watch);
        g_clear_handle_id(&watch->monitor_source, g_source_remove);
        udev_monitor_unref(watch->monitor);
        udev_unref(watch->udev);
        g_free(watch);
}

static gboolean on_grace_over(void *data)
{
        struct watchdog_watch *watch = data;

        watch->grace_source = 0;
        watch->func(watch->data);
        return G_SOURCE_REMOVE;
}

static gboolean on_closed(int fd, GIOCondition condition, void *data)
{
        struct watchdog_watch *watch = data;

        forget_owner(watch);
        watch->grace_source = g_timeout_add_seconds(GRACE_SECONDS, on_grace_over, watch);
        return G_SOURCE_REMOVE;
}

void watchdog_watch_owner(struct watchdog_watch *watch, const char *device)
{
        g_autofree char *node = device ? g_strdup_printf("/dev/%s", device) : NULL;

        forget_owner(watch);
        if (!node || watch->env->recorded)
                return;
        watch->inotify_fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
        if (watch->inotify_fd < 0 ||
            inotify_add_watch(watch->inotify_fd, node, IN_CLOSE | IN_DELETE_SELF) < 0) {
                tn_fd_close(&watch->inotify_fd);
                return;
        }
        /* Most programs open the first device by its older node. */
        if (g_str_equal(device, "watchdog0"))
                (void) inotify_add_watch(watch->inotify_fd, "/dev/watchdog", IN_CLOSE);
        watch->close_source = g_unix_fd_add(watch->inotify_fd, G_IO_IN, on_closed, watch);
}
