/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * Records what the inventory reads. The surprising thing: names may be secrets. An interface can be called
 * after its MAC address, and Azure makes the name of a vmbus device out of one; both get numbers instead.
 */
#define _GNU_SOURCE
#include "pvdrivers/device-record.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "detect/machine.h"
#include "detect/record.h"
#include "lib/error.h"
#include "lib/fd.h"
#include "pvdrivers/catalogue.h"
#include "pvdrivers/device.h"
#include "pvdrivers/kernel-record.h"

#define GUID_LEN 36

struct recording {
        const struct tn_env *env;
        int root_fd;
        GHashTable *aliases; /* a name that is a secret → what stands for it */
        GError **error;
};

static bool is_mac_name(const char *name)
{
        return strlen(name) == 15 && g_str_has_prefix(name, "enx") &&
               strspn(name + 3, G_CSET_DIGITS "abcdef") == 12;
}

static bool is_guid(const char *name)
{
        return strlen(name) == GUID_LEN && strspn(name, G_CSET_DIGITS "abcdefABCDEF-") == GUID_LEN;
}

/* @text, which is a path, with other names in place of the secrets. */
static char *clean(const struct recording *recording, const char *text)
{
        g_auto(GStrv) parts = g_strsplit(text, "/", -1);

        for (size_t i = 0; parts[i]; i++) {
                const char *other = g_hash_table_lookup(recording->aliases, parts[i]);

                if (!other)
                        continue;
                g_free(parts[i]);
                parts[i] = g_strdup(other);
        }
        return g_strjoinv("/", parts);
}

static void add_alias(struct recording *recording, const char *name)
{
        guint number = g_hash_table_size(recording->aliases);

        if (is_mac_name(name))
                g_hash_table_insert(recording->aliases, g_strdup(name), g_strdup_printf("enx%012x", number));
        else if (is_guid(name))
                g_hash_table_insert(recording->aliases, g_strdup(name),
                                    g_strdup_printf("00000000-0000-0000-0000-%012x", number));
}

/* File or link at @path; one that is there already stays. Text for a file, else target of a link. */
static bool put(const struct recording *recording, const char *path, const char *text, const char *target)
{
        g_autofree char *cleaned = clean(recording, path), *folder = g_path_get_dirname(cleaned);
        g_autofree char *name = g_path_get_basename(cleaned);
        g_autofree char *to = target ? clean(recording, target) : NULL;
        tn_autofd int fd = tn_record_directories(recording->root_fd, folder, recording->error);

        if (fd < 0)
                return false;
        if (faccessat(fd, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
                return true;
        if (!to)
                return tn_record_write(fd, name, text, strlen(text), recording->error);
        return symlinkat(to, fd, name) == 0 ||
               tn_error_errno(recording->error, errno, "create the link %s", cleaned);
}

static bool put_attribute(const struct recording *recording, const char *folder, const char *name)
{
        g_autofree char *path = g_strdup_printf("%s/%s", folder, name);
        g_autofree char *line = tn_env_read_line(recording->env, path);
        g_autofree char *text = g_strdup_printf("%s\n", line);

        return !line || put(recording, path, text, NULL);
}

static bool put_link(const struct recording *recording, const char *path)
{
        g_autofree char *target = tn_env_readlink(recording->env, path);

        return !target || put(recording, path, NULL, target);
}

/* sys/bus/BUS/drivers/DRIVER/module says to which module a driver belongs. */
static bool put_driver(const struct recording *recording, const struct tn_device *device)
{
        g_autofree char *link = g_strdup_printf("sys/%s/driver", device->path);
        g_autofree char *module = g_strdup_printf("sys/bus/%s/drivers/%s/module", device->bus,
                                                  device->driver);

        return !device->driver || (put_link(recording, link) && put_link(recording, module));
}

/* Detection makes a folder of a device's name where sysfs has a link. */
static bool is_folder(const struct recording *recording, const char *path)
{
        g_autofree char *cleaned = clean(recording, path);
        struct stat st;

        return fstatat(recording->root_fd, cleaned, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(st.st_mode);
}

static bool put_device(const struct recording *recording, const struct tn_device *device)
{
        g_autofree char *folder = g_strdup_printf("sys/%s", device->path);
        g_autofree char *link = g_strdup_printf("sys/bus/%s/devices/%s", device->bus, device->name);

        if (!put_link(recording, link) || !put_attribute(recording, folder, "modalias"))
                return false;
        if (is_folder(recording, link) && !put_attribute(recording, link, "modalias"))
                return false;
        return put_driver(recording, device);
}

/* Of the vendor, which is what vmw_balloon is found by, and of nothing else that is in DMI's alias. */
static bool put_dmi(const struct recording *recording, const struct tn_device *device)
{
        const char *vendor = strstr(device->modalias, ":svn");
        g_autofree char *path = g_strdup_printf("sys/%s/modalias", device->path), *text = NULL;

        if (!vendor)
                return true;
        text = g_strdup_printf("dmi:bvn%.*s:pn:\n", (int) strcspn(vendor + 1, ":") + 1, vendor);
        return put(recording, path, text, NULL);
}

/* The firmware's and the board's own devices only where a driver of the catalogue wants them. */
static bool wanted(const struct tn_catalogue *catalogue, const struct tn_device *device)
{
        bool board = g_str_equal(device->bus, "acpi") || g_str_equal(device->bus, "platform");

        return device->modalias && (!board || tn_catalogue_match(catalogue, device->modalias));
}

static bool put_class(const struct recording *recording, const char *class)
{
        g_autofree char *folder = g_strdup_printf("sys/class/%s", class);
        g_auto(GStrv) names = tn_env_list(recording->env, folder);

        for (size_t i = 0; names && names[i] && i < TN_DEVICES_MAX; i++) {
                g_autofree char *path = g_strdup_printf("%s/%s", folder, names[i]);
                g_autofree char *leaf = tn_device_leaf_path(recording->env, class, names[i]);
                g_autofree char *target = g_strdup_printf("../../%s", leaf);

                if (leaf && !put(recording, path, NULL, target))
                        return false;
        }
        return true;
}

static void collect_aliases(struct recording *recording, const GPtrArray *devices)
{
        g_auto(GStrv) interfaces = tn_env_list(recording->env, "sys/class/net");

        for (guint i = 0; i < devices->len; i++)
                add_alias(recording, ((struct tn_device *) devices->pdata[i])->name);
        for (size_t i = 0; interfaces && interfaces[i]; i++)
                add_alias(recording, interfaces[i]);
}

static bool record_devices(struct recording *recording, const GPtrArray *devices)
{
        g_autoptr(tn_catalogue_t) catalogue = tn_catalogue_new(recording->env, NULL);

        collect_aliases(recording, devices);
        for (guint i = 0; i < devices->len; i++) {
                const struct tn_device *device = devices->pdata[i];

                if (!wanted(catalogue, device))
                        continue;
                if (g_str_equal(device->bus, "dmi") ? !put_dmi(recording, device)
                                                    : !put_device(recording, device))
                        return false;
        }
        return put_class(recording, "net") && put_class(recording, "block") &&
               put_attribute(recording, "sys/kernel/security", "lockdown") &&
               put_attribute(recording, "sys/module/module/parameters", "sig_enforce");
}

bool tn_device_record(const struct tn_env *env, const char *dir, GError **error)
{
        g_autofree char *root = g_build_filename(dir, "root", NULL);
        g_autoptr(GPtrArray) devices = tn_device_list(env);
        struct recording recording = {.env = env, .error = error};
        tn_autofd int fd = -1;
        bool ok;

        if (!tn_machine_record(env, dir, error))
                return false;
        fd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (fd < 0)
                return tn_error_errno(error, errno, "open the directory %s", root);
        recording.root_fd = fd;
        recording.aliases = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
        ok = record_devices(&recording, devices) && tn_kernel_record(env, devices, fd, error);
        g_hash_table_unref(recording.aliases);
        return ok;
}
