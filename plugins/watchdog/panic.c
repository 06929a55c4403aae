/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* Where pvpanic devices are: ISA (ACPI id QEMU0001) and PCI (1b36:0011). */
#include "plugins/watchdog/panic.h"

#include "lib/json.h"

#define PCI      "sys/bus/pci/devices"
#define PLATFORM "sys/bus/platform/devices"

/* Bits of include/uapi/misc/pvpanic.h. */
static const char *const bits[] = {"panicked", "crash-loaded", "shutdown"};

static void add_words(json_t *row, const struct tn_env *env, const char *folder, const char *attribute)
{
        g_autofree char *path = g_strdup_printf("%s/%s", folder, attribute);
        g_autofree char *text = tn_env_read_line(env, path);
        guint64 value;
        json_t *words;

        if (!text || !g_ascii_string_to_unsigned(text, 16, 0, G_MAXUINT32, &value, NULL))
                return;
        words = json_array();
        for (size_t i = 0; i < G_N_ELEMENTS(bits); i++)
                if (value & (1U << i))
                        json_array_append_new(words, json_string(bits[i]));
        json_object_set_new(row, attribute, words);
}

static void add_device(json_t *list, const struct tn_env *env, const char *bus, const char *name)
{
        g_autofree char *folder = g_strdup_printf("%s/%s", bus, name);
        g_autofree char *link = g_strdup_printf("%s/driver", folder);
        g_autofree char *driver = tn_env_readlink_name(env, link);
        json_t *row = json_object();

        json_object_set_new(row, "device", tn_json_text(name));
        json_object_set_new(row, "driver", tn_json_text(driver));
        add_words(row, env, folder, "capability");
        add_words(row, env, folder, "events");
        json_array_append_new(list, row);
}

static bool is_pci(const struct tn_env *env, const char *name)
{
        g_autofree char *vendor_path = g_strdup_printf(PCI "/%s/vendor", name);
        g_autofree char *device_path = g_strdup_printf(PCI "/%s/device", name);
        g_autofree char *vendor = tn_env_read_line(env, vendor_path);
        g_autofree char *device = tn_env_read_line(env, device_path);

        return g_strcmp0(vendor, "0x1b36") == 0 && g_strcmp0(device, "0x0011") == 0;
}

json_t *watchdog_panic_to_json(const struct tn_env *env)
{
        g_auto(GStrv) pci = tn_env_list(env, PCI), platform = tn_env_list(env, PLATFORM);
        json_t *list = json_array();

        for (size_t i = 0; pci && pci[i]; i++)
                if (is_pci(env, pci[i]))
                        add_device(list, env, PCI, pci[i]);
        for (size_t i = 0; platform && platform[i]; i++)
                if (g_str_has_prefix(platform[i], "QEMU0001"))
                        add_device(list, env, PLATFORM, platform[i]);
        return list;
}
