/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * Entries of guest-get-fsinfo. Sizes are asked of the file system itself, by the path of its mount point;
 * the surprising thing is that the answer counts only if that path really leads to the same file system, for
 * the daemon's own mount namespace may hide or cover what the machine sees there.
 */
#define _GNU_SOURCE /* O_PATH */
#include "plugins/guestinfo/fs-entry.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/sysmacros.h>

#include "lib/fd.h"
#include "lib/json.h"
#include "plugins/guestinfo/block.h"
#include "plugins/guestinfo/guestinfo.h"

/* Each subvolume of a btrfs has a number of its own, which is not in the mount table. */
static bool is_same_filesystem(int fd, const struct tn_mount *mount, const struct statfs *fs)
{
        struct stat st;

        if (strcmp(mount->type, "btrfs") == 0)
                return (uint32_t) fs->f_type == BTRFS_SUPER_MAGIC; /* signed on 32 bits */
        return fstat(fd, &st) == 0 && st.st_dev == mount->device;
}

/* A recording has the names of its file systems, but lies itself on one of ours. */
bool tn_fs_entry_read_size(const struct tn_env *env, const struct tn_mount *mount, struct tn_fs_size *ret)
{
        const char *path = mount->target + strspn(mount->target, "/");
        tn_autofd int fd = -1;
        guint64 block, used;
        struct statfs fs;

        if (env->recorded)
                return false;
        fd = tn_env_open(env, *path ? path : ".", O_PATH, NULL); /* O_PATH: sets off no automount */
        if (fd < 0 || fstatfs(fd, &fs) < 0 || !is_same_filesystem(fd, mount, &fs))
                return false;
        block = (guint64) (fs.f_frsize ? fs.f_frsize : fs.f_bsize);
        used = fs.f_blocks - fs.f_bfree;
        *ret = (struct tn_fs_size){
                .used = used * block,
                .total = (used + fs.f_bavail) * block,
                .privileged = fs.f_blocks * block,
        };
        return true;
}

void tn_fs_entry_set_size(json_t *entry, const struct tn_fs_size *size)
{
        (void) json_object_set_new(entry, "used-bytes", tn_guestinfo_uint(size->used));
        (void) json_object_set_new(entry, "total-bytes", tn_guestinfo_uint(size->total));
        (void) json_object_set_new(entry, "total-bytes-privileged", tn_guestinfo_uint(size->privileged));
}

/* Directory sys/fs/btrfs/UUID/devices of the btrfs that has @kernel_name as a member, or NULL. */
static char *btrfs_members(const struct tn_env *env, const char *kernel_name)
{
        g_auto(GStrv) ids = tn_env_list(env, "sys/fs/btrfs");

        for (size_t i = 0; ids && ids[i]; i++) {
                g_autofree char *devices = g_strconcat("sys/fs/btrfs/", ids[i], "/devices", NULL);
                g_autofree char *member = g_build_filename(devices, kernel_name, NULL);

                if (tn_env_exists(env, member))
                        return g_steal_pointer(&devices);
        }
        return NULL;
}

/* All disks of a file system on several; false when sysfs does not say. */
static bool add_btrfs_disks(const struct tn_env *env, const char *kernel_name, json_t *disks)
{
        g_autofree char *devices = btrfs_members(env, kernel_name);
        g_auto(GStrv) names = devices ? tn_env_list(env, devices) : NULL;

        for (size_t i = 0; names && names[i]; i++) {
                g_autofree char *syspath = tn_block_find_name(env, names[i]);

                if (syspath)
                        (void) tn_block_append_addresses(env, syspath, disks); /* unsteady in any case */
        }
        return json_array_size(disks) > 0;
}

/* Device of the mount in sysfs, or NULL (ZFS, or no sysfs). bcachefs has "/dev/a:/dev/b" as source. */
static char *find_device(const struct tn_env *env, const struct tn_mount *mount)
{
        g_autofree char *first = NULL;

        if (major(mount->device) != 0)
                return tn_block_find_number(env, mount->device);
        if (!mount->named_source)
                return NULL;
        first = g_strdup(mount->source);
        if (strcmp(mount->type, "bcachefs") == 0)
                first[strcspn(first, ":")] = '\0';
        return tn_block_find_node(env, first);
}

static bool add_disks(const struct tn_env *env, const struct tn_mount *mount, const char *device,
                      const char *name, json_t *disks)
{
        if (strcmp(mount->type, "btrfs") == 0 && add_btrfs_disks(env, name, disks))
                return false; /* members come and go silently */
        return tn_block_append_addresses(env, device, disks) && !mount->named_source;
}

json_t *tn_fs_entry_new(const struct tn_env *env, const struct tn_mount *mount,
                        const struct tn_fs_size *size, bool *ret_steady)
{
        g_autofree char *device = find_device(env, mount);
        g_autofree char *name = NULL;
        json_t *entry = json_object(), *disks = json_array();

        if (device)
                name = g_path_get_basename(device);
        else if (g_str_has_prefix(mount->source, "/"))
                name = g_path_get_basename(mount->source);
        tn_json_set_text(entry, "name", name ? name : mount->source);
        tn_json_set_text(entry, "mountpoint", mount->target);
        tn_json_set_text(entry, "type", mount->type);
        if (size)
                tn_fs_entry_set_size(entry, size);
        if (device && !add_disks(env, mount, device, name, disks) && ret_steady)
                *ret_steady = false;
        (void) json_object_set_new(entry, "disk", disks);
        return entry;
}
