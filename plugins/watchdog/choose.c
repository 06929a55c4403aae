/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* Which device is armed, and with which timeout. Pure: what sysfs said goes in, a decision comes out. */
#include "plugins/watchdog/device.h"

#include <string.h>

#include "lib/error.h"

static bool is_named(const struct watchdog_device *device, const char *wanted)
{
        if (g_str_has_prefix(wanted, "/dev/"))
                wanted += strlen("/dev/");
        return g_strcmp0(device->name, wanted) == 0 || g_strcmp0(device->identity, wanted) == 0 ||
               (device->driver && g_str_equal(device->driver->module, wanted));
}

static bool is_better(const struct watchdog_device *device, const struct watchdog_device *than)
{
        return !than || watchdog_driver_rank(device->driver) < watchdog_driver_rank(than->driver);
}

static const struct watchdog_device *choose_named(const GPtrArray *devices, const char *wanted,
                                                  char **ret_why)
{
        const char *doubt = NULL;

        for (guint i = 0; i < devices->len; i++) {
                const struct watchdog_device *device = g_ptr_array_index(devices, i);

                if (!is_named(device, wanted))
                        continue;
                if (device->name)
                        return device;
                doubt = device->doubt;
        }
        *ret_why = doubt ? g_strdup_printf("%s: %s", wanted, doubt)
                         : g_strdup_printf("device=%s: there is no such watchdog; is its module loaded?",
                                           wanted);
        return NULL;
}

const struct watchdog_device *watchdog_devices_choose(const GPtrArray *devices, const char *wanted,
                                                      bool on_purpose, char **ret_why)
{
        const struct watchdog_device *best = NULL, *passed = NULL;

        if (wanted)
                return choose_named(devices, wanted, ret_why);
        for (guint i = 0; i < devices->len; i++) {
                const struct watchdog_device *device = g_ptr_array_index(devices, i);
                const struct watchdog_driver *driver = device->driver;

                if (!device->name || device->doubt || (driver && driver->by_name_only) ||
                    (on_purpose && !(driver && driver->on_purpose)))
                        passed = is_better(device, passed) ? device : passed;
                else if (is_better(device, best))
                        best = device;
        }
        if (best)
                return best;
        if (!passed)
                *ret_why = g_strdup("no watchdog device; its module may not be loaded");
        else if (passed->doubt)
                *ret_why = g_strdup_printf("%s: %s", passed->identity, passed->doubt);
        else
                *ret_why = g_strdup_printf(
                        "%s (%s) is not armed without being asked for: %s; set mode=own or device=",
                        passed->name, passed->identity,
                        passed->driver ? passed->driver->why : "a driver that Tenon does not know");
        return NULL;
}

bool watchdog_device_timeout(const struct watchdog_device *device, unsigned wanted, unsigned *ret_seconds,
                             GError **error)
{
        const struct watchdog_driver *driver = device->driver;
        int64_t min = device->min > 0 ? device->min : driver ? driver->min_seconds : 0;
        int64_t max = device->max > 0 ? device->max : driver ? driver->max_seconds : 0;

        if (wanted == 0) {
                *ret_seconds = WATCHDOG_USUAL_SECONDS;
                if (max > 0 && *ret_seconds > max)
                        *ret_seconds = (unsigned) max;
                if (*ret_seconds < min)
                        *ret_seconds = (unsigned) min;
                return true;
        }
        if (wanted < min || (max > 0 && wanted > max))
                return tn_error_set(error, TN_ERROR_INVALID,
                                    "timeout-seconds=%u in [watchdog]: %s (%s) takes %" G_GINT64_FORMAT
                                    " to %" G_GINT64_FORMAT " seconds",
                                    wanted, device->name, device->identity, min, max);
        *ret_seconds = wanted;
        return true;
}
