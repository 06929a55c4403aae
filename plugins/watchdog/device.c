/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * Reading sysfs. Two kinds of devices are not in the class "watchdog": ib700's driver is older than the
 * class, and an iTCO that its firmware has cut off from the reset line is a platform device that no driver
 * takes.
 */
#include "plugins/watchdog/device.h"

#include <stdio.h>
#include <string.h>

#include "lib/env.h"
#include "lib/json.h"

#define CLASS       "sys/class/watchdog"
#define PLATFORM    "sys/bus/platform"
#define DEVICES_MAX 32

static void device_free(void *data)
{
        struct watchdog_device *device = data;

        g_free(device->name);
        g_free(device->identity);
        g_free(device->governor);
        g_free(device->governors);
        g_free(device->doubt);
        g_free(device);
}

static char *text(const struct tn_env *env, const char *device, const char *attribute)
{
        g_autofree char *path = g_strdup_printf(CLASS "/%s/%s", device, attribute);

        return tn_env_read_line(env, path);
}

static int64_t number(const struct tn_env *env, const char *device, const char *attribute)
{
        g_autofree char *path = g_strdup_printf(CLASS "/%s/%s", device, attribute);
        int64_t value;

        return tn_env_read_int64(env, path, &value) && value >= 0 ? value : WATCHDOG_UNTOLD;
}

/*
 * Whether QEMU's iTCO reaches the reset line is decided by a strap that the guest cannot read: the driver's
 * write to the register GCS succeeds either way. What can be seen is the version of the machine type, and
 * with it the strap's default (hw/i386/pc.c: noreboot=true before 8.0).
 */
static char *tco_doubt(const struct tn_env *env)
{
        g_autofree char *version = tn_env_read_line(env, "sys/class/dmi/id/product_version");
        unsigned major, minor;

        if (!version || sscanf(version, "pc-q35-%u.%u", &major, &minor) != 2 || major >= 8)
                return NULL;
        return g_strdup_printf(
                "present, but on machine type %s the host's strap disables it unless it was set to "
                "ICH9-LPC.noreboot=false, which a guest cannot see; tenonctl watchdog test tells",
                version);
}

static struct watchdog_device *read_one(const struct tn_env *env, const char *name)
{
        struct watchdog_device *device = g_new0(struct watchdog_device, 1);
        g_autofree char *state = text(env, name, "state");

        device->name = g_strdup(name);
        device->identity = text(env, name, "identity");
        device->driver = watchdog_driver_find(device->identity);
        device->active = g_strcmp0(state, "active") == 0;
        device->nowayout = number(env, name, "nowayout") == 1;
        device->timeout = number(env, name, "timeout");
        device->timeleft = number(env, name, "timeleft");
        device->pretimeout = number(env, name, "pretimeout");
        device->bootstatus = number(env, name, "bootstatus");
        device->min = number(env, name, "min_timeout");
        device->max = number(env, name, "max_timeout");
        device->governor = text(env, name, "pretimeout_governor");
        device->governors = text(env, name, "pretimeout_available_governors");
        if (device->driver && g_str_equal(device->driver->module, "iTCO_wdt"))
                device->doubt = tco_doubt(env);
        return device;
}

static struct watchdog_device *outside_class(const char *node, const char *identity, const char *doubt)
{
        struct watchdog_device *device = g_new0(struct watchdog_device, 1);

        *device = (struct watchdog_device){
                .name = g_strdup(node),
                .identity = g_strdup(identity),
                .driver = watchdog_driver_find(identity),
                .timeout = WATCHDOG_UNTOLD,
                .timeleft = WATCHDOG_UNTOLD,
                .pretimeout = WATCHDOG_UNTOLD,
                .bootstatus = WATCHDOG_UNTOLD,
                .min = WATCHDOG_UNTOLD,
                .max = WATCHDOG_UNTOLD,
                .doubt = g_strdup(doubt),
        };
        return device;
}

static void add_ib700(const struct tn_env *env, GPtrArray *devices)
{
        if (tn_env_exists(env, PLATFORM "/drivers/ib700wdt/ib700wdt") && tn_env_exists(env, "dev/watchdog"))
                g_ptr_array_add(devices, outside_class("watchdog", "IB700 WDT", NULL));
}

static void add_refused_tco(const struct tn_env *env, GPtrArray *devices)
{
        g_auto(GStrv) names = tn_env_list(env, PLATFORM "/devices");

        if (!tn_env_exists(env, "sys/module/iTCO_wdt"))
                return;
        for (size_t i = 0; names && names[i]; i++) {
                g_autofree char *driver = g_strdup_printf(PLATFORM "/devices/%s/driver", names[i]);

                if (g_str_has_prefix(names[i], "iTCO_wdt") && !tn_env_exists(env, driver))
                        g_ptr_array_add(
                                devices,
                                outside_class(NULL, "iTCO_wdt",
                                              "present, but the host's strap disables it: the driver could "
                                              "not clear NO_REBOOT"));
        }
}

GPtrArray *watchdog_devices_read(const struct tn_env *env)
{
        GPtrArray *devices = g_ptr_array_new_with_free_func(device_free);
        g_auto(GStrv) names = tn_env_list(env, CLASS);

        for (size_t i = 0; names && names[i] && i < DEVICES_MAX; i++)
                g_ptr_array_add(devices, read_one(env, names[i]));
        add_ib700(env, devices);
        add_refused_tco(env, devices);
        return devices;
}

const struct watchdog_device *watchdog_devices_find(const GPtrArray *devices, const char *name)
{
        for (guint i = 0; name && i < devices->len; i++) {
                const struct watchdog_device *device = g_ptr_array_index(devices, i);

                if (g_strcmp0(device->name, name) == 0)
                        return device;
        }
        return NULL;
}

static void set_number(json_t *row, const char *key, int64_t value)
{
        if (value != WATCHDOG_UNTOLD)
                json_object_set_new(row, key, json_integer(value));
}

static json_t *to_json(const struct watchdog_device *device, bool volatile_too)
{
        json_t *row = json_object();

        tn_json_set_text(row, "device", device->name);
        tn_json_set_text(row, "driver", device->driver ? device->driver->module : NULL);
        tn_json_set_text(row, "identity", device->identity);
        if (device->timeout != WATCHDOG_UNTOLD)
                json_object_set_new(row, "state", json_string(device->active ? "active" : "inactive"));
        set_number(row, "timeout", device->timeout);
        set_number(row, "min-timeout", device->min > 0 ? device->min : WATCHDOG_UNTOLD);
        set_number(row, "max-timeout", device->max > 0 ? device->max : WATCHDOG_UNTOLD);
        set_number(row, "pretimeout", device->pretimeout);
        tn_json_set_text(row, "pretimeout-governor", device->governor);
        set_number(row, "bootstatus", device->bootstatus);
        if (volatile_too)
                set_number(row, "timeleft", device->active ? device->timeleft : WATCHDOG_UNTOLD);
        if (device->nowayout)
                json_object_set_new(row, "nowayout", json_true());
        tn_json_set_text(row, "why",
                         device->driver ? device->driver->why : "a driver that Tenon does not know");
        tn_json_set_text(row, "doubt", device->doubt);
        return row;
}

json_t *watchdog_devices_to_json(const GPtrArray *devices, bool volatile_too)
{
        json_t *list = json_array();

        for (guint i = 0; i < devices->len; i++)
                json_array_append_new(list, to_json(g_ptr_array_index(devices, i), volatile_too));
        return list;
}
