/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * Names are kept of all files, bodies only of symbolic links and of the small files that decide about
 * booting: the patterns below, which cover initramfs-tools, dracut, mkinitcpio and mkinitfs.
 */
#include "pvdrivers/initramfs-collect.h"

#include <fnmatch.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/error.h"
#include "pvdrivers/kernel.h"

/* Below "" and "usr/" alike. '*' does not match '/'. */
static const char *const kept[] = {
        "conf/*.conf",
        "conf/modules",
        "conf/conf.d/*",
        "cryptroot/crypttab",
        "config",
        "buildconfig",
        "etc/fstab",
        "etc/crypttab",
        "etc/initrd-release",
        "lib/initrd-release",
        "etc/cmdline",
        "etc/cmdline.d/*",
        "etc/modprobe.d/*",
        "lib/modprobe.d/*",
        "etc/modules-load.d/*",
        "lib/modules-load.d/*",
        "etc/lvm/*.conf",
        "etc/lvm/devices/*",
        "etc/multipath.conf",
        "etc/multipath/*",
        "etc/mdadm.conf",
        "etc/mdadm/mdadm.conf",
        "etc/udev/rules.d/*",
        "etc/systemd/network/*",
        "lib/dracut/*.txt",
};

static const char *without_head(const char *name)
{
        for (;;) {
                if (name[0] == '/')
                        name++;
                else if (name[0] == '.' && name[1] == '/')
                        name += 2;
                else
                        return name;
        }
}

static bool is_kept(const char *name)
{
        if (g_str_has_prefix(name, "usr/"))
                name += strlen("usr/");
        for (size_t i = 0; i < G_N_ELEMENTS(kept); i++)
                if (fnmatch(kept[i], name, FNM_PATHNAME | FNM_PERIOD) == 0)
                        return true;
        return false;
}

static bool is_module(const char *base)
{
        return g_str_has_suffix(base, ".ko") || g_str_has_suffix(base, ".ko.xz") ||
               g_str_has_suffix(base, ".ko.zst") || g_str_has_suffix(base, ".ko.gz");
}

/* "usr/lib/modules/6.1.0/kernel/a/b-c.ko.xz" → "6.1.0/b_c", or NULL. Any folder may stand before "lib". */
static char *module_key(const char *name)
{
        const char *folder = g_str_has_prefix(name, "lib/modules/") ? name : strstr(name, "/lib/modules/");
        const char *release, *slash, *base = strrchr(name, '/');
        g_autofree char *module = NULL;

        if (!folder || !is_module(base + 1))
                return NULL;
        release = strstr(folder, "modules/") + strlen("modules/");
        slash = strchr(release, '/');
        if (!slash)
                return NULL;
        module = tn_kernel_module_name(base + 1);
        return g_strdup_printf("%.*s/%s", (int) (slash - release), release, module);
}

static void keep_name(struct tn_initramfs_collect *collect, const char *name)
{
        char *copy, *key;

        if (!g_hash_table_contains(collect->seen, name)) {
                copy = g_strdup(name);
                g_ptr_array_add(collect->into->files, copy);
                g_hash_table_add(collect->seen, copy);
        }
        key = module_key(name);
        if (key)
                g_hash_table_replace(collect->into->modules, key, g_strdup(name));
}

/* Counts an entry against the limits on what its names may take. */
static bool count(struct tn_initramfs_collect *collect, const struct tn_cpio_entry *entry, GError **error)
{
        if (++collect->files > TN_INITRAMFS_FILES_MAX)
                return tn_error_set(error, TN_ERROR_LIMIT, "it has more than %d files",
                                    TN_INITRAMFS_FILES_MAX);
        if (collect->link && entry->size > TN_INITRAMFS_NAME_MAX)
                return tn_error_set(error, TN_ERROR_INVALID,
                                    "the symbolic link \"%s\" has a target of %u bytes", entry->name,
                                    entry->size);
        collect->names += strlen(entry->name) + (collect->link ? entry->size : 0);
        if (collect->names > TN_INITRAMFS_NAMES_MAX)
                return tn_error_set(error, TN_ERROR_LIMIT, "the names of its files take more than %d bytes",
                                    TN_INITRAMFS_NAMES_MAX);
        return true;
}

static bool wants_text(const struct tn_initramfs_collect *collect, const struct tn_cpio_entry *entry)
{
        return S_ISREG(entry->mode) && entry->size <= TN_INITRAMFS_TEXT_MAX &&
               entry->size <= TN_INITRAMFS_TEXTS_MAX - collect->texts && is_kept(collect->name);
}

static bool on_entry(void *data, const struct tn_cpio_entry *entry, GError **error)
{
        struct tn_initramfs_collect *collect = data;
        const char *name = without_head(entry->name);

        collect->link = S_ISLNK(entry->mode);
        if (!count(collect, entry, error))
                return false;
        g_free(collect->name);
        collect->name = g_strdup(name);
        if (*name != '\0' && strcmp(name, ".") != 0)
                keep_name(collect, name);
        if (collect->link || wants_text(collect, entry))
                collect->text = g_string_sized_new(entry->size + 1);
        return true;
}

static bool on_body(void *data, const uint8_t *bytes, size_t len, GError **error)
{
        struct tn_initramfs_collect *collect = data;

        (void) error;
        if (collect->text)
                g_string_append_len(collect->text, (const char *) bytes, (gssize) len);
        return true;
}

static bool on_end(void *data, GError **error)
{
        struct tn_initramfs_collect *collect = data;
        struct tn_initramfs *into = collect->into;

        (void) error;
        if (!collect->text)
                return true;
        if (!collect->link)
                collect->texts += collect->text->len;
        g_hash_table_replace(collect->link ? into->links : into->texts, g_steal_pointer(&collect->name),
                             g_string_free(g_steal_pointer(&collect->text), FALSE));
        return true;
}

struct tn_initramfs *tn_initramfs_collect_begin(struct tn_initramfs_collect *collect, const char *path)
{
        struct tn_initramfs *into = g_new0(struct tn_initramfs, 1);

        into->path = g_strdup(path);
        into->segments = g_array_new(FALSE, TRUE, sizeof(struct tn_initramfs_segment));
        into->files = g_ptr_array_new_with_free_func(g_free);
        into->links = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
        into->modules = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
        into->texts = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
        *collect = (struct tn_initramfs_collect){.into = into,
                                                 .seen = g_hash_table_new(g_str_hash, g_str_equal)};
        return into;
}

static int compare_names(gconstpointer a, gconstpointer b)
{
        return strcmp(*(const char *const *) a, *(const char *const *) b);
}

void tn_initramfs_collect_end(struct tn_initramfs_collect *collect)
{
        g_ptr_array_sort(collect->into->files, compare_names);
        g_hash_table_unref(collect->seen);
        g_free(collect->name);
        if (collect->text)
                g_string_free(collect->text, TRUE);
}

struct tn_cpio_sink tn_initramfs_collect_sink(struct tn_initramfs_collect *collect)
{
        return (struct tn_cpio_sink){.entry = on_entry, .body = on_body, .end = on_end, .data = collect};
}
