/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * Files in which hardware is named. Command lines are edited where they stand, in the boot loader's own file
 * too, and not by running its generator: the same few bytes change, and nothing else can.
 */
#include "pvdrivers/fixes-files.h"

#include <fnmatch.h>
#include <string.h>

#include "lib/error.h"
#include "pvdrivers/lvmdevices.h"
#include "pvdrivers/rename.h"

#define LINKS_MAX 8   /* as deep as links to a file are followed */
#define FILES_MAX 256 /* files of one pattern that are looked at */

/* Patterns have a wildcard in their last component only. */
static const struct {
        const char *pattern;
        enum tn_rename_kind kind;
        bool in_initramfs;
} files[] = {
        {"etc/fstab", TN_RENAME_FSTAB, false},
        {"etc/crypttab", TN_RENAME_CRYPTTAB, true},
        {"etc/initramfs-tools/conf.d/*", TN_RENAME_CMDLINE, true},
        {"etc/dracut.conf.d/*.conf", TN_RENAME_CMDLINE, true},
        {"etc/default/grub", TN_RENAME_CMDLINE, false},
        {"etc/default/grub.d/*.cfg", TN_RENAME_CMDLINE, false},
        {"etc/kernel/cmdline", TN_RENAME_CMDLINE, false},
        {"etc/update-extlinux.conf", TN_RENAME_CMDLINE, false},
        {"boot/grub/grub.cfg", TN_RENAME_CMDLINE, false},
        {"boot/grub/custom.cfg", TN_RENAME_CMDLINE, false},
        {"boot/grub/menu.lst", TN_RENAME_CMDLINE, false},
        {"boot/grub2/grub.cfg", TN_RENAME_CMDLINE, false},
        {"boot/grub2/grubenv", TN_RENAME_CMDLINE, false},
        {"boot/extlinux/extlinux.conf", TN_RENAME_CMDLINE, false},
        {"boot/extlinux.conf", TN_RENAME_CMDLINE, false},
        {"boot/syslinux/syslinux.cfg", TN_RENAME_CMDLINE, false},
        {"boot/loader/entries/*.conf", TN_RENAME_CMDLINE, false},
        {"boot/efi/loader/entries/*.conf", TN_RENAME_CMDLINE, false},
        {"efi/loader/entries/*.conf", TN_RENAME_CMDLINE, false},
};

/* Paths of the pattern that exist. Free with g_strfreev(). */
static char **expand(const struct tn_env *env, const char *pattern)
{
        g_autofree char *folder = g_path_get_dirname(pattern), *name = g_path_get_basename(pattern);
        g_auto(GStrv) names = tn_env_list(env, folder);
        g_autoptr(GPtrArray) found = g_ptr_array_new();

        for (char **each = names; each && *each && found->len < FILES_MAX; each++)
                if (fnmatch(name, *each, FNM_PERIOD) == 0)
                        g_ptr_array_add(found, g_strdup_printf("%s/%s", folder, *each));
        g_ptr_array_add(found, NULL);
        return (char **) g_ptr_array_free(g_steal_pointer(&found), FALSE);
}

/* GRUB's generator writes names again when it is told to; then the next kernel update would. Takes @text
 * over. */
static char *allow_uuids(char *text)
{
        g_auto(GStrv) lines = g_strsplit(text, "\n", -1);

        for (char **line = lines; *line; line++)
                if (g_str_has_prefix(*line, "GRUB_DISABLE_LINUX_UUID=") && strstr(*line, "true")) {
                        char *comment = g_strconcat("#", *line, NULL);

                        g_free(*line);
                        *line = comment;
                }
        g_free(text);
        return g_strjoinv("\n", lines);
}

/* grubenv is a block of fixed size, filled with '#'. Takes @text over; NULL when it does not fit. */
static char *keep_size(char *text, size_t wanted)
{
        size_t len = strlen(text);
        GString *block;

        if (len > wanted && strspn(text + wanted, "#") != len - wanted) {
                g_free(text);
                return NULL;
        }
        block = g_string_new_len(text, (gssize) MIN(len, wanted));
        while (block->len < wanted)
                g_string_append_c(block, '#');
        g_free(text);
        return g_string_free(block, FALSE);
}

/* @path, or what it is a link to: the file itself is replaced then, and the link stays. */
static char *follow(const struct tn_env *env, const char *path)
{
        char *at = g_strdup(path);

        for (unsigned i = 0; i < LINKS_MAX; i++) {
                g_autofree char *target = tn_env_readlink(env, at), *folder = NULL, *whole = NULL,
                                *clean = NULL;

                if (!target)
                        break;
                folder = g_path_get_dirname(at);
                whole = *target == '/' ? g_strdup(target) : g_strdup_printf("/%s/%s", folder, target);
                clean = g_canonicalize_filename(whole, "/");
                g_free(at);
                at = g_strdup(clean + 1);
        }
        return at;
}

static bool is_listed(const GPtrArray *changes, const char *path)
{
        for (guint i = 0; i < changes->len; i++)
                if (g_str_equal(
                            ((const struct tn_change *) g_ptr_array_index((GPtrArray *) changes, i))->path,
                            path))
                        return true;
        return false;
}

static void tell_unknown(const GPtrArray *unknown, const char *path, GPtrArray *notes)
{
        for (guint i = 0; i < unknown->len; i++)
                g_ptr_array_add(
                        notes,
                        g_strdup_printf("/%s names %s, and no UUID of it is known: name it by UUID or "
                                        "label yourself",
                                        path, (const char *) g_ptr_array_index((GPtrArray *) unknown, i)));
}

static bool fix_file(const struct tn_env *env, const struct tn_rename_map *map, const char *path,
                     enum tn_rename_kind kind, bool in_initramfs, GPtrArray *changes, GPtrArray *notes,
                     GError **error)
{
        g_autoptr(GPtrArray) details = g_ptr_array_new_with_free_func(g_free);
        g_autoptr(GPtrArray) unknown = g_ptr_array_new_with_free_func(g_free);
        g_autofree char *text = NULL, *real = follow(env, path);
        struct tn_change *change;
        char *fixed;
        size_t len;

        if (is_listed(changes, real))
                return true;
        if (!tn_env_read(env, path, &text, &len, error))
                return false;
        if (strlen(text) != len) {
                g_ptr_array_add(notes, g_strdup_printf("/%s is left alone: it is no text", path));
                return true;
        }
        fixed = tn_rename_text(map, kind, text, details, unknown);
        tell_unknown(unknown, path, notes);
        if (g_str_has_suffix(path, "/default/grub")) {
                /* Also when no command line in this file names a disk: the generator adds root= itself. */
                fixed = allow_uuids(fixed ? fixed : g_strdup(text));
                if (g_str_equal(fixed, text))
                        g_clear_pointer(&fixed, g_free);
                else if (!details->len)
                        g_ptr_array_add(details, g_strdup("GRUB_DISABLE_LINUX_UUID is commented out"));
        }
        if (fixed && g_str_has_suffix(path, "/grubenv"))
                fixed = keep_size(fixed, len);
        if (!fixed)
                return true;
        change = tn_change_new(g_steal_pointer(&real), fixed, text,
                               "disks are named so that the names survive the move", in_initramfs);
        g_ptr_array_extend_and_steal(change->details, g_steal_pointer(&details));
        g_ptr_array_add(changes, change);
        return true;
}

/* A kernel without an initramfs can find its root by partition only. */
static bool needs_partition(const struct tn_kernels *kernels)
{
        struct tn_kernel *kernel;

        for (size_t i = 0; (kernel = tn_kernels_at(kernels, i)); i++)
                if (kernel->image && !kernel->initramfs)
                        return true;
        return false;
}

bool tn_fixes_files_disks(const struct tn_env *env, const struct tn_kernels *kernels, GPtrArray *changes,
                          GPtrArray *notes, GError **error)
{
        g_autoptr(tn_rename_map_t) map = tn_rename_map_new(env);
        bool partition = needs_partition(kernels);

        for (size_t i = 0; i < G_N_ELEMENTS(files); i++) {
                enum tn_rename_kind kind = files[i].kind == TN_RENAME_CMDLINE && partition
                                                   ? TN_RENAME_PARTITION
                                                   : files[i].kind;
                g_auto(GStrv) paths = expand(env, files[i].pattern);

                for (char **path = paths; *path; path++)
                        if (!fix_file(env, map, *path, kind, files[i].in_initramfs, changes, notes, error))
                                return false;
        }
        return true;
}

bool tn_fixes_files_lvm(const struct tn_env *env, GPtrArray *changes, GError **error)
{
        g_autoptr(GPtrArray) details = g_ptr_array_new_with_free_func(g_free);
        g_autofree char *text = NULL;
        struct tn_change *change;
        char *fixed;

        if (!tn_env_exists(env, TN_LVMDEVICES_PATH))
                return true;
        if (!tn_env_read(env, TN_LVMDEVICES_PATH, &text, NULL, error))
                return false;
        fixed = tn_lvmdevices_rewrite(text, details);
        if (!fixed)
                return true;
        change = tn_change_new(g_strdup(TN_LVMDEVICES_PATH), fixed, text,
                               "LVM finds its disks by what is on them, not by their serial numbers", true);
        g_ptr_array_extend_and_steal(change->details, g_steal_pointer(&details));
        g_ptr_array_add(changes, change);
        return true;
}
