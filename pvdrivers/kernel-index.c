/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * Reads the lists of a modules folder. modules.dep and modules.builtin are read as text: they are there on
 * every distribution, and a recorded machine can have a few lines of them. Aliases are many (a megabyte), so
 * libkmod's binary index answers where there is one. libkmod is handed a folder by descriptor, which keeps
 * it below the root of the env, and no configuration: blacklists are blacklist.c's.
 */
#define _GNU_SOURCE
#include "pvdrivers/kernel-index.h"

#include <fcntl.h>
#include <fnmatch.h>
#include <libkmod.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/fd.h"
#include "pvdrivers/kernel.h"

#define LINE_MAX_BYTES (64 * 1024) /* a longer line of a list is not one of depmod's */

typedef void (*line_func)(char *line, void *data);

/* A file of the folder; resolved by the env, for distributions make links of these. -1: there is none. */
static int open_below(const struct tn_kernel_index *index, const char *file)
{
        g_autofree char *path = *file == '/' ? g_strdup(file + 1)
                                             : g_strdup_printf("%s/%s", index->folder, file);

        return index->folder ? tn_env_open(index->env, path, O_RDONLY | O_NOCTTY, NULL) : -1;
}

/* Each text of @file that ends with @end, the end taken off. */
static void each_line(const struct tn_kernel_index *index, const char *file, int end, line_func func,
                      void *data)
{
        int fd = open_below(index, file);
        FILE *stream = fd < 0 ? NULL : fdopen(fd, "r");
        char *line = NULL;
        size_t size = 0;
        ssize_t len;

        if (!stream) {
                tn_fd_close(&fd);
                return;
        }
        while ((len = getdelim(&line, &size, end, stream)) > 0 && len < LINE_MAX_BYTES) {
                if (line[len - 1] == end)
                        line[len - 1] = '\0';
                func(line, data);
        }
        free(line);
        (void) fclose(stream);
}

char *tn_kernel_module_name(const char *file)
{
        g_autofree char *base = g_path_get_basename(file);
        char *suffix = strstr(base, ".ko");

        if (suffix && (suffix[3] == '\0' || suffix[3] == '.'))
                *suffix = '\0';
        return g_strdup(g_strdelimit(base, "-", '_'));
}

static void add_dependency_line(char *line, void *data)
{
        struct tn_kernel_index *index = data;
        char *colon = strchr(line, ':');
        char *name;

        if (!colon)
                return;
        *colon = '\0';
        name = tn_kernel_module_name(line);
        g_hash_table_insert(index->needs, g_strdup(name), g_strstrip(g_strdup(colon + 1)));
        g_hash_table_insert(index->paths, name, g_strdup(line));
}

static void add_order_line(char *line, void *data)
{
        struct tn_kernel_index *index = data;

        if (*line)
                g_hash_table_insert(index->paths, tn_kernel_module_name(line), g_strdup(line));
}

static void add_builtin_line(char *line, void *data)
{
        struct tn_kernel_index *index = data;

        if (*line)
                g_hash_table_add(index->builtin, tn_kernel_module_name(line));
}

/* libkmod for the folder that we have open, if there is something that it can read. */
static struct kmod_ctx *open_kmod(int fd)
{
        const char *const no_configuration[] = {NULL};
        g_autofree char *path = g_strdup_printf("/proc/self/fd/%d", fd);

        if (faccessat(fd, "modules.alias.bin", R_OK, 0) < 0)
                return NULL;
        return kmod_new(path, no_configuration);
}

/* "CONFIG_X=y"; a value that is no letter is as good as "y". */
GHashTable *tn_kernel_index_options(const struct tn_env *env, const char *path)
{
        g_autofree char *text = NULL;
        g_auto(GStrv) lines = NULL;
        GHashTable *options;

        if (!tn_env_read(env, path, &text, NULL, NULL))
                return NULL;
        options = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
        lines = g_strsplit(text, "\n", -1);
        for (size_t i = 0; lines[i]; i++) {
                char *value = strchr(lines[i], '=');

                if (!value || !g_str_has_prefix(lines[i], "CONFIG_"))
                        continue;
                *value++ = '\0';
                g_hash_table_insert(options, g_strdup(lines[i]), g_strdup(value));
        }
        return options;
}

struct tn_kernel_index *tn_kernel_index_new(const struct tn_env *env, const char *modules_dir)
{
        struct tn_kernel_index *index = g_new0(struct tn_kernel_index, 1);

        index->paths = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
        index->needs = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
        index->builtin = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
        index->env = env;
        index->folder = g_strdup(modules_dir);
        index->fd = modules_dir ? tn_env_open(env, modules_dir, O_RDONLY | O_DIRECTORY, NULL) : -1;
        if (index->fd < 0)
                return index;
        each_line(index, "modules.dep", '\n', add_dependency_line, index);
        if (g_hash_table_size(index->paths) == 0)
                each_line(index, "modules.order", '\n', add_order_line, index);
        each_line(index, "modules.builtin", '\n', add_builtin_line, index);
        index->ctx = open_kmod(index->fd);
        return index;
}

void tn_kernel_index_free(struct tn_kernel_index *index)
{
        if (!index)
                return;
        kmod_unref(index->ctx);
        g_hash_table_unref(index->paths);
        g_hash_table_unref(index->needs);
        g_hash_table_unref(index->builtin);
        g_clear_pointer(&index->options, g_hash_table_unref);
        tn_fd_close(&index->fd);
        g_free(index->folder);
        g_free(index);
}

static void add_name(GPtrArray *names, const char *name)
{
        if (!g_ptr_array_find_with_equal_func(names, name, g_str_equal, NULL))
                g_ptr_array_add(names, g_strdup(name));
}

static void lookup_binary(struct kmod_ctx *ctx, const char *modalias, GPtrArray *names)
{
        struct kmod_list *found = NULL;

        if (kmod_module_new_from_lookup(ctx, modalias, &found) >= 0)
                for (struct kmod_list *item = found; item; item = kmod_list_next(found, item)) {
                        struct kmod_module *module = kmod_module_get_module(item);

                        add_name(names, kmod_module_get_name(module));
                        kmod_module_unref(module);
                }
        kmod_module_unref_list(found);
}

struct lookup {
        const char *modalias;
        GPtrArray *names;
};

static void match_alias(const struct lookup *lookup, const char *pattern, const char *module)
{
        if (fnmatch(pattern, lookup->modalias, 0) == 0)
                add_name(lookup->names, module);
}

/* "alias PATTERN MODULE" */
static void match_alias_line(char *line, void *data)
{
        char *pattern = g_str_has_prefix(line, "alias ") ? line + strlen("alias ") : NULL;
        char *space = pattern ? strrchr(pattern, ' ') : NULL;

        if (!space)
                return;
        *space = '\0';
        match_alias(data, pattern, g_strdelimit(space + 1, "-", '_'));
}

/* "MODULE.alias=PATTERN" of modules.builtin.modinfo, whose lines end with NUL */
static void match_builtin_line(char *line, void *data)
{
        char *alias = strstr(line, ".alias=");

        if (!alias)
                return;
        *alias = '\0';
        match_alias(data, alias + strlen(".alias="), g_strdelimit(line, "-", '_'));
}

void tn_kernel_index_lookup(const struct tn_kernel_index *index, const char *modalias, GPtrArray *names)
{
        struct lookup lookup = {modalias, names};

        if (index->fd < 0)
                return;
        if (index->ctx) {
                lookup_binary(index->ctx, modalias, names);
                return;
        }
        each_line(index, "modules.alias", '\n', match_alias_line, &lookup);
        each_line(index, "modules.builtin.modinfo", '\0', match_builtin_line, &lookup);
}

/* The mark is the very end of a module that is not compressed. */
static bool plain_signed(int fd)
{
        char end[sizeof TN_KERNEL_SIGNATURE_MARK - 1];
        struct stat st;

        return fstat(fd, &st) == 0 && st.st_size >= (off_t) sizeof end &&
               pread(fd, end, sizeof end, st.st_size - (off_t) sizeof end) == (ssize_t) sizeof end &&
               memcmp(end, TN_KERNEL_SIGNATURE_MARK, sizeof end) == 0;
}

static bool compressed_signed(int fd)
{
        const char *const no_configuration[] = {NULL};
        g_autofree char *path = g_strdup_printf("/proc/self/fd/%d", fd);
        struct kmod_ctx *ctx = kmod_new("/", no_configuration);
        struct kmod_module *module = NULL;
        struct kmod_list *info = NULL;
        bool found = false;

        if (ctx && kmod_module_new_from_path(ctx, path, &module) >= 0 &&
            kmod_module_get_info(module, &info) >= 0)
                for (struct kmod_list *item = info; item; item = kmod_list_next(info, item))
                        found = found || g_str_equal(kmod_module_info_get_key(item), "sig_id");
        kmod_module_info_free_list(info);
        kmod_module_unref(module);
        kmod_unref(ctx);
        return found;
}

bool tn_kernel_index_signed(const struct tn_kernel_index *index, const char *file)
{
        tn_autofd int fd = open_below(index, file);

        if (fd < 0)
                return false;
        return plain_signed(fd) || (!g_str_has_suffix(file, ".ko") && compressed_signed(fd));
}
