/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * Stable names for disks. The surprising thing: what is not a file system has no UUID (a partition for swap
 * with a key that is thrown away); it is named by its partition, PARTUUID=.
 */
#include "pvdrivers/rename.h"

#include <string.h>

#define BLANKS " \t"

struct tn_rename_map {
        const struct tn_env *env;
        GHashTable *uuids;      /* "sda1" → UUID */
        GHashTable *partitions; /* "sda1" → UUID of the partition */
};

static GHashTable *read_links(const struct tn_env *env, const char *folder)
{
        GHashTable *table = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
        g_auto(GStrv) names = tn_env_list(env, folder);

        for (char **name = names; name && *name; name++) {
                g_autofree char *link = g_strdup_printf("%s/%s", folder, *name);
                char *disk = tn_env_readlink_name(env, link);

                if (disk)
                        g_hash_table_insert(table, disk, g_strdup(*name));
        }
        return table;
}

struct tn_rename_map *tn_rename_map_new(const struct tn_env *env)
{
        struct tn_rename_map *map = g_new0(struct tn_rename_map, 1);

        map->env = env;
        map->uuids = read_links(env, "dev/disk/by-uuid");
        map->partitions = read_links(env, "dev/disk/by-partuuid");
        return map;
}

void tn_rename_map_free(struct tn_rename_map *map)
{
        if (!map)
                return;
        g_hash_table_unref(map->uuids);
        g_hash_table_unref(map->partitions);
        g_free(map);
}

/* Letters and then digits: sda, vdb12, xvda1, hdc. */
static bool is_lettered(const char *name)
{
        static const char *const prefixes[] = {"sd", "vd", "xvd", "hd"};

        for (size_t i = 0; i < G_N_ELEMENTS(prefixes); i++) {
                const char *rest = name + strlen(prefixes[i]);

                if (!g_str_has_prefix(name, prefixes[i]) || !g_ascii_islower(*rest))
                        continue;
                rest += strspn(rest, "abcdefghijklmnopqrstuvwxyz");
                return rest[strspn(rest, "0123456789")] == '\0';
        }
        return false;
}

/* nvme0n1p2, mmcblk0p1. */
static bool is_numbered(const char *name)
{
        static const char *const prefixes[] = {"nvme", "mmcblk"};

        for (size_t i = 0; i < G_N_ELEMENTS(prefixes); i++)
                if (g_str_has_prefix(name, prefixes[i]) && g_ascii_isdigit(name[strlen(prefixes[i])]))
                        return name[strlen(prefixes[i]) +
                                    strspn(name + strlen(prefixes[i]), "0123456789np")] == '\0';
        return false;
}

/* A name that says through which controller, or as which model, the disk is seen. */
static bool is_by_hardware(const char *name)
{
        static const char *const prefixes[] = {"disk/by-path/",   "disk/by-id/ata-",  "disk/by-id/scsi-",
                                               "disk/by-id/wwn-", "disk/by-id/nvme-", "disk/by-id/virtio-",
                                               "disk/by-id/usb-"};

        for (size_t i = 0; i < G_N_ELEMENTS(prefixes); i++)
                if (g_str_has_prefix(name, prefixes[i]))
                        return true;
        return false;
}

bool tn_rename_is_unstable(const char *name)
{
        const char *rest;

        if (!g_str_has_prefix(name, "/dev/"))
                return false;
        rest = name + strlen("/dev/");
        return is_lettered(rest) || is_numbered(rest) || is_by_hardware(rest);
}

/* "UUID=…" or "PARTUUID=…" for @name, or NULL. */
static char *find_stable(const struct tn_rename_map *map, const char *name, bool partition)
{
        g_autofree char *target = tn_env_readlink_name(map->env, name + 1);
        g_autofree char *own = g_path_get_basename(name);
        const char *disk = target ? target : own;
        const char *uuid = g_hash_table_lookup(map->uuids, disk);
        const char *of_partition = g_hash_table_lookup(map->partitions, disk);

        if (uuid && !partition)
                return g_strconcat("UUID=", uuid, NULL);
        return of_partition ? g_strconcat("PARTUUID=", of_partition, NULL) : NULL;
}

static void add_once(GPtrArray *list, char *text)
{
        if (g_ptr_array_find_with_equal_func(list, text, g_str_equal, NULL))
                g_free(text);
        else
                g_ptr_array_add(list, text);
}

/* Appends @name[0..len), or what stands for it, to @out. True when it was replaced. */
static bool put_name(const struct tn_rename_map *map, bool partition, const char *name, size_t len,
                     GString *out, GPtrArray *changes, GPtrArray *unknown)
{
        g_autofree char *old = g_strndup(name, len);
        g_autofree char *stable = NULL;

        if (tn_rename_is_unstable(old)) {
                stable = find_stable(map, old, partition);
                if (!stable)
                        add_once(unknown, g_strdup(old));
        }
        if (!stable) {
                g_string_append_len(out, name, (gssize) len);
                return false;
        }
        g_string_append(out, stable);
        add_once(changes, g_strdup_printf("%s → %s", old, stable));
        return true;
}

/* One line of a table, without its end. */
static bool rename_line(const struct tn_rename_map *map, unsigned field, const char *line, size_t len,
                        GString *out, GPtrArray *changes, GPtrArray *unknown)
{
        g_autofree char *copy = g_strndup(line, len);
        const char *at = copy + strspn(copy, BLANKS);
        size_t word;
        bool replaced;

        if (*at == '#' || *at == '\0') {
                g_string_append_len(out, line, (gssize) len);
                return false;
        }
        for (; field > 0; field--) {
                at += strcspn(at, BLANKS);
                at += strspn(at, BLANKS);
        }
        word = strcspn(at, BLANKS);
        g_string_append_len(out, copy, at - copy);
        replaced = put_name(map, false, at, word, out, changes, unknown);
        g_string_append(out, at + word);
        return replaced;
}

static bool rename_table(const struct tn_rename_map *map, unsigned field, const char *text, GString *out,
                         GPtrArray *changes, GPtrArray *unknown)
{
        bool replaced = false;

        while (*text) {
                size_t len = strcspn(text, "\n");

                replaced |= rename_line(map, field, text, len, out, changes, unknown);
                if (text[len] == '\n')
                        g_string_append_c(out, text[len++]);
                text += len;
        }
        return replaced;
}

/* Length of "root=" and its like at @at, which begins a word; 0 otherwise. */
static size_t match_option(const char *at)
{
        static const char *const options[] = {"root=", "resume=", "RESUME="};

        for (size_t i = 0; i < G_N_ELEMENTS(options); i++)
                if (g_str_has_prefix(at, options[i]))
                        return strlen(options[i]);
        return 0;
}

/* Lines that are comments stay as they are: they do nothing. */
static bool in_comment(const char *text, const char *at)
{
        const char *line = at;

        while (line > text && line[-1] != '\n')
                line--;
        return line[strspn(line, BLANKS)] == '#';
}

static bool rename_words(const struct tn_rename_map *map, bool partition, const char *text, GString *out,
                         GPtrArray *changes, GPtrArray *unknown)
{
        bool replaced = false;

        for (const char *at = text; *at;) {
                bool begins = at == text || strchr(" \t\n\"'=", at[-1]);
                size_t option = begins ? match_option(at) : 0;
                size_t word;

                if (!option || in_comment(text, at)) {
                        g_string_append_c(out, *at++);
                        continue;
                }
                g_string_append_len(out, at, (gssize) option);
                at += option;
                word = strcspn(at, " \t\n\"'");
                replaced |= put_name(map, partition, at, word, out, changes, unknown);
                at += word;
        }
        return replaced;
}

char *tn_rename_text(const struct tn_rename_map *map, enum tn_rename_kind kind, const char *text,
                     GPtrArray *changes, GPtrArray *unknown)
{
        g_autoptr(GString) out = g_string_new(NULL);
        bool replaced;

        if (kind == TN_RENAME_FSTAB || kind == TN_RENAME_CRYPTTAB)
                replaced = rename_table(map, kind == TN_RENAME_CRYPTTAB, text, out, changes, unknown);
        else
                replaced = rename_words(map, kind == TN_RENAME_PARTITION, text, out, changes, unknown);
        return replaced ? g_string_free(g_steal_pointer(&out), FALSE) : NULL;
}
