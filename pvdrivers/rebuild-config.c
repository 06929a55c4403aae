/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * Configuration of the initramfs builders. What we add stands in a file of our own where the builder reads a
 * folder, else in a block between two marks. A second run adds to what the first one wrote: a guest that was
 * made ready for one hypervisor stays ready for it.
 */
#include "pvdrivers/rebuild-config.h"

#include <string.h>

#include "lib/error.h"

#define BEGIN_MARK "# Begin: added by `tenonctl drivers prepare`; `tenonctl drivers undo` takes it out.\n"
#define END_MARK   "# End: added by `tenonctl drivers prepare`.\n"
#define OWN_HEAD   "# Written by `tenonctl drivers prepare`; `tenonctl drivers undo` removes this file.\n"
#define WHY        "the drivers of the target go into the initramfs"

#define INITRAMFS_TOOLS_MODULES "etc/initramfs-tools/modules"
#define DRACUT_FILE             "etc/dracut.conf.d/50-tenon.conf"
#define MKINITCPIO_FOLDER       "etc/mkinitcpio.conf.d"
#define MKINITCPIO_FILE         MKINITCPIO_FOLDER "/50-tenon.conf"
#define MKINITCPIO_MAIN         "etc/mkinitcpio.conf"
#define MKINITFS_FEATURE        "etc/mkinitfs/features.d/tenon.modules"
#define MKINITFS_MAIN           "etc/mkinitfs/mkinitfs.conf"

/* What is between our marks in @text, borrowed with its length, or NULL. */
static const char *find_block(const char *text, size_t *ret_len)
{
        const char *begin = strstr(text, BEGIN_MARK), *end = begin ? strstr(begin, END_MARK) : NULL;

        if (!end)
                return NULL;
        *ret_len = (size_t) (end + strlen(END_MARK) - begin);
        return begin;
}

/* @text with the block @body in place of an earlier one, or at its end. */
static char *set_block(const char *text, const char *body)
{
        size_t len = 0;
        const char *old = find_block(text, &len);
        const char *head = old ? old : text + strlen(text);
        g_autofree char *before = g_strndup(text, (gsize) (head - text));
        const char *newline = *before && !g_str_has_suffix(before, "\n") ? "\n" : "";

        return g_strconcat(before, newline, BEGIN_MARK, body, END_MARK, old ? old + len : "", NULL);
}

/* Words of @text that look like names of modules, and @modules, each once. */
static char **merge_words(const char *text, char **modules)
{
        g_auto(GStrv) words = g_strsplit_set(text, " \t\n\"()", -1);
        g_autoptr(GPtrArray) all = g_ptr_array_new();

        for (char **lists[] = {words, modules, NULL}, ***list = lists; *list; list++)
                for (char **word = *list; *word; word++)
                        if (**word && !strpbrk(*word, "=#`") &&
                            !g_ptr_array_find_with_equal_func(all, *word, g_str_equal, NULL))
                                g_ptr_array_add(all, *word);
        for (guint i = 0; i < all->len; i++)
                all->pdata[i] = g_strdup(all->pdata[i]);
        g_ptr_array_add(all, NULL);
        return (char **) g_ptr_array_free(g_steal_pointer(&all), FALSE);
}

/* Text without comments. */
static char *strip_comments(const char *text)
{
        g_auto(GStrv) lines = g_strsplit(text, "\n", -1);

        for (char **line = lines; *line; line++)
                (*line)[strcspn(*line, "#")] = '\0';
        return g_strjoinv("\n", lines);
}

/* @modules and those that an earlier run put into @text, which is a block or a file of ours. */
static char **merge_modules(const char *text, char **modules)
{
        g_autofree char *plain = strip_comments(text);

        return merge_words(plain, modules);
}

static void add_change(GPtrArray *changes, const char *path, char *text, const char *old)
{
        if (g_str_equal(text, old)) {
                g_free(text);
                return;
        }
        g_ptr_array_add(changes, tn_change_new(g_strdup(path), text, old, WHY, true));
}

bool tn_rebuild_config_initramfs_tools(const struct tn_env *env, const struct tn_kernels *kernels,
                                       char **modules, GPtrArray *changes, GError **error)
{
        g_autofree char *text = tn_change_read(env, INITRAMFS_TOOLS_MODULES, error);
        g_autofree char *earlier = NULL, *lines = NULL, *body = NULL;
        g_auto(GStrv) all = NULL;
        const char *block;
        size_t len = 0;

        (void) kernels;
        if (!text)
                return false;
        block = find_block(text, &len);
        earlier = g_strndup(block ? block : "", len);
        all = merge_modules(earlier, modules);
        lines = g_strjoinv("\n", all);
        body = g_strconcat(lines, "\n", NULL);
        add_change(changes, INITRAMFS_TOOLS_MODULES, set_block(text, body), text);
        return true;
}

bool tn_rebuild_config_dracut(const struct tn_env *env, const struct tn_kernels *kernels, char **modules,
                              GPtrArray *changes, GError **error)
{
        g_autofree char *text = tn_change_read(env, DRACUT_FILE, error);
        g_autofree char *words = NULL;
        g_auto(GStrv) all = NULL;

        (void) kernels;
        if (!text)
                return false;
        all = merge_modules(text, modules);
        words = g_strjoinv(" ", all);
        /* The blanks at the ends matter: other files add to the same list. */
        add_change(changes, DRACUT_FILE, g_strdup_printf("%sadd_drivers+=\" %s \"\n", OWN_HEAD, words),
                   text);
        return true;
}

bool tn_rebuild_config_mkinitcpio(const struct tn_env *env, const struct tn_kernels *kernels, char **modules,
                                  GPtrArray *changes, GError **error)
{
        /* Its folder for additions came with version 38; before, the one file is a shell script. */
        bool folder = tn_env_exists(env, MKINITCPIO_FOLDER);
        const char *path = folder ? MKINITCPIO_FILE : MKINITCPIO_MAIN;
        g_autofree char *text = tn_change_read(env, path, error);
        g_autofree char *earlier = NULL, *words = NULL, *body = NULL;
        g_auto(GStrv) all = NULL;
        const char *block;
        size_t len = 0;

        (void) kernels;
        if (!text)
                return false;
        block = folder ? text : find_block(text, &len);
        earlier = folder ? g_strdup(text) : g_strndup(block ? block : "", len);
        all = merge_modules(earlier, modules);
        words = g_strjoinv(" ", all);
        body = g_strdup_printf("MODULES+=(%s)\n", words);
        add_change(changes, path, folder ? g_strconcat(OWN_HEAD, body, NULL) : set_block(text, body), text);
        return true;
}

/* "kernel/drivers/block/virtio_blk.ko*" of each module that a kernel has as a file. */
static char **module_patterns(const struct tn_kernels *kernels, char **modules)
{
        g_autoptr(GPtrArray) patterns = g_ptr_array_new_with_free_func(g_free);
        struct tn_kernel *kernel;

        for (size_t i = 0; (kernel = tn_kernels_at(kernels, i)); i++)
                for (char **name = modules; *name; name++) {
                        g_autoptr(tn_module_t) module = tn_kernel_module(kernel, *name);
                        const char *inside = module->path ? strstr(module->path, "/kernel/") : NULL;
                        const char *end = inside ? strstr(inside, ".ko") : NULL;
                        g_autofree char *pattern = end ? g_strdup_printf("%.*s.ko*",
                                                                         (int) (end - inside - 1),
                                                                         inside + 1)
                                                       : NULL;

                        if (pattern &&
                            !g_ptr_array_find_with_equal_func(patterns, pattern, g_str_equal, NULL))
                                g_ptr_array_add(patterns, g_steal_pointer(&pattern));
                }
        g_ptr_array_set_free_func(patterns, NULL);
        g_ptr_array_add(patterns, NULL);
        return (char **) g_ptr_array_free(g_steal_pointer(&patterns), FALSE);
}

/* features="ata base … tenon"; NULL when there is no such line. */
static char *add_feature(const char *text)
{
        const char *line = g_str_has_prefix(text, "features=\"") ? text : strstr(text, "\nfeatures=\"");
        const char *begin = line ? strchr(line, '"') + 1 : NULL;
        const char *end = begin ? strchr(begin, '"') : NULL;
        g_autofree char *list = end ? g_strndup(begin, (gsize) (end - begin)) : NULL;
        g_auto(GStrv) words = list ? g_strsplit_set(list, " \t\n", -1) : NULL;

        if (!words)
                return NULL;
        if (g_strv_contains((const char *const *) words, "tenon"))
                return g_strdup(text);
        return g_strdup_printf("%.*s%s%stenon%s", (int) (begin - text), text, list, *list ? " " : "", end);
}

bool tn_rebuild_config_mkinitfs(const struct tn_env *env, const struct tn_kernels *kernels, char **modules,
                                GPtrArray *changes, GError **error)
{
        g_autofree char *feature = tn_change_read(env, MKINITFS_FEATURE, error), *main_text = NULL;
        g_autofree char *lines = NULL, *features = NULL;
        g_auto(GStrv) patterns = module_patterns(kernels, modules), all = NULL;

        if (!feature || !tn_env_read(env, MKINITFS_MAIN, &main_text, NULL, error))
                return false;
        features = add_feature(main_text);
        if (!features)
                return tn_error_set(error, TN_ERROR_INVALID,
                                    "/%s has no line features=\"…\"; mkinitfs needs one", MKINITFS_MAIN);
        all = merge_modules(feature, patterns);
        lines = g_strjoinv("\n", all);
        add_change(changes, MKINITFS_FEATURE, g_strconcat(lines, "\n", NULL), feature);
        add_change(changes, MKINITFS_MAIN, g_steal_pointer(&features), main_text);
        return true;
}
