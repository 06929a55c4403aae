/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * The thin half of disk addresses: walks sysfs for disk-address.c. The surprising things: udev's database
 * is read as files, so that a recorded machine has serial numbers too; and with NVMe multipathing a
 * namespace hangs below a virtual subsystem, where links lead on to the controllers.
 */
#define _GNU_SOURCE /* O_PATH */
#include "plugins/guestinfo/block.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "lib/fd.h"
#include "plugins/guestinfo/disk-address.h"
#include "plugins/guestinfo/guestinfo.h"

#define STACK_MAX 16   /* devices above one another */
#define DISKS_MAX 1024 /* disks below one file system */

/* Target of the link @path as a path from the root, ".." resolved; NULL when it is no link. */
static char *resolve_link(const struct tn_env *env, const char *path)
{
        g_autofree char *target = tn_env_readlink(env, path);
        g_autofree char *directory = g_path_get_dirname(path);
        g_autofree char *base = g_strconcat("/", directory, NULL);
        g_autofree char *resolved = target ? g_canonicalize_filename(target, base) : NULL;

        return resolved ? g_strdup(resolved + 1) : NULL;
}

char *tn_block_find_number(const struct tn_env *env, dev_t number)
{
        g_autofree char *path = g_strdup_printf("sys/dev/block/%u:%u", major(number), minor(number));

        return resolve_link(env, path);
}

char *tn_block_find_name(const struct tn_env *env, const char *kernel_name)
{
        g_autofree char *path = g_strconcat("sys/class/block/", kernel_name, NULL);

        return resolve_link(env, path);
}

/* The device-mapper device called @name in /dev/mapper. */
static char *find_mapped(const struct tn_env *env, const char *name)
{
        g_auto(GStrv) devices = tn_env_list(env, "sys/class/block");

        for (size_t i = 0; devices && devices[i]; i++) {
                g_autofree char *path = g_strconcat("sys/class/block/", devices[i], "/dm/name", NULL);
                g_autofree char *found = NULL;

                if (!g_str_has_prefix(devices[i], "dm-"))
                        continue;
                found = tn_env_read_line(env, path);
                if (g_strcmp0(found, name) == 0)
                        return tn_block_find_name(env, devices[i]);
        }
        return NULL;
}

char *tn_block_find_node(const struct tn_env *env, const char *node)
{
        tn_autofd int fd = -1;
        g_autofree char *name = NULL;
        struct stat st;

        if (!g_str_has_prefix(node, "/dev/"))
                return NULL;
        fd = tn_env_open(env, node + 1, O_PATH, NULL); /* O_PATH: the device itself is not opened */
        if (fd >= 0 && fstat(fd, &st) == 0 && S_ISBLK(st.st_mode))
                return tn_block_find_number(env, st.st_rdev);
        if (g_str_has_prefix(node, "/dev/mapper/"))
                return find_mapped(env, node + strlen("/dev/mapper/"));
        name = g_strdelimit(g_strdup(node + strlen("/dev/")), "/", '!'); /* as sysfs writes "cciss/c0d0" */
        return tn_block_find_name(env, name);
}

char *tn_block_node(const char *syspath)
{
        g_autofree char *name = g_path_get_basename(syspath);

        return g_strconcat("/dev/", g_strdelimit(name, "!", '/'), NULL);
}

static bool is_partition(const struct tn_env *env, const char *syspath)
{
        g_autofree char *path = g_strconcat(syspath, "/partition", NULL);

        return tn_env_exists(env, path);
}

char **tn_block_slaves(const struct tn_env *env, const char *syspath)
{
        g_autofree char *directory = g_strconcat(syspath, "/slaves", NULL);
        g_auto(GStrv) names = tn_env_list(env, directory);
        g_autoptr(GPtrArray) paths = g_ptr_array_new();

        for (size_t i = 0; names && names[i]; i++) {
                g_autofree char *link = g_build_filename(directory, names[i], NULL);
                char *path = resolve_link(env, link);

                if (path)
                        g_ptr_array_add(paths, path);
        }
        g_ptr_array_add(paths, NULL);
        return (char **) g_ptr_array_free(g_steal_pointer(&paths), FALSE);
}

/* How many ATA ports of the same controller come before port @ata, in the order of their numbers. */
static int ata_place(const struct tn_env *env, const char *pci_path, int ata)
{
        g_auto(GStrv) names = tn_env_list(env, pci_path);
        int place = 0;

        for (size_t i = 0; names && names[i]; i++) {
                guint64 number;

                if (tn_guestinfo_numbered(names[i], "ata", &number) && (int) number < ata)
                        place++;
        }
        return place;
}

/* Path of a controller of the NVMe subsystem that @disk is a namespace of, or NULL. */
static char *nvme_controller(const struct tn_env *env, const char *disk)
{
        g_autofree char *subsystem = g_path_get_dirname(disk);
        g_auto(GStrv) names = strstr(disk, "/nvme-subsys") ? tn_env_list(env, subsystem) : NULL;

        for (size_t i = 0; names && names[i]; i++) {
                g_autofree char *link = g_build_filename(subsystem, names[i], NULL);
                guint64 number;
                char *path = tn_guestinfo_numbered(names[i], "nvme", &number) ? resolve_link(env, link)
                                                                              : NULL;

                if (path)
                        return path;
        }
        return NULL;
}

char *tn_block_nvme_controller(const struct tn_env *env, const char *syspath)
{
        g_autofree char *path = nvme_controller(env, syspath);
        g_autofree char *above = path ? g_steal_pointer(&path) : g_path_get_dirname(syspath);
        char *name = g_path_get_basename(above);
        guint64 number;

        if (tn_guestinfo_numbered(name, "nvme", &number))
                return name;
        g_free(name);
        return NULL;
}

static char *pci_driver(const struct tn_env *env, const char *pci_path)
{
        g_autofree char *link = g_strconcat(pci_path, "/driver", NULL);

        return tn_env_readlink_name(env, link);
}

/* E:ID_SERIAL= in the record that udev keeps of the device; NULL without udev. */
static char *udev_serial(const struct tn_env *env, const char *syspath)
{
        g_autofree char *number_path = g_strconcat(syspath, "/dev", NULL);
        g_autofree char *number = tn_env_read_line(env, number_path);
        g_autofree char *record_path = number ? g_strconcat("run/udev/data/b", number, NULL) : NULL;
        g_autofree char *record = NULL;
        g_auto(GStrv) lines = NULL;

        if (!record_path || !tn_env_read(env, record_path, &record, NULL, NULL))
                return NULL;
        lines = g_strsplit(record, "\n", -1);
        for (size_t i = 0; lines[i]; i++)
                if (g_str_has_prefix(lines[i], "E:ID_SERIAL="))
                        return g_strdup(lines[i] + strlen("E:ID_SERIAL="));
        return NULL;
}

static char *find_serial(const struct tn_env *env, const char *syspath, const char *disk)
{
        static const char *const files[] = {"serial", "device/serial"}; /* virtio; NVMe */
        char *serial = udev_serial(env, syspath);

        if (!serial)
                serial = udev_serial(env, disk);
        for (size_t i = 0; !serial && i < G_N_ELEMENTS(files); i++) {
                g_autofree char *path = g_build_filename(disk, files[i], NULL);

                serial = tn_env_read_line(env, path);
        }
        return serial;
}

/* The path says only "an MMC host"; the card says what it is. */
static bool is_sd_card(const struct tn_env *env, const char *disk)
{
        g_autofree char *path = g_strconcat(disk, "/device/type", NULL);
        g_autofree char *type = tn_env_read_line(env, path);

        return g_strcmp0(type, "SD") == 0;
}

static void read_place(const struct tn_env *env, const char *disk, struct tn_disk_address *ret)
{
        g_autofree char *controller = nvme_controller(env, disk);
        g_autofree char *driver = NULL;
        struct tn_disk_path path;
        int place = 0;

        tn_disk_address_init(&path, controller ? controller : disk);
        if (path.pci_path)
                driver = pci_driver(env, path.pci_path);
        if (path.pci_path && path.ata != TN_DISK_UNKNOWN)
                place = ata_place(env, path.pci_path, path.ata);
        tn_disk_address_finish(&path, driver, place);
        if (strcmp(path.address.bus_type, "mmc") == 0 && is_sd_card(env, disk))
                path.address.bus_type = "sd";
        *ret = path.address;
        tn_disk_address_deinit(&path);
}

json_t *tn_block_address(const struct tn_env *env, const char *syspath)
{
        g_autofree char *disk = is_partition(env, syspath) ? g_path_get_dirname(syspath) : g_strdup(syspath);
        g_autofree char *serial = find_serial(env, syspath, disk);
        g_autofree char *node = tn_block_node(syspath);
        struct tn_disk_address address;

        read_place(env, disk, &address);
        return tn_disk_address_json(&address, serial, node);
}

static bool append(const struct tn_env *env, const char *syspath, GHashTable *seen, int depth, json_t *list)
{
        g_autofree char *disk = is_partition(env, syspath) ? g_path_get_dirname(syspath) : g_strdup(syspath);
        g_auto(GStrv) slaves = NULL;
        bool steady;

        if (depth > STACK_MAX || json_array_size(list) >= DISKS_MAX ||
            !g_hash_table_add(seen, g_strdup(syspath)))
                return true;
        slaves = tn_block_slaves(env, disk); /* a partition may be of a RAID */
        steady = !slaves[0] || strstr(disk, "/dm-");
        for (size_t i = 0; slaves[i]; i++)
                steady &= append(env, slaves[i], seen, depth + 1, list);
        if (!slaves[0])
                (void) json_array_append_new(list, tn_block_address(env, syspath));
        return steady;
}

bool tn_block_append_addresses(const struct tn_env *env, const char *syspath, json_t *list)
{
        g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);

        return append(env, syspath, seen, 0, list);
}
