/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * Down a stack of block devices to the files below it. sysfs has both links that are needed: slaves/ of
 * what is put together, loop/backing_file of what lies on a file; a partition has neither, its disk has.
 */
#include "plugins/freeze/stack.h"

#include <string.h>
#include <sys/sysmacros.h>

#define DEPTH_MAX   16 /* dm over md over partition over loop … */
#define DELETED_END " (deleted)"

static void add_file(const struct tn_env *env, const char *folder, GPtrArray *files)
{
        g_autofree char *path = g_strdup_printf("%s/loop/backing_file", folder);
        g_autofree char *file = tn_env_read_line(env, path);

        if (!file)
                return;
        if (g_str_has_suffix(file, DELETED_END))
                file[strlen(file) - strlen(DELETED_END)] = '\0';
        g_ptr_array_add(files, g_steal_pointer(&file));
}

static void descend(const struct tn_env *env, const char *folder, GPtrArray *files, int depth)
{
        g_autofree char *partition = g_strdup_printf("%s/partition", folder);
        g_autofree char *slaves = g_strdup_printf("%s/slaves", folder);
        g_auto(GStrv) names = NULL;

        if (depth == DEPTH_MAX)
                return;
        if (tn_env_exists(env, partition)) {
                g_autofree char *disk = g_strdup_printf("%s/..", folder);

                descend(env, disk, files, depth + 1);
                return;
        }
        add_file(env, folder, files);
        names = tn_env_list(env, slaves);
        for (size_t i = 0; names && names[i]; i++) {
                g_autofree char *next = g_strdup_printf("%s/%s", slaves, names[i]);

                descend(env, next, files, depth + 1);
        }
}

/* "dm-0" of "/dev/mapper/vg-root", "loop0" of "/dev/loop0". */
static char *device_name(const struct tn_env *env, const char *source)
{
        const char *relative = source + strspn(source, "/");
        char *name = tn_env_readlink_name(env, relative);

        return name ? name : g_path_get_basename(relative);
}

/* The names in sys/fs/btrfs/UUID/devices of the file system that @name belongs to. */
static char **btrfs_devices(const struct tn_env *env, const char *name)
{
        g_auto(GStrv) uuids = tn_env_list(env, "sys/fs/btrfs");

        for (size_t i = 0; uuids && uuids[i]; i++) {
                g_autofree char *folder = g_strdup_printf("sys/fs/btrfs/%s/devices", uuids[i]);
                g_auto(GStrv) names = tn_env_list(env, folder);

                if (names && g_strv_contains((const char *const *) names, name))
                        return g_steal_pointer(&names);
        }
        return NULL;
}

static void descend_named(const struct tn_env *env, const char *name, GPtrArray *files)
{
        g_autofree char *folder = g_strdup_printf("sys/class/block/%s", name);

        descend(env, folder, files, 0);
}

GPtrArray *freeze_stack_files(const struct tn_env *env, dev_t device, const char *source)
{
        GPtrArray *files = g_ptr_array_new_with_free_func(g_free);

        if (major(device) != 0) {
                g_autofree char *folder = g_strdup_printf("sys/dev/block/%u:%u", major(device),
                                                          minor(device));

                descend(env, folder, files, 0);
        } else if (source[0] == '/') {
                g_autofree char *name = device_name(env, source);
                g_auto(GStrv) all = btrfs_devices(env, name);

                if (!all)
                        descend_named(env, name, files);
                for (size_t i = 0; all && all[i]; i++)
                        descend_named(env, all[i], files);
        }
        return files;
}
