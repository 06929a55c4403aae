/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* The watchdog's beat is a plain timeout of the main loop: that the loop turns is its meaning. */
#include "agent/notify.h"

#include <glib.h>

#include "lib/rest.h"
#include "lib/systemd.h"

/* Where the plugin watchdog does the beating, only while the guest is healthy (mode=systemd), it must not be
 * done here, too. */
static gboolean on_beat(void *data)
{
        static bool rested;
        json_t *watchdog = tn_facts_get(data, "watchdog");

        /* On a slow machine the bus, a watchdog and more came after the first rest; and we are awake. */
        if (!rested) {
                rested = true;
                tn_rest();
        }
        if (!json_is_true(json_object_get(watchdog, "feeds-systemd")))
                (void) tn_systemd_notify("WATCHDOG=1", -1);
        return G_SOURCE_CONTINUE;
}

void tn_notify_ready(void)
{
        (void) tn_systemd_notify("READY=1\nSTATUS=Running", -1);
}

void tn_notify_start_beating(const struct tn_facts *facts)
{
        guint64 usec;

        if (!tn_systemd_watchdog(&usec))
                return;
        (void) tn_systemd_notify("WATCHDOG=1", -1);
        g_timeout_add_seconds((guint) CLAMP(usec / 2 / G_USEC_PER_SEC, 1, G_MAXINT), on_beat,
                              (void *) facts);
}

void tn_notify_reloading(void)
{
        (void) tn_systemd_notify("RELOADING=1", -1);
}

void tn_notify_stopping(void)
{
        (void) tn_systemd_notify("STOPPING=1", -1);
}
