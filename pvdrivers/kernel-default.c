/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * Which kernel the boot loader starts by itself, as far as files tell it: GRUB's menu, boot loader
 * specification entries (GRUB of Fedora and RHEL, systemd-boot), extlinux, the link /vmlinuz. A menu that
 * computes its choice is beyond us: then the answer is none, not a guess.
 */
#define _GNU_SOURCE
#include <fnmatch.h>
#include <string.h>

#include "pvdrivers/kernel-private.h"

#define DEPTH_MAX 8 /* menus within menus */

static const char *const entry_folders[] = {"boot/loader/entries", "efi/loader/entries",
                                            "boot/efi/loader/entries"};
static const char *const loader_files[] = {"boot/loader/loader.conf", "efi/loader/loader.conf",
                                           "boot/efi/loader/loader.conf"};
static const char *const grub_menus[] = {"boot/grub/grub.cfg", "boot/grub2/grub.cfg"};
static const char *const grub_envs[] = {"boot/grub/grubenv", "boot/grub2/grubenv"};

/* The kernel whose image has the last component of @path, or whose release is a component of it. */
static struct tn_kernel *by_path(const struct tn_kernels *kernels, const char *path)
{
        g_autofree char *name = g_path_get_basename(path);
        g_auto(GStrv) parts = g_strsplit(path, "/", -1);
        struct tn_kernel *kernel;

        for (size_t i = 0; (kernel = tn_kernels_at(kernels, i)); i++) {
                g_autofree char *image = kernel->image ? g_path_get_basename(kernel->image) : NULL;

                if ((g_strcmp0(image, name) == 0 && !g_str_equal(name, "linux") &&
                     !g_str_equal(name, "vmlinuz")) ||
                    g_strv_contains((const char *const *) parts, kernel->release))
                        return kernel;
        }
        return NULL;
}

static char *read_first(const struct tn_env *env, const char *const *paths, size_t count)
{
        char *text = NULL;

        for (size_t i = 0; i < count && !text; i++)
                (void) tn_env_read(env, paths[i], &text, NULL, NULL);
        return text;
}

/* The value behind @key and what separates it in the first line that begins with it, quotes taken off. */
static char *value_of(const char *text, const char *key, const char *separators)
{
        g_auto(GStrv) lines = g_strsplit(text ? text : "", "\n", -1);

        for (size_t i = 0; lines[i]; i++) {
                char *line = g_strstrip(lines[i]);
                size_t len = strlen(key);

                if (g_ascii_strncasecmp(line, key, len) == 0 && line[len] && strchr(separators, line[len])) {
                        char *value = g_strstrip(line + len + 1);
                        size_t n = strlen(value);

                        if (n >= 2 && (*value == '"' || *value == '\'') && value[n - 1] == *value)
                                return g_strndup(value + 1, n - 2);
                        return g_strdup(value);
                }
        }
        return NULL;
}

/* One entry of the boot loader specification → its kernel. */
static struct tn_kernel *from_entry(const struct tn_kernels *kernels, const char *folder, const char *name)
{
        g_autofree char *path = g_strdup_printf("%s/%s", folder, name), *text = NULL;
        g_autofree char *image = NULL, *version = NULL;
        struct tn_kernel *kernel;

        if (!tn_env_read(kernels->env, path, &text, NULL, NULL))
                return NULL;
        image = value_of(text, "linux", " \t");
        version = value_of(text, "version", " \t");
        kernel = image ? by_path(kernels, image) : NULL;
        return kernel || !version ? kernel : tn_kernels_find(kernels, version);
}

/* @wanted: the name of an entry without ".conf", perhaps a pattern; NULL: the newest kernel that has one. */
static struct tn_kernel *from_entries(const struct tn_kernels *kernels, const char *wanted)
{
        struct tn_kernel *best = NULL;

        for (size_t i = 0; i < G_N_ELEMENTS(entry_folders); i++) {
                g_auto(GStrv) names = tn_env_list(kernels->env, entry_folders[i]);

                for (size_t j = 0; names && names[j]; j++) {
                        g_autofree char *id = g_strndup(names[j], strlen(names[j]) - strlen(".conf"));
                        struct tn_kernel *kernel = NULL;

                        if (g_str_has_suffix(names[j], ".conf") &&
                            (!wanted || fnmatch(wanted, id, 0) == 0 || fnmatch(wanted, names[j], 0) == 0))
                                kernel = from_entry(kernels, entry_folders[i], names[j]);
                        if (kernel && (!best || strverscmp(kernel->release, best->release) > 0))
                                best = kernel;
                }
        }
        return best;
}

/* GRUB's menu while it is read: where we are, and what was asked for. */
struct menu {
        const struct tn_kernels *kernels;
        const char *wanted;       /* "0", "1>2", a title, an id */
        unsigned next[DEPTH_MAX]; /* number of the next entry at each depth */
        bool chosen[DEPTH_MAX];   /* what we are in is what was asked for */
        bool is_entry[DEPTH_MAX];
        unsigned depth;
        struct tn_kernel *found;
};

/* Is the part of @wanted for this depth the number, the title or the id of a line "menuentry 'TITLE' … ID
 * {"? */
static bool is_wanted(const struct menu *menu, const char *line)
{
        g_auto(GStrv) parts = g_strsplit(menu->wanted, ">", -1);
        const char *part = menu->depth < g_strv_length(parts) ? parts[menu->depth] : NULL;
        g_autofree char *number = g_strdup_printf("%u", menu->next[menu->depth]);
        g_autofree char *title = NULL;

        if (!part)
                return false;
        if (g_str_equal(part, number))
                return true;
        title = g_strdup_printf("'%s'", part);
        return strstr(line, title) != NULL;
}

static void enter(struct menu *menu, const char *line, bool is_entry)
{
        bool wanted = is_wanted(menu, line) && (menu->depth == 0 || menu->chosen[menu->depth - 1]);

        menu->chosen[menu->depth] = wanted;
        menu->is_entry[menu->depth] = is_entry;
        menu->next[menu->depth]++;
        menu->depth++;
        menu->next[menu->depth] = 0;
}

static void read_menu_line(struct menu *menu, char *line)
{
        bool is_entry = g_str_has_prefix(line, "menuentry ");
        g_auto(GStrv) words = NULL;

        if ((is_entry || g_str_has_prefix(line, "submenu ")) && g_str_has_suffix(line, "{") &&
            menu->depth + 1 < DEPTH_MAX) {
                enter(menu, line, is_entry);
                return;
        }
        if (menu->depth == 0)
                return;
        if (g_str_equal(line, "}")) {
                menu->depth--;
                return;
        }
        words = g_strsplit_set(line, " \t", 3);
        if (!menu->found && menu->is_entry[menu->depth - 1] && menu->chosen[menu->depth - 1] && words[0] &&
            words[1] && (g_str_equal(words[0], "linux") || g_str_equal(words[0], "linuxefi")))
                menu->found = by_path(menu->kernels, words[1]);
}

static struct tn_kernel *from_grub(const struct tn_kernels *kernels)
{
        g_autofree char *text = read_first(kernels->env, grub_menus, G_N_ELEMENTS(grub_menus));
        g_autofree char *saved = read_first(kernels->env, grub_envs, G_N_ELEMENTS(grub_envs));
        g_autofree char *settings = NULL, *wanted = NULL;
        g_auto(GStrv) lines = NULL;
        struct menu menu = {.kernels = kernels};

        if (!text)
                return NULL;
        (void) tn_env_read(kernels->env, "etc/default/grub", &settings, NULL, NULL);
        wanted = value_of(settings, "GRUB_DEFAULT", "=");
        if (!wanted || g_str_equal(wanted, "saved") || strstr(text, "blscfg")) {
                g_free(wanted);
                wanted = value_of(saved, "saved_entry", "=");
        }
        if (strstr(text, "blscfg"))
                return from_entries(kernels, wanted && *wanted ? wanted : NULL);
        menu.wanted = wanted && *wanted ? wanted : "0";
        lines = g_strsplit(text, "\n", -1);
        for (size_t i = 0; lines[i]; i++)
                read_menu_line(&menu, g_strstrip(lines[i]));
        return menu.found;
}

static struct tn_kernel *from_systemd_boot(const struct tn_kernels *kernels)
{
        g_autofree char *text = read_first(kernels->env, loader_files, G_N_ELEMENTS(loader_files));
        g_autofree char *wanted = value_of(text, "default", " \t");

        return text ? from_entries(kernels, wanted) : NULL;
}

static struct tn_kernel *from_extlinux(const struct tn_kernels *kernels)
{
        g_autofree char *text = NULL, *wanted = NULL, *label = NULL;
        g_auto(GStrv) lines = NULL;

        if (!tn_env_read(kernels->env, "boot/extlinux/extlinux.conf", &text, NULL, NULL) &&
            !tn_env_read(kernels->env, "boot/extlinux.conf", &text, NULL, NULL))
                return NULL;
        wanted = value_of(text, "default", " \t");
        lines = g_strsplit(text, "\n", -1);
        for (size_t i = 0; lines[i]; i++) {
                g_autofree char *name = value_of(lines[i], "label", " \t");
                g_autofree char *image = value_of(lines[i], "linux", " \t");

                if (!image)
                        image = value_of(lines[i], "kernel", " \t");
                if (name) {
                        g_free(label);
                        label = g_steal_pointer(&name);
                }
                if (image && label && (!wanted || g_str_equal(label, wanted)))
                        return by_path(kernels, image);
        }
        return NULL;
}

/* Debian keeps a link to the newest one where no menu is wanted. */
static struct tn_kernel *from_link(const struct tn_kernels *kernels)
{
        g_autofree char *root = tn_env_readlink(kernels->env, "vmlinuz");
        g_autofree char *boot = tn_env_readlink(kernels->env, "boot/vmlinuz");

        if (root)
                return by_path(kernels, root);
        return boot ? by_path(kernels, boot) : NULL;
}

static struct tn_kernel *the_only_one(const struct tn_kernels *kernels)
{
        struct tn_kernel *only = NULL;

        for (size_t i = 0; tn_kernels_at(kernels, i); i++) {
                if (!tn_kernels_at(kernels, i)->image)
                        continue;
                if (only)
                        return NULL;
                only = tn_kernels_at(kernels, i);
        }
        return only;
}

struct tn_kernel *tn_kernel_default_find(const struct tn_kernels *kernels)
{
        static struct tn_kernel *(*const sources[])(const struct tn_kernels *) = {
                from_grub, from_systemd_boot, from_extlinux, from_link, the_only_one};
        struct tn_kernel *kernel = NULL;

        for (size_t i = 0; i < G_N_ELEMENTS(sources) && !kernel; i++)
                kernel = sources[i](kernels);
        return kernel;
}
