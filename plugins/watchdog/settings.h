/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* The group [watchdog] of tenond.conf, read once at the start. */
#pragma once

#include <stdbool.h>

#include "tenon/plugin.h"

enum watchdog_mode {
        WATCHDOG_MODE_AUTO,
        WATCHDOG_MODE_OWN,
        WATCHDOG_MODE_SYSTEMD,
        WATCHDOG_MODE_OFF,
        WATCHDOG_MODE_REFUSED, /* there is a mistake in the group: neither armed nor disarmed */
};

struct watchdog_settings {
        enum watchdog_mode mode;
        const char *device;  /* NULL: the best; borrowed */
        unsigned timeout;    /* seconds; 0: the usual */
        unsigned pretimeout; /* seconds; 0: none */
        bool clean_reboot;   /* a reboot is tried before feeding stops */
        unsigned brake_resets, brake_minutes;
};

void watchdog_settings_read(struct watchdog_settings *settings, struct tenon_host *host);
/* "auto", … Static. */
const char *watchdog_settings_mode_name(enum watchdog_mode mode);
