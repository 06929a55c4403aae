/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * Paths in a boot loader's files count from the root of the file system on which they are: a /boot of its
 * own, the ESP, or the root. All are tried; the first that leads to a file is right.
 */
#include "pvdrivers/boot.h"

#include <stdarg.h>
#include <string.h>

#include "pvdrivers/boot-private.h"
#include "pvdrivers/textfile.h"

static void free_entry(void *data)
{
        struct tn_boot_entry *entry = data;

        g_free(entry->id);
        g_free(entry->title);
        g_ptr_array_unref(entry->levels);
        g_free(entry->image);
        g_ptr_array_unref(entry->initrds);
        g_free(entry->options);
        g_free(entry->release);
        g_free(entry->file);
        g_free(entry);
}

struct tn_boot_entry *tn_boot_add(struct tn_boot_reader *reader, const char *file, unsigned line)
{
        struct tn_boot_entry *entry;

        if (reader->boot->entries->len >= TN_BOOT_ENTRIES_MAX)
                return NULL;
        entry = g_new0(struct tn_boot_entry, 1);
        entry->levels = g_ptr_array_new_with_free_func(g_free);
        entry->initrds = g_ptr_array_new_with_free_func(g_free);
        entry->options = g_strdup("");
        entry->file = g_strdup(file);
        entry->line = line;
        g_ptr_array_add(reader->boot->entries, entry);
        return entry;
}

char *tn_boot_locate(const struct tn_env *env, const char *path)
{
        static const char *const roots[] = {"", "boot/", "boot/efi/", "efi/"};
        const char *paren = *path == '(' ? strchr(path, ')') : NULL; /* GRUB: (hd0,1)/vmlinuz */
        const char *below = paren ? paren + 1 : path;

        /* btrfs: /@/boot/vmlinuz and the like */
        if (g_str_has_prefix(below, "/@/"))
                below += 2;
        while (*below == '/')
                below++;
        for (size_t i = 0; *below && i < G_N_ELEMENTS(roots); i++) {
                char *whole = g_strconcat(roots[i], below, NULL);

                if (tn_env_exists(env, whole))
                        return whole;
                g_free(whole);
        }
        return NULL;
}

static bool same_file(const char *a, const char *b)
{
        g_autofree char *base_a = g_path_get_basename(a), *base_b = g_path_get_basename(b);

        return strcmp(a, b) == 0 || strcmp(base_a, base_b) == 0;
}

/* "vmlinuz-6.1.0-1" ends with the release 6.1.0-1, but "vmlinuz-16.1.0-1" does not. */
static bool ends_with_release(const char *base, const char *release)
{
        size_t base_len = strlen(base), len = strlen(release);

        return base_len > len && base[base_len - len - 1] == '-' &&
               strcmp(base + base_len - len, release) == 0;
}

/* The kernel with this image; by name where a folder has it ("…/6.1.0-1/linux"). */
static const char *find_release(const struct tn_kernels *kernels, const char *path)
{
        g_auto(GStrv) parts = g_strsplit(path, "/", -1);
        g_autofree char *base = g_path_get_basename(path);
        bool named = !g_str_equal(base, "linux") && !g_str_equal(base, "vmlinuz");
        const struct tn_kernel *kernel;

        for (size_t i = 0; (kernel = tn_kernels_at(kernels, i)); i++)
                if ((kernel->image && named && same_file(kernel->image, path)) ||
                    ends_with_release(base, kernel->release) ||
                    g_strv_contains((const char *const *) parts, kernel->release))
                        return kernel->release;
        return NULL;
}

void tn_boot_set_image(struct tn_boot_reader *reader, struct tn_boot_entry *entry, const char *path)
{
        g_free(entry->image);
        entry->image = tn_boot_locate(reader->env, path);
        if (!entry->release)
                entry->release = g_strdup(find_release(reader->kernels, entry->image ?: path));
}

void tn_boot_add_initrds(struct tn_boot_reader *reader, struct tn_boot_entry *entry, const char *paths)
{
        g_auto(GStrv) words = tn_textfile_words(paths);

        for (size_t i = 0; words[i]; i++) {
                char *path = tn_boot_locate(reader->env, words[i]);

                if (!path && *words[i] != '$') /* named, so that its absence can be told */
                        path = g_strdup(words[i] + (*words[i] == '/'));
                if (path)
                        g_ptr_array_add(entry->initrds, path);
        }
}

void tn_boot_choose(struct tn_boot *boot, const struct tn_boot_entry *entry, const char *format, ...)
{
        va_list args;

        boot->chosen = entry;
        g_free(boot->evidence);
        va_start(args, format);
        boot->evidence = g_strdup_vprintf(format, args);
        va_end(args);
}

struct tn_boot *tn_boot_read(const struct tn_env *env, const struct tn_kernels *kernels)
{
        struct tn_boot *boot = g_new0(struct tn_boot, 1);
        struct tn_boot_reader reader = {env, kernels, boot};

        boot->entries = g_ptr_array_new_with_free_func(free_entry);
        boot->evidence = g_strdup("no configuration of a boot loader was found");
        if (!tn_boot_grub_read(&reader) && !tn_boot_bls_read(&reader))
                (void) tn_boot_extlinux_read(&reader);
        return boot;
}

void tn_boot_free(struct tn_boot *boot)
{
        if (!boot)
                return;
        g_ptr_array_unref(boot->entries);
        g_free(boot->evidence);
        g_free(boot);
}

const struct tn_boot_entry *tn_boot_find(const struct tn_boot *boot, const char *release)
{
        if (boot->chosen && g_strcmp0(boot->chosen->release, release) == 0)
                return boot->chosen;
        for (guint i = 0; i < boot->entries->len; i++) {
                const struct tn_boot_entry *entry = boot->entries->pdata[i];

                if (g_strcmp0(entry->release, release) == 0)
                        return entry;
        }
        return NULL;
}
