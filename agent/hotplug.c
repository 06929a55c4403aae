/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * Device events. With udevd running we listen to what udevd has finished with, so that its symbolic links
 * are there; without it (a micro guest) to the kernel's own events, where devtmpfs has the node already.
 */
#include "agent/hotplug.h"

#include <glib-unix.h>
#include <libudev.h>

/* The filter runs in the kernel: other subsystems' events do not even wake us. */
static const char *const subsystems[] = {"virtio-ports", "virtio", "vmbus", "xen", "ptp", "watchdog"};

struct tn_hotplug {
        struct udev *udev;
        struct udev_monitor *monitor;
        guint source;
        tn_hotplug_func func;
        void *data;
};

static gboolean on_event(int fd, GIOCondition condition, void *data)
{
        struct tn_hotplug *hotplug = data;
        struct udev_device *device = udev_monitor_receive_device(hotplug->monitor);
        const char *action;

        (void) fd;
        (void) condition;
        if (!device)
                return G_SOURCE_CONTINUE;
        action = udev_device_get_action(device);
        /* "change" counts as coming: a virtio-serial port is added without its name, which the host tells a
         * moment later (virtio_console.c, handle_control_message). */
        if (action)
                hotplug->func(udev_device_get_subsystem(device), udev_device_get_sysname(device),
                              !g_str_equal(action, "remove"), hotplug->data);
        udev_device_unref(device);
        return G_SOURCE_CONTINUE;
}

struct tn_hotplug *tn_hotplug_new(const struct tn_env *env, tn_hotplug_func func, void *data)
{
        struct tn_hotplug *hotplug;
        bool udevd = tn_env_exists(env, "run/udev/control");

        if (env->recorded)
                return NULL;
        hotplug = g_new0(struct tn_hotplug, 1);
        hotplug->func = func;
        hotplug->data = data;
        hotplug->udev = udev_new();
        hotplug->monitor = hotplug->udev
                                   ? udev_monitor_new_from_netlink(hotplug->udev, udevd ? "udev" : "kernel")
                                   : NULL;
        if (!hotplug->monitor) {
                tn_hotplug_free(hotplug);
                return NULL;
        }
        for (size_t i = 0; i < G_N_ELEMENTS(subsystems); i++)
                udev_monitor_filter_add_match_subsystem_devtype(hotplug->monitor, subsystems[i], NULL);
        if (udev_monitor_enable_receiving(hotplug->monitor) < 0) {
                tn_hotplug_free(hotplug);
                return NULL;
        }
        hotplug->source = g_unix_fd_add(udev_monitor_get_fd(hotplug->monitor), G_IO_IN, on_event, hotplug);
        return hotplug;
}

void tn_hotplug_free(struct tn_hotplug *hotplug)
{
        if (!hotplug)
                return;
        g_clear_handle_id(&hotplug->source, g_source_remove);
        udev_monitor_unref(hotplug->monitor);
        udev_unref(hotplug->udev);
        g_free(hotplug);
}
