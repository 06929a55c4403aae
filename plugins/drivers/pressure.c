/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* A trigger on /proc/pressure/memory: written once, then polled for POLLPRI. */
#include "plugins/drivers/pressure.h"

#include <errno.h>
#include <fcntl.h>
#include <glib-unix.h>
#include <string.h>
#include <unistd.h>

#include "lib/error.h"
#include "lib/fd.h"

struct tn_pressure {
        int fd;
        guint source;
        void (*on_pressure)(void *data);
        void *data;
};

/* POLLERR: the kernel has taken the trigger away. */
static gboolean on_event(gint fd, GIOCondition condition, gpointer data)
{
        struct tn_pressure *pressure = data;

        (void) fd;
        if (condition & G_IO_ERR) {
                pressure->source = 0;
                return G_SOURCE_REMOVE;
        }
        pressure->on_pressure(pressure->data);
        return G_SOURCE_CONTINUE;
}

struct tn_pressure *tn_pressure_new(const struct tn_env *env, void (*on_pressure)(void *data), void *data,
                                    GError **error)
{
        tn_autofd int fd = tn_env_open(env, "proc/pressure/memory", O_RDWR | O_NONBLOCK, error);
        struct tn_pressure *pressure;

        if (fd < 0)
                return NULL;
        if (write(fd, TN_PRESSURE_TRIGGER, strlen(TN_PRESSURE_TRIGGER) + 1) < 0) {
                (void) tn_error_errno(error, errno, "set a trigger on /proc/pressure/memory");
                return NULL;
        }
        pressure = g_new0(struct tn_pressure, 1);
        pressure->fd = tn_fd_steal(&fd);
        pressure->on_pressure = on_pressure;
        pressure->data = data;
        pressure->source = g_unix_fd_add(pressure->fd, G_IO_PRI | G_IO_ERR, on_event, pressure);
        return pressure;
}

void tn_pressure_free(struct tn_pressure *pressure)
{
        if (!pressure)
                return;
        if (pressure->source)
                g_source_remove(pressure->source);
        close(pressure->fd);
        g_free(pressure);
}
