/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * Finds the installed kernels: a folder in lib/modules, an image in boot/, or both. Distributions name the
 * image and the initramfs after the release (Debian, Fedora, SUSE), after the flavour (Alpine) or after the
 * package (Arch); the tables below hold the names.
 */
#define _GNU_SOURCE
#include <string.h>

#include "pvdrivers/kernel-index.h"
#include "pvdrivers/kernel-private.h"

#define KERNELS_MAX 64

static const char *const module_roots[] = {"lib/modules", "usr/lib/modules"};
static const char *const image_prefixes[] = {"boot/vmlinuz-", "boot/vmlinux-", "boot/kernel-", "boot/Image-",
                                             "boot/bzImage-"};
static const struct {
        const char *prefix, *suffix;
} initramfs_names[] = {
        {"boot/initrd.img-", ""},    /* Debian, Ubuntu */
        {"boot/initramfs-", ".img"}, /* Fedora, RHEL, Arch */
        {"boot/initrd-", ""},        /* SUSE */
        {"boot/initramfs-", ""},     /* Alpine */
        {"boot/initrd-", ".img"},    /* ALT */
};

/* What the files in boot/ may be called after: the release, Arch's package, Alpine's flavour. */
static char **boot_names(const struct tn_env *env, const struct tn_kernel *kernel)
{
        char **names = g_new0(char *, 4);
        const char *flavour = strrchr(kernel->release, '-');
        g_autofree char *pkgbase = NULL;
        size_t n = 0;

        names[n++] = g_strdup(kernel->release);
        if (kernel->modules_dir) {
                pkgbase = g_strdup_printf("%s/pkgbase", kernel->modules_dir);
                names[n] = tn_env_read_line(env, pkgbase);
                if (names[n])
                        n++;
        }
        if (flavour)
                names[n++] = g_strdup(flavour + 1);
        return names;
}

static void find_image(const struct tn_env *env, struct tn_kernel *kernel, char **names)
{
        g_autofree char *own = kernel->modules_dir ? g_strdup_printf("%s/vmlinuz", kernel->modules_dir)
                                                   : NULL;

        for (size_t i = 0; names[i] && !kernel->image; i++)
                for (size_t j = 0; j < G_N_ELEMENTS(image_prefixes) && !kernel->image; j++) {
                        g_autofree char *path = g_strconcat(image_prefixes[j], names[i], NULL);

                        if (tn_env_exists(env, path))
                                kernel->image = g_steal_pointer(&path);
                }
        if (!kernel->image && own && tn_env_exists(env, own))
                kernel->image = g_steal_pointer(&own);
}

static void find_initramfs(const struct tn_env *env, struct tn_kernel *kernel, char **names)
{
        for (size_t i = 0; names[i]; i++)
                for (size_t j = 0; j < G_N_ELEMENTS(initramfs_names); j++) {
                        g_autofree char *path = g_strconcat(initramfs_names[j].prefix, names[i],
                                                            initramfs_names[j].suffix, NULL);

                        if (tn_env_exists(env, path)) {
                                kernel->initramfs = g_steal_pointer(&path);
                                return;
                        }
                }
}

/* kernel-install's folder of an image without a name in boot/ itself: boot/MACHINE-ID/RELEASE/. */
static void find_by_machine_id(const struct tn_env *env, struct tn_kernel *kernel)
{
        g_autofree char *id = tn_env_read_line(env, "etc/machine-id");
        g_autofree char *image = g_strdup_printf("boot/%s/%s/linux", id, kernel->release);
        g_autofree char *initramfs = g_strdup_printf("boot/%s/%s/initrd", id, kernel->release);

        if (!id)
                return;
        if (!kernel->image && tn_env_exists(env, image))
                kernel->image = g_steal_pointer(&image);
        if (!kernel->initramfs && tn_env_exists(env, initramfs))
                kernel->initramfs = g_steal_pointer(&initramfs);
}

static void add(struct tn_kernels *kernels, const char *release, const char *modules_dir)
{
        struct tn_kernel *kernel;
        g_autofree char *running = tn_env_read_line(kernels->env, "proc/sys/kernel/osrelease");
        g_auto(GStrv) names = NULL;

        if (kernels->array->len >= KERNELS_MAX || tn_kernels_find(kernels, release))
                return;
        kernel = g_new0(struct tn_kernel, 1);
        kernel->release = g_strdup(release);
        kernel->modules_dir = g_strdup(modules_dir);
        kernel->owner = kernels;
        kernel->running = g_strcmp0(running, release) == 0;
        names = boot_names(kernels->env, kernel);
        find_image(kernels->env, kernel, names);
        find_initramfs(kernels->env, kernel, names);
        find_by_machine_id(kernels->env, kernel);
        g_ptr_array_add(kernels->array, kernel);
}

/* Removed kernels leave folders behind with what dkms or depmod put there. */
static bool is_kernel(const struct tn_env *env, const char *folder)
{
        static const char *const signs[] = {"modules.order", "modules.builtin", "kernel", "vmlinuz"};

        for (size_t i = 0; i < G_N_ELEMENTS(signs); i++) {
                g_autofree char *path = g_strdup_printf("%s/%s", folder, signs[i]);

                if (tn_env_exists(env, path))
                        return true;
        }
        return false;
}

static void add_folders(struct tn_kernels *kernels, const char *root)
{
        g_auto(GStrv) names = tn_env_list(kernels->env, root);

        for (size_t i = 0; names && names[i]; i++) {
                g_autofree char *folder = g_strdup_printf("%s/%s", root, names[i]);

                if (is_kernel(kernels->env, folder))
                        add(kernels, names[i], folder);
        }
}

static bool has_image(const struct tn_kernels *kernels, const char *path)
{
        for (guint i = 0; i < kernels->array->len; i++)
                if (g_strcmp0(((struct tn_kernel *) kernels->array->pdata[i])->image, path) == 0)
                        return true;
        return false;
}

/* Images without a modules folder. A rescue image is no kernel of its own. */
static void add_images(struct tn_kernels *kernels)
{
        g_auto(GStrv) names = tn_env_list(kernels->env, "boot");

        for (size_t i = 0; names && names[i]; i++) {
                g_autofree char *path = g_strdup_printf("boot/%s", names[i]);

                for (size_t j = 0; j < G_N_ELEMENTS(image_prefixes); j++) {
                        const char *release = path + strlen(image_prefixes[j]);

                        if (g_str_has_prefix(path, image_prefixes[j]) && g_ascii_isdigit(*release) &&
                            !strstr(release, "rescue") && !g_str_has_suffix(release, ".old") &&
                            !g_str_has_suffix(release, ".bak") && !has_image(kernels, path))
                                add(kernels, release, NULL);
                }
        }
}

static int newest_first(gconstpointer a, gconstpointer b)
{
        const struct tn_kernel *one = *(struct tn_kernel *const *) a, *two = *(struct tn_kernel *const *) b;

        return strverscmp(two->release, one->release);
}

static void free_kernel(void *data)
{
        struct tn_kernel *kernel = data;

        tn_kernel_index_free(kernel->index);
        g_free(kernel->release);
        g_free(kernel->modules_dir);
        g_free(kernel->image);
        g_free(kernel->initramfs);
        g_free(kernel);
}

struct tn_kernels *tn_kernels_new(const struct tn_env *env)
{
        struct tn_kernels *kernels = g_new0(struct tn_kernels, 1);
        g_autofree char *running = NULL;
        struct tn_kernel *found;

        kernels->env = env;
        kernels->array = g_ptr_array_new_with_free_func(free_kernel);
        for (size_t i = 0; i < G_N_ELEMENTS(module_roots); i++)
                add_folders(kernels, module_roots[i]);
        add_images(kernels);
        running = tn_env_read_line(env, "proc/sys/kernel/osrelease");
        if (running)
                add(kernels, running, NULL);
        g_ptr_array_sort(kernels->array, newest_first);
        found = tn_kernel_default_find(kernels);
        if (found)
                found->is_default = true;
        return kernels;
}

void tn_kernels_free(struct tn_kernels *kernels)
{
        if (!kernels)
                return;
        g_ptr_array_unref(kernels->array);
        g_clear_pointer(&kernels->blacklist, g_hash_table_unref);
        g_free(kernels);
}

struct tn_kernel *tn_kernels_at(const struct tn_kernels *kernels, size_t index)
{
        return index < kernels->array->len ? kernels->array->pdata[index] : NULL;
}

struct tn_kernel *tn_kernels_running(const struct tn_kernels *kernels)
{
        struct tn_kernel *kernel = NULL;

        for (size_t i = 0; (kernel = tn_kernels_at(kernels, i)) && !kernel->running;)
                i++;
        return kernel;
}

struct tn_kernel *tn_kernels_default(const struct tn_kernels *kernels)
{
        struct tn_kernel *kernel = NULL;

        for (size_t i = 0; (kernel = tn_kernels_at(kernels, i)) && !kernel->is_default;)
                i++;
        return kernel;
}

struct tn_kernel *tn_kernels_find(const struct tn_kernels *kernels, const char *release)
{
        struct tn_kernel *kernel = NULL;

        for (size_t i = 0; (kernel = tn_kernels_at(kernels, i)) && !g_str_equal(kernel->release, release);)
                i++;
        return kernel;
}
