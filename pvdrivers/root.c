/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * The surprising thing: the mount table is not asked for the source where it can be avoided, for it names
 * the device that is there now; what counts for the next boot is root= and fstab.
 */
#include "pvdrivers/root.h"

#include <string.h>

#include "pvdrivers/textfile.h"

#define LAYERS_MAX 16

static void add_once(GPtrArray *list, const char *text)
{
        if (!g_ptr_array_find_with_equal_func(list, text, g_str_equal, NULL))
                g_ptr_array_add(list, g_strdup(text));
}

/* Module of a RAID level as md/level has it. */
static const char *raid_module(const char *level)
{
        if (g_str_equal(level, "raid4") || g_str_equal(level, "raid5") || g_str_equal(level, "raid6"))
                return "raid456";
        return level;
}

/* What a device-mapper device is, by the prefix of its uuid. */
static void judge_mapper(struct tn_root *root, const char *uuid)
{
        add_once(root->modules, "dm_mod");
        if (g_str_has_prefix(uuid, "LVM-"))
                root->lvm = true;
        if (g_str_has_prefix(uuid, "CRYPT-")) {
                root->crypt = true;
                add_once(root->modules, "dm_crypt");
        }
        if (g_str_has_prefix(uuid, "mpath-")) {
                root->multipath = true;
                add_once(root->modules, "dm_multipath");
        }
}

/* A partition's folder lies in its disk's; both are found in sys/class/block. */
static char *disk_of(const struct tn_env *env, const char *name)
{
        g_autofree char *link = g_strdup_printf("sys/class/block/%s", name), *partition = NULL,
                        *target = NULL;

        partition = g_strdup_printf("%s/partition", link);
        target = tn_env_readlink(env, link);
        if (!target || !tn_env_exists(env, partition))
                return g_strdup(name);
        g_autofree char *above = g_path_get_dirname(target);

        return g_path_get_basename(above);
}

/* Goes down from a block device to the disks. */
static void walk(const struct tn_env *env, struct tn_root *root, const char *name, int depth)
{
        g_autofree char *disk = disk_of(env, name), *uuid_path = NULL, *level_path = NULL,
                        *slaves_path = NULL;
        g_autofree char *uuid = NULL, *level = NULL;
        g_auto(GStrv) slaves = NULL;

        uuid_path = g_strdup_printf("sys/class/block/%s/dm/uuid", disk);
        level_path = g_strdup_printf("sys/class/block/%s/md/level", disk);
        slaves_path = g_strdup_printf("sys/class/block/%s/slaves", disk);
        uuid = tn_env_read_line(env, uuid_path);
        level = tn_env_read_line(env, level_path);
        slaves = tn_env_list(env, slaves_path);
        if (uuid)
                judge_mapper(root, uuid);
        if (level) {
                root->raid = true;
                add_once(root->modules, "md_mod");
                add_once(root->modules, raid_module(level));
        }
        for (size_t i = 0; depth < LAYERS_MAX && slaves && slaves[i]; i++)
                walk(env, root, slaves[i], depth + 1);
        if ((!slaves || !slaves[0]) && !uuid)
                add_once(root->disks, disk);
}

/* mountinfo: id parent MAJOR:MINOR root MOUNTPOINT options - TYPE SOURCE options; the last "/" counts. */
static void read_mounts(const struct tn_env *env, struct tn_root *root, char **ret_name)
{
        static const char *const tables[] = {"proc/1/mountinfo", "proc/self/mountinfo"};

        for (size_t i = 0; i < G_N_ELEMENTS(tables) && !root->type; i++) {
                g_autoptr(GPtrArray) lines = tn_textfile_read(env, tables[i]);

                for (guint j = 0; j < lines->len; j++) {
                        const char *text = tn_textfile_at(lines, j)->text, *rest = strstr(text, " - ");
                        g_auto(GStrv) words = tn_textfile_words(text);
                        g_auto(GStrv) tail = tn_textfile_words(rest ? rest + 3 : "");

                        if (g_strv_length(words) < 5 || g_strv_length(tail) < 2 ||
                            !g_str_equal(words[4], "/") || g_str_equal(tail[0], "rootfs") ||
                            g_str_equal(tail[0], "overlay"))
                                continue;
                        g_free(root->type);
                        root->type = g_strdup(tail[0]);
                        g_free(root->evidence);
                        root->evidence = g_strdup_printf("/%s", tables[i]);
                        g_free(*ret_name);
                        g_autofree char *number = g_strdup_printf("sys/dev/block/%s", words[2]);

                        *ret_name = tn_env_readlink_name(env, number);
                        if (!*ret_name && g_str_has_prefix(tail[1], "/dev/"))
                                *ret_name = g_path_get_basename(tail[1]);
                }
        }
}

static void read_fstab(const struct tn_env *env, struct tn_root *root)
{
        g_autoptr(GPtrArray) lines = tn_textfile_read(env, "etc/fstab");

        for (guint i = 0; i < lines->len; i++) {
                const struct tn_line *line = lines->pdata[i];
                g_auto(GStrv) words = tn_textfile_words(line->text);

                if (g_strv_length(words) < 3 || !g_str_equal(words[1], "/"))
                        continue;
                g_free(root->source);
                root->source = g_strdup(words[0]);
                if (!root->type) {
                        root->type = g_strdup(words[2]);
                        g_free(root->evidence);
                        root->evidence = g_strdup_printf("/etc/fstab line %u", line->number);
                }
        }
}

/* Layers that the command line names: all that can be known of a root without sysfs. */
static void read_options(struct tn_root *root, const char *options)
{
        g_auto(GStrv) words = tn_textfile_words(options);

        for (size_t i = 0; words[i]; i++) {
                const char *word = words[i];

                if (g_str_has_prefix(word, "root=") && !root->source)
                        root->source = g_strdup(word + strlen("root="));
                if (g_str_has_prefix(word, "rootfstype=") && !root->type)
                        root->type = g_strdup(word + strlen("rootfstype="));
                root->lvm |= g_str_has_prefix(word, "rd.lvm.lv=") || g_str_has_prefix(word, "rd.lvm.vg=");
                root->crypt |= g_str_has_prefix(word, "rd.luks.uuid=") ||
                               g_str_has_prefix(word, "rd.luks.name=") ||
                               g_str_has_prefix(word, "cryptdevice=");
                root->raid |= g_str_has_prefix(word, "rd.md.uuid=");
                root->network |= g_str_equal(word, "root=/dev/nfs") || g_str_has_prefix(word, "root=nfs:") ||
                                 g_str_has_prefix(word, "netroot=") || g_str_has_prefix(word, "rd.iscsi.");
        }
}

/* Names under /dev/mapper and /dev/VG tell LVM from the rest only by habit: installers call crypt devices
 * so. */
static void judge_name(struct tn_root *root, const char *source)
{
        if (g_str_has_prefix(source, "/dev/mapper/luks-") || g_str_has_suffix(source, "_crypt") ||
            g_str_has_prefix(source, "/dev/mapper/crypt"))
                root->crypt = true;
        else if (g_str_has_prefix(source, "/dev/mapper/mpath"))
                root->multipath = true;
        else if (g_str_has_prefix(source, "/dev/mapper/"))
                root->lvm = true;
        else if (g_str_has_prefix(source, "/dev/md"))
                root->raid = true;
}

static void add_layer_modules(struct tn_root *root)
{
        if (root->lvm || root->crypt || root->multipath)
                add_once(root->modules, "dm_mod");
        if (root->crypt)
                add_once(root->modules, "dm_crypt");
        if (root->multipath)
                add_once(root->modules, "dm_multipath");
        if (root->raid)
                add_once(root->modules, "md_mod");
}

struct tn_root *tn_root_read(const struct tn_env *env, const char *options)
{
        struct tn_root *root = g_new0(struct tn_root, 1);
        g_autofree char *name = NULL;

        root->modules = g_ptr_array_new_with_free_func(g_free);
        root->disks = g_ptr_array_new_with_free_func(g_free);
        root->evidence = g_strdup("no mount table and no line of / in /etc/fstab");
        read_mounts(env, root, &name);
        read_fstab(env, root);
        read_options(root, options ?: "");
        if (name)
                walk(env, root, name, 0);
        if (root->disks->len == 0 && root->source)
                judge_name(root, root->source);
        add_layer_modules(root);
        if (root->type && !g_str_equal(root->type, "auto"))
                add_once(root->modules, g_str_equal(root->type, "ext2") || g_str_equal(root->type, "ext3")
                                                ? "ext4"
                                                : root->type);
        return root;
}

void tn_root_free(struct tn_root *root)
{
        if (!root)
                return;
        g_free(root->source);
        g_free(root->type);
        g_free(root->evidence);
        g_ptr_array_unref(root->modules);
        g_ptr_array_unref(root->disks);
        g_free(root);
}
