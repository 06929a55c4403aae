/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * Pressure stall information: the share of the last 10 s in which tasks waited for memory or for I/O
 * (Documentation/accounting/psi.rst). Where the kernel lets us, it wakes us at the lower limit, and nothing
 * is read while all is well. In older kernels that takes CAP_SYS_RESOURCE, which the agent's sandbox has
 * not; then the file is read in the check's interval. Windows of 2 s are the ones that need no privilege.
 */
#include <errno.h>
#include <fcntl.h>
#include <glib-unix.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/env.h"
#include "lib/fd.h"
#include "plugins/health/check.h"
#include "plugins/health/measures.h"

#define WINDOW_USEC 2000000

struct trigger {
        int fd;
        guint source;
};

bool health_parse_pressure(const char *text, const char *stall, double *ret_percent)
{
        g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
        double percent;

        for (size_t i = 0; lines[i]; i++)
                if (g_str_has_prefix(lines[i], stall) &&
                    sscanf(lines[i] + strlen(stall), " avg10=%lf", &percent) == 1) {
                        *ret_percent = percent;
                        return true;
                }
        return false;
}

static const char *path_of(const struct health_check *check)
{
        return check->type == &health_type_io_pressure ? "proc/pressure/io" : "proc/pressure/memory";
}

static const char *stall_of(const struct health_check *check)
{
        const char *stall = health_check_setting(check, "stall");

        return stall ? stall : "some";
}

static gboolean on_pressure(int fd, GIOCondition condition, void *data)
{
        struct health_check *check = data;
        struct trigger *trigger = check->own;

        (void) fd;
        if (condition & (G_IO_ERR | G_IO_NVAL)) { /* from now on it is read */
                trigger->source = 0;
                health_check_look(check);
                return G_SOURCE_REMOVE;
        }
        health_check_look(check);
        return G_SOURCE_CONTINUE;
}

static int open_trigger(const struct health_check *check)
{
        double limit = check->warning > 0 ? check->warning : check->critical;
        g_autofree char *text = g_strdup_printf("%s %.0f %d", stall_of(check), limit / 100 * WINDOW_USEC,
                                                WINDOW_USEC);
        tn_autofd int fd = -1;

        if (check->host->env->recorded || limit <= 0)
                return -1;
        fd = tn_env_open(check->host->env, path_of(check), O_RDWR | O_NONBLOCK, NULL);
        if (fd < 0 || write(fd, text, strlen(text) + 1) < 0)
                return -1;
        return tn_fd_steal(&fd);
}

static void init(struct health_check *check)
{
        struct trigger *trigger = g_new0(struct trigger, 1);

        check->own = trigger;
        trigger->fd = open_trigger(check);
        if (trigger->fd >= 0)
                trigger->source = g_unix_fd_add(trigger->fd, G_IO_PRI | G_IO_ERR, on_pressure, check);
}

static void deinit(struct health_check *check)
{
        struct trigger *trigger = check->own;

        if (!trigger)
                return;
        g_clear_handle_id(&trigger->source, g_source_remove);
        tn_fd_close(&trigger->fd);
        g_free(trigger);
}

static bool watches(const struct health_check *check)
{
        const struct trigger *trigger = check->own;

        return trigger && trigger->source;
}

static void measure(struct health_check *check)
{
        g_autoptr(GError) error = NULL;
        g_autofree char *text = NULL;
        double percent;

        if (!tn_env_read(check->host->env, path_of(check), &text, NULL, &error))
                health_check_result(check, HEALTH_UNKNOWN,
                                    "%s; the kernel needs CONFIG_PSI, and psi=1 on its command line",
                                    error->message);
        else if (!health_parse_pressure(text, stall_of(check), &percent))
                health_check_result(check, HEALTH_UNKNOWN, "/%s has no line '%s'", path_of(check),
                                    stall_of(check));
        else
                health_check_value(check, percent, "%s waited for %s in %.0f %% of the last 10 s",
                                   g_str_equal(stall_of(check), "full") ? "all tasks" : "tasks",
                                   check->type == &health_type_io_pressure ? "I/O" : "memory", percent);
}

const struct health_type health_type_memory_pressure = {
        .name = "memory-pressure",
        .remedy = "look at what needs so much: top -o %MEM; or give the machine more memory",
        .unit = "%",
        .deadline_ms = 1000,
        .init = init,
        .deinit = deinit,
        .measure = measure,
        .watches = watches,
};

const struct health_type health_type_io_pressure = {
        .name = "io-pressure",
        .remedy = "look at what writes so much: iotop; or ask the host about its storage",
        .unit = "%",
        .deadline_ms = 1000,
        .init = init,
        .deinit = deinit,
        .measure = measure,
        .watches = watches,
};
