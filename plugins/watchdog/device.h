/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * Watchdog devices as sysfs shows them. Nothing is opened here, for opening a watchdog arms it.
 */
#pragma once

#include <glib.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "plugins/watchdog/drivers.h"

struct tn_env;

#define WATCHDOG_UNTOLD (-1) /* in place of a number that the driver does not tell */

struct watchdog_device {
        char *name;     /* "watchdog0", the node in /dev; NULL: present, but without a node */
        char *identity; /* or NULL */
        const struct watchdog_driver *driver; /* NULL: not in the table */
        bool active;                          /* somebody has armed it */
        bool nowayout;                        /* cannot be disarmed once armed */
        int64_t timeout, timeleft, pretimeout,
                bootstatus;         /* seconds, but for the last, or WATCHDOG_UNTOLD */
        int64_t min, max;           /* limits of the timeout, or WATCHDOG_UNTOLD */
        char *governor, *governors; /* of the pretimeout; or NULL */
        char *doubt;                /* why it would probably never reset this machine; or NULL */
};

/* All of them, struct watchdog_device. Never NULL. */
GPtrArray *watchdog_devices_read(const struct tn_env *env);
/* By the name of the node, or NULL. */
const struct watchdog_device *watchdog_devices_find(const GPtrArray *devices, const char *name);
/* With @volatile_too also what changes by itself (timeleft). New reference. */
json_t *watchdog_devices_to_json(const GPtrArray *devices, bool volatile_too);

/*
 * The one to arm, or NULL with the reason in *ret_why (g_free()). @wanted names one by node, driver or
 * identity; NULL: the best. With @on_purpose only one that the host has put there for this purpose.
 */
const struct watchdog_device *watchdog_devices_choose(const GPtrArray *devices, const char *wanted,
                                                      bool on_purpose, char **ret_why);
/* The timeout to set: @wanted, or the usual one when that is 0. False: outside of what the device takes. */
bool watchdog_device_timeout(const struct watchdog_device *device, unsigned wanted, unsigned *ret_seconds,
                             GError **error);

#define WATCHDOG_USUAL_SECONDS 60
