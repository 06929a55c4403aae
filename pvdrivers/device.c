/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * Walks sys/bus. What hangs on a device is found from the other end: the links in sys/class/net and
 * sys/class/block lead through the device's folder. It belongs to the innermost one: a virtio disk to the
 * virtio device, not to the PCI function that this sits on.
 */
#include "pvdrivers/device.h"

#include <string.h>

static const char *const buses[] = {"pci", "virtio", "vmbus", "xen", "acpi", "platform", "usb"};

/* Name → where its device is, below sys/. */
struct leaf {
        char *name, *path;
};

static void free_leaf(void *data)
{
        struct leaf *leaf = data;

        g_free(leaf->name);
        g_free(leaf->path);
        g_free(leaf);
}

static void free_device(void *data)
{
        struct tn_device *device = data;

        g_free(device->name);
        g_free(device->path);
        g_free(device->modalias);
        g_free(device->driver);
        g_free(device->module);
        g_ptr_array_unref(device->interfaces);
        g_ptr_array_unref(device->disks);
        g_free(device);
}

/* Target of a link of sysfs without the "../" that it begins with. */
static char *link_path(const struct tn_env *env, const char *link)
{
        g_autofree char *target = tn_env_readlink(env, link);
        const char *p = target;

        while (p && g_str_has_prefix(p, "../"))
                p += strlen("../");
        return g_strdup(p);
}

/* sda1 is in the folder of sda, which is a block device as well. */
static bool is_partition(const struct tn_env *env, const char *path)
{
        g_autofree char *above = g_path_get_dirname(path), *name = g_path_get_basename(above);
        g_autofree char *link = g_strdup_printf("sys/class/block/%s", name);
        g_autofree char *target = tn_env_readlink(env, link);

        return target != NULL;
}

/* NVMe disks with several paths are made by software, in a folder with a link to each of their controllers.
 */
static char *nvme_path(const struct tn_env *env, const char *path)
{
        g_autofree char *folder = g_path_get_dirname(path), *full = g_strdup_printf("sys/%s", folder);
        g_autofree char *disk = g_path_get_basename(path);
        g_auto(GStrv) names = tn_env_list(env, full);

        for (size_t i = 0; names && names[i]; i++) {
                g_autofree char *link = g_strdup_printf("%s/%s", full, names[i]);
                g_autofree char *controller = g_str_has_prefix(names[i], "nvme") ? link_path(env, link)
                                                                                 : NULL;

                if (controller)
                        return g_strdup_printf("devices/%s/%s", controller, disk);
        }
        return NULL;
}

char *tn_device_leaf_path(const struct tn_env *env, const char *class, const char *name)
{
        g_autofree char *link = g_strdup_printf("sys/class/%s/%s", class, name);
        g_autofree char *path = link_path(env, link);
        bool is_disk = g_str_equal(class, "block");

        if (path && is_disk && strstr(path, "/virtual/nvme-subsystem/"))
                return nvme_path(env, path);
        if (!path || strstr(path, "/virtual/"))
                return NULL;
        /* nvme0c0n1 is one path of nvme0n1. */
        if (is_disk && (g_str_has_prefix(name, "sr") || g_str_has_prefix(name, "fd") ||
                        (g_str_has_prefix(name, "nvme") && strchr(name, 'c')) || is_partition(env, path)))
                return NULL;
        return g_steal_pointer(&path);
}

static GPtrArray *read_class(const struct tn_env *env, const char *class)
{
        GPtrArray *leaves = g_ptr_array_new_with_free_func(free_leaf);
        g_autofree char *folder = g_strdup_printf("sys/class/%s", class);
        g_auto(GStrv) names = tn_env_list(env, folder);

        for (size_t i = 0; names && names[i] && leaves->len < TN_DEVICES_MAX; i++) {
                g_autofree char *path = tn_device_leaf_path(env, class, names[i]);
                struct leaf *leaf;

                if (!path)
                        continue;
                leaf = g_new0(struct leaf, 1);
                leaf->name = g_strdup(names[i]);
                leaf->path = g_steal_pointer(&path);
                g_ptr_array_add(leaves, leaf);
        }
        return leaves;
}

/* The innermost device whose folder @path is in, but not @self; or NULL. */
static struct tn_device *find_above(const GPtrArray *devices, const char *path, const struct tn_device *self)
{
        struct tn_device *best = NULL;
        size_t best_len = 0;

        for (guint i = 0; i < devices->len; i++) {
                struct tn_device *device = devices->pdata[i];
                size_t len = strlen(device->path);

                if (device != self && len > best_len && g_str_has_prefix(path, device->path) &&
                    path[len] == '/') {
                        best = device;
                        best_len = len;
                }
        }
        return best;
}

static void give_leaves(const GPtrArray *devices, const GPtrArray *leaves, bool are_disks)
{
        for (guint i = 0; i < leaves->len; i++) {
                const struct leaf *leaf = leaves->pdata[i];
                struct tn_device *device = find_above(devices, leaf->path, NULL);

                if (device)
                        g_ptr_array_add(are_disks ? device->disks : device->interfaces,
                                        g_strdup(leaf->name));
        }
}

static char *attribute(const struct tn_env *env, const struct tn_device *device, const char *name)
{
        g_autofree char *path = g_strdup_printf("sys/%s/%s", device->path, name);

        return tn_env_read_line(env, path);
}

static char *attribute_link(const struct tn_env *env, const struct tn_device *device, const char *name)
{
        g_autofree char *path = g_strdup_printf("sys/%s/%s", device->path, name);

        return tn_env_readlink_name(env, path);
}

/* Takes @path. */
static struct tn_device *new_device(const struct tn_env *env, const char *bus, const char *name, char *path)
{
        struct tn_device *device = g_new0(struct tn_device, 1);

        device->bus = bus;
        device->name = g_strdup(name);
        device->path = path;
        device->interfaces = g_ptr_array_new_with_free_func(g_free);
        device->disks = g_ptr_array_new_with_free_func(g_free);
        device->modalias = attribute(env, device, "modalias");
        device->driver = attribute_link(env, device, "driver");
        device->module = attribute_link(env, device, "driver/module");
        if (!device->module && device->driver) {
                g_autofree char *link = g_strdup_printf("sys/bus/%s/drivers/%s/module", bus, device->driver);

                device->module = tn_env_readlink_name(env, link);
        }
        return device;
}

/* Of USB only the interfaces of devices ("1-1:1.0") have drivers of interest; a hub is a part of its host.
 */
static bool of_interest(const char *bus, const char *name)
{
        return !g_str_equal(bus, "usb") || strchr(name, ':') != NULL;
}

static void add_bus(const struct tn_env *env, const char *bus, GPtrArray *devices)
{
        g_autofree char *folder = g_strdup_printf("sys/bus/%s/devices", bus);
        g_auto(GStrv) names = tn_env_list(env, folder);

        for (size_t i = 0; names && names[i] && devices->len < TN_DEVICES_MAX; i++) {
                g_autofree char *link = g_strdup_printf("%s/%s", folder, names[i]);
                char *path = link_path(env, link);

                if (!of_interest(bus, names[i])) {
                        g_free(path);
                        continue;
                }
                if (!path) /* a folder in place of a link: not a sysfs, but as good */
                        path = g_strdup_printf("bus/%s/devices/%s", bus, names[i]);
                g_ptr_array_add(devices, new_device(env, bus, names[i], path));
        }
}

GPtrArray *tn_device_list(const struct tn_env *env)
{
        GPtrArray *devices = g_ptr_array_new_with_free_func(free_device);
        g_autoptr(GPtrArray) interfaces = read_class(env, "net"), disks = read_class(env, "block");

        for (size_t i = 0; i < G_N_ELEMENTS(buses); i++)
                add_bus(env, buses[i], devices);
        if (tn_env_exists(env, "sys/devices/virtual/dmi/id/modalias"))
                g_ptr_array_add(devices, new_device(env, "dmi", "id", g_strdup("devices/virtual/dmi/id")));
        for (guint i = 0; i < devices->len; i++) {
                struct tn_device *device = devices->pdata[i];

                device->parent = find_above(devices, device->path, device);
        }
        give_leaves(devices, interfaces, false);
        give_leaves(devices, disks, true);
        return devices;
}
