/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* Text to numbers; the agent has checked every one of them against its table. */
#include "plugins/watchdog/settings.h"

static const char *const mode_names[] = {
        [WATCHDOG_MODE_AUTO] = "auto",       [WATCHDOG_MODE_OWN] = "own",
        [WATCHDOG_MODE_SYSTEMD] = "systemd", [WATCHDOG_MODE_OFF] = "off",
        [WATCHDOG_MODE_REFUSED] = "refused",
};

static unsigned number(struct tenon_host *host, const char *key)
{
        const char *text = host->config(host, "watchdog", key);

        return text ? (unsigned) g_ascii_strtoull(text, NULL, 10) : 0;
}

void watchdog_settings_read(struct watchdog_settings *settings, struct tenon_host *host)
{
        const char *mode = host->config(host, "watchdog", "mode");

        *settings = (struct watchdog_settings){
                .mode = WATCHDOG_MODE_OFF,
                .device = host->config(host, "watchdog", "device"),
                .timeout = number(host, "timeout-seconds"),
                .pretimeout = number(host, "pretimeout-seconds"),
                .clean_reboot = g_strcmp0(host->config(host, "watchdog", "action"), "reboot") == 0,
                .brake_resets = number(host, "brake-resets"),
                .brake_minutes = number(host, "brake-minutes"),
        };
        for (size_t i = 0; i < G_N_ELEMENTS(mode_names); i++)
                if (g_strcmp0(mode, mode_names[i]) == 0)
                        settings->mode = (enum watchdog_mode) i;
}

const char *watchdog_settings_mode_name(enum watchdog_mode mode)
{
        return mode_names[mode];
}
