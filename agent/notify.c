/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* sd_notify. The watchdog's beat is a plain timeout of the main loop: that the loop turns is its meaning. It
 * is the only periodic wakeup of an idle agent, twice in each WatchdogSec=. */
#include "agent/notify.h"

#include <glib.h>
#include <stdint.h>
#include <systemd/sd-daemon.h>

/* Where the plugin watchdog does the beating, only while the guest is healthy (mode=systemd), it must not be
 * done here, too. */
static gboolean on_beat(void *data)
{
        json_t *watchdog = tn_facts_get(data, "watchdog");

        if (!json_is_true(json_object_get(watchdog, "feeds-systemd")))
                (void) sd_notify(0, "WATCHDOG=1");
        return G_SOURCE_CONTINUE;
}

void tn_notify_ready(void)
{
        (void) sd_notify(0, "READY=1\nSTATUS=Running");
}

void tn_notify_start_beating(const struct tn_facts *facts)
{
        uint64_t usec;

        if (sd_watchdog_enabled(0, &usec) > 0) {
                (void) sd_notify(0, "WATCHDOG=1");
                g_timeout_add_seconds((guint) MAX(usec / 2 / G_USEC_PER_SEC, 1), on_beat, (void *) facts);
        }
}

void tn_notify_reloading(void)
{
        (void) sd_notify(0, "RELOADING=1");
}

void tn_notify_stopping(void)
{
        (void) sd_notify(0, "STOPPING=1");
}
