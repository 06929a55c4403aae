/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* By the names alone, and the links that udev keeps in /dev/disk. */
#include "pvdrivers/devname.h"

#include <string.h>

static const char *const families[] = {"sd", "hd", "vd", "xvd", "nvme", "mmcblk"};

char *tn_devname_family(const char *name)
{
        if (!g_str_has_prefix(name, "/dev/"))
                return NULL;
        name += strlen("/dev/");
        for (size_t i = 0; i < G_N_ELEMENTS(families); i++) {
                const char *rest = name + strlen(families[i]);

                if (g_str_has_prefix(name, families[i]) && g_ascii_isalnum(*rest) && !strchr(rest, '/'))
                        return g_strdup(families[i]);
        }
        return NULL;
}

enum tn_devname tn_devname_kind(const char *name)
{
        g_autofree char *family = tn_devname_family(name);

        if (g_str_has_prefix(name, "/dev/disk/by-path/"))
                return TN_DEVNAME_PATH;
        /* What is built by the guest itself keeps its id: LVM, MD and device-mapper names. */
        if (g_str_has_prefix(name, "/dev/disk/by-id/"))
                return g_str_has_prefix(name + 16, "dm-") || g_str_has_prefix(name + 16, "md-") ||
                                       g_str_has_prefix(name + 16, "lvm-")
                               ? TN_DEVNAME_STABLE
                               : TN_DEVNAME_ID;
        return family ? TN_DEVNAME_KERNEL : TN_DEVNAME_STABLE;
}

/* Name of the link in @folder that leads to the same device. */
static char *find_link(const struct tn_env *env, const char *folder, const char *device)
{
        g_auto(GStrv) names = tn_env_list(env, folder);

        for (size_t i = 0; names && names[i]; i++) {
                g_autofree char *path = g_strdup_printf("%s/%s", folder, names[i]);
                g_autofree char *target = tn_env_readlink_name(env, path);

                if (target && g_str_equal(target, device))
                        return g_strdup(names[i]);
        }
        return NULL;
}

char *tn_devname_uuid(const struct tn_env *env, const char *name)
{
        g_autofree char *target = *name == '/' ? tn_env_readlink_name(env, name + 1) : NULL;
        g_autofree char *device = target ? g_steal_pointer(&target) : g_path_get_basename(name);
        g_autofree char *uuid = find_link(env, "dev/disk/by-uuid", device);
        g_autofree char *partition = uuid ? NULL : find_link(env, "dev/disk/by-partuuid", device);

        if (uuid)
                return g_strdup_printf("UUID=%s", uuid);
        return partition ? g_strdup_printf("PARTUUID=%s", partition) : NULL;
}

GPtrArray *tn_devname_disks(const struct tn_env *env)
{
        GPtrArray *disks = g_ptr_array_new_with_free_func(g_free);
        g_auto(GStrv) names = tn_env_list(env, "sys/block");

        for (size_t i = 0; names && names[i]; i++) {
                g_autofree char *path = g_strdup_printf("/dev/%s", names[i]),
                                *family = tn_devname_family(path);

                if (family)
                        g_ptr_array_add(disks, g_strdup(names[i]));
        }
        return disks;
}
