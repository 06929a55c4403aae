/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* Questions about an image that was read. */
#include <stdlib.h>
#include <string.h>

#include "pvdrivers/initramfs.h"
#include "pvdrivers/kernel.h"
#include "pvdrivers/textfile.h"

void tn_initramfs_free(struct tn_initramfs *initramfs)
{
        if (!initramfs)
                return;
        g_free(initramfs->path);
        g_array_unref(initramfs->segments);
        g_ptr_array_unref(initramfs->files);
        g_hash_table_unref(initramfs->links);
        g_hash_table_unref(initramfs->modules);
        g_hash_table_unref(initramfs->texts);
        g_free(initramfs);
}

const char *tn_initramfs_find_module(const struct tn_initramfs *initramfs, const char *release,
                                     const char *name)
{
        g_autofree char *module = tn_kernel_module_name(name);
        g_autofree char *key = g_strdup_printf("%s/%s", release, module);

        return g_hash_table_lookup(initramfs->modules, key);
}

bool tn_initramfs_has_release(const struct tn_initramfs *initramfs, const char *release)
{
        g_autofree char *prefix = g_strdup_printf("%s/", release);
        GHashTableIter iter;
        gpointer key;

        g_hash_table_iter_init(&iter, initramfs->modules);
        while (g_hash_table_iter_next(&iter, &key, NULL))
                if (g_str_has_prefix(key, prefix))
                        return true;
        return false;
}

static int compare_name(const void *name, const void *element)
{
        return strcmp(name, *(const char *const *) element);
}

bool tn_initramfs_has_file(const struct tn_initramfs *initramfs, const char *name)
{
        const GPtrArray *files = initramfs->files;

        return files->len > 0 && bsearch(name, files->pdata, files->len, sizeof *files->pdata, compare_name);
}

const char *tn_initramfs_find_text(const struct tn_initramfs *initramfs, const char *name)
{
        return g_hash_table_lookup(initramfs->texts, name);
}

static bool forbids(const char *text, const char *name)
{
        g_autoptr(GPtrArray) lines = tn_textfile_parse(text);

        for (guint i = 0; i < lines->len; i++) {
                g_auto(GStrv) words = tn_textfile_words(tn_textfile_at(lines, i)->text);
                g_autofree char *module = NULL;

                if (g_strv_length(words) < 2 || !g_str_equal(words[0], "blacklist"))
                        continue;
                module = tn_kernel_module_name(words[1]);
                if (g_str_equal(module, name))
                        return true;
        }
        return false;
}

const char *tn_initramfs_find_blacklist(const struct tn_initramfs *initramfs, const char *name)
{
        g_autofree char *module = tn_kernel_module_name(name);
        GHashTableIter iter;
        gpointer path, text;

        g_hash_table_iter_init(&iter, initramfs->texts);
        while (g_hash_table_iter_next(&iter, &path, &text))
                if (strstr(path, "modprobe.d/") && forbids(text, module))
                        return path;
        return NULL;
}

const char *tn_initramfs_compressor(const struct tn_initramfs *initramfs)
{
        const GArray *segments = initramfs->segments;

        return segments->len > 0
                       ? g_array_index(segments, struct tn_initramfs_segment, segments->len - 1).compressor
                       : "none";
}
