/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * What prepare has to change. The kernels decide: an image is built anew when it lacks a driver that its
 * kernel has as a file, or when a file that images carry a copy of is going to change.
 */
#include "pvdrivers/fixes.h"

#include <string.h>

#include "lib/error.h"
#include "pvdrivers/fixes-files.h"
#include "pvdrivers/fixes-loader.h"
#include "pvdrivers/fixes-pins.h"
#include "pvdrivers/initramfs.h"

void tn_fixes_free(struct tn_fixes *fixes)
{
        if (!fixes)
                return;
        g_ptr_array_unref(fixes->changes);
        g_ptr_array_unref(fixes->rebuild);
        g_ptr_array_unref(fixes->notes);
        g_strfreev(fixes->modules);
        g_free(fixes);
}

static void add_module(GPtrArray *modules, const char *name)
{
        if (!g_ptr_array_find_with_equal_func(modules, name, g_str_equal, NULL))
                g_ptr_array_add(modules, g_strdup(name));
}

char **tn_fixes_boot_modules(const struct tn_catalogue *catalogue, enum tn_pv_platform platform)
{
        g_autoptr(GPtrArray) rows = tn_catalogue_for(catalogue, platform, _TN_PV_ROLE_MAX);
        g_autoptr(GPtrArray) modules = g_ptr_array_new();

        for (guint i = 0; i < rows->len; i++) {
                const struct tn_pv_driver *row = g_ptr_array_index(rows, i);
                g_auto(GStrv) needs = row->needs ? g_strsplit(row->needs, " ", -1) : NULL;
                bool bus = row->role == TN_PV_BUS && (row->flags & TN_PV_BOOT);
                bool disk = row->role == TN_PV_STORAGE && (row->flags & (TN_PV_BOOT | TN_PV_EMULATED));

                if (!(bus || disk) || (row->flags & TN_PV_UNSAFE))
                        continue;
                for (char **need = needs; need && *need; need++)
                        add_module(modules, *need);
                add_module(modules, row->module);
        }
        g_ptr_array_add(modules, NULL);
        return (char **) g_ptr_array_free(g_steal_pointer(&modules), FALSE);
}

/* Is there a module in @names that @kernel has as a file and nobody forbids, and that its image lacks? An
 * image that cannot be read lacks everything. */
static bool image_lacks(const struct tn_env *env, struct tn_kernel *kernel, char **names)
{
        g_autoptr(tn_initramfs_t) image = tn_initramfs_read(env, kernel->initramfs, NULL);

        for (char **name = names; *name; name++) {
                g_autoptr(tn_module_t) module = tn_kernel_module(kernel, *name);

                if (module->path && !module->blacklisted_by &&
                    (!image || !tn_initramfs_find_module(image, kernel->release, *name)))
                        return true;
        }
        return image == NULL;
}

/* Of @names those that at least one kernel has as a file; a blacklisted one is the administrator's decision.
 */
static char **choose_modules(const struct tn_kernels *kernels, char **names, GPtrArray *notes)
{
        g_autoptr(GPtrArray) chosen = g_ptr_array_new();
        struct tn_kernel *kernel;

        for (size_t i = 0; (kernel = tn_kernels_at(kernels, i)); i++)
                for (char **name = names; *name; name++) {
                        g_autoptr(tn_module_t) module = tn_kernel_module(kernel, *name);

                        if (module->path && module->blacklisted_by)
                                g_ptr_array_add(notes,
                                                g_strdup_printf("%s stays out of the image of %s: it is "
                                                                "blacklisted by %s",
                                                                *name, kernel->release,
                                                                module->blacklisted_by));
                        else if (module->path)
                                add_module(chosen, *name);
                }
        g_ptr_array_add(chosen, NULL);
        return (char **) g_ptr_array_free(g_steal_pointer(&chosen), FALSE);
}

static const char *why_not(const struct tn_kernel *kernel)
{
        if (!kernel->image && !kernel->modules_dir)
                return "neither its image nor its modules are in this root";
        if (!kernel->image)
                return "there is no kernel image for its modules folder";
        if (!kernel->modules_dir)
                return "it has no modules folder; install its package again, or remove it";
        if (!kernel->initramfs)
                return "it boots without an initramfs, so its drivers must be built in";
        if (g_str_has_suffix(kernel->initramfs, ".efi"))
                return "it is a unified kernel image; add the drivers to the builder's configuration and "
                       "run "
                       "`kernel-install add`";
        return NULL;
}

static bool is_shared(const GPtrArray *list, const struct tn_kernel *kernel)
{
        for (guint i = 0; i < list->len; i++) {
                const struct tn_kernel *other = list->pdata[i];

                if (other != kernel && g_str_equal(other->initramfs, kernel->initramfs))
                        return true;
        }
        return false;
}

/* Of the kernels in @list that have the image at @path the one whose modules are in it; NULL when that are
 * none of them or more than one. */
static const struct tn_kernel *find_owner(const struct tn_env *env, const GPtrArray *list, const char *path)
{
        g_autoptr(tn_initramfs_t) image = tn_initramfs_read(env, path, NULL);
        const struct tn_kernel *owner = NULL;

        for (guint i = 0; image && i < list->len; i++) {
                const struct tn_kernel *kernel = list->pdata[i];

                if (!g_str_equal(kernel->initramfs, path) ||
                    !tn_initramfs_has_release(image, kernel->release))
                        continue;
                if (owner)
                        return NULL;
                owner = kernel;
        }
        return owner;
}

/* Arch and Alpine name the image after the package, and an older kernel's modules may still be there: what
 * was built for that one would be loaded by the other. Each image of which that can be told is built once.
 */
static GPtrArray *without_shared(const struct tn_env *env, const GPtrArray *list, GPtrArray *notes)
{
        GPtrArray *left = g_ptr_array_new();

        for (guint i = 0; i < list->len; i++) {
                struct tn_kernel *kernel = list->pdata[i];
                const struct tn_kernel *owner = is_shared(list, kernel)
                                                        ? find_owner(env, list, kernel->initramfs)
                                                        : kernel;

                if (owner == kernel)
                        g_ptr_array_add(left, kernel);
                else if (owner)
                        g_ptr_array_add(notes,
                                        g_strdup_printf("no image is built for the kernel %s: /%s is "
                                                        "that of the kernel %s",
                                                        kernel->release, kernel->initramfs, owner->release));
                else
                        g_ptr_array_add(notes, g_strdup_printf("no image is built for the kernel %s: /%s is "
                                                               "that of another kernel as well, and its "
                                                               "modules do not tell of which; remove the "
                                                               "modules folder of the one that is gone",
                                                               kernel->release, kernel->initramfs));
        }
        return left;
}

/* Kernels whose image can be built here. */
static GPtrArray *buildable(const struct tn_env *env, const struct tn_kernels *kernels, GPtrArray *notes)
{
        g_autoptr(GPtrArray) list = g_ptr_array_new();
        struct tn_kernel *kernel;

        for (size_t i = 0; (kernel = tn_kernels_at(kernels, i)); i++) {
                const char *why = why_not(kernel);

                if (why)
                        g_ptr_array_add(notes, g_strdup_printf("no image is built for the kernel %s: %s",
                                                               kernel->release, why));
                else
                        g_ptr_array_add(list, kernel);
        }
        return without_shared(env, list, notes);
}

static bool any_in_initramfs(const GPtrArray *changes)
{
        for (guint i = 0; i < changes->len; i++)
                if (((const struct tn_change *) g_ptr_array_index((GPtrArray *) changes, i))->in_initramfs)
                        return true;
        return false;
}

static void add_image(struct tn_fixes *fixes, struct tn_kernel *kernel, const struct tn_rebuild_tool *tool)
{
        struct tn_fixes_image *image = g_new(struct tn_fixes_image, 1);

        *image = (struct tn_fixes_image){.kernel = kernel, .tool = tool};
        g_ptr_array_add(fixes->rebuild, image);
}

/* Each program that builds one of the images, once. */
static bool configure(const struct tn_env *env, const struct tn_kernels *kernels, struct tn_fixes *fixes,
                      GError **error)
{
        g_autoptr(GPtrArray) done = g_ptr_array_new();

        for (guint i = 0; i < fixes->rebuild->len; i++) {
                const struct tn_rebuild_tool
                        *tool = ((const struct tn_fixes_image *) fixes->rebuild->pdata[i])->tool;

                if (g_ptr_array_find(done, tool, NULL))
                        continue;
                if (!tool->configure(env, kernels, fixes->modules, fixes->changes, error))
                        return false;
                g_ptr_array_add(done, (void *) tool);
        }
        return true;
}

/* Adds the image of @kernel. It is built by the program that has made it or not at all: what another one
 * makes of it may not boot. */
static bool choose_tool(const struct tn_env *env, struct tn_kernel *kernel, struct tn_fixes *fixes,
                        bool *ret_chosen, GError **error)
{
        g_autoptr(GError) reason = NULL;
        const struct tn_rebuild_tool *tool = tn_rebuild_find(env, kernel->initramfs, &reason);

        if (!tool && !g_error_matches(reason, TN_ERROR, TN_ERROR_NOT_FOUND)) {
                g_propagate_error(error, g_steal_pointer(&reason));
                return false;
        }
        *ret_chosen = tool != NULL;
        if (tool)
                add_image(fixes, kernel, tool);
        else
                g_ptr_array_add(fixes->notes,
                                g_strdup_printf("no image is built for the kernel %s: %s; left alone",
                                                kernel->release, reason->message));
        return true;
}

/* Decides which images are built, by which program, and configures that one. */
static bool collect_images(const struct tn_env *env, const struct tn_kernels *kernels,
                           struct tn_fixes *fixes, GError **error)
{
        g_autoptr(GPtrArray) kernels_here = buildable(env, kernels, fixes->notes);
        g_autofree bool *lacking = g_new0(bool, kernels_here->len + 1);
        bool changed = any_in_initramfs(fixes->changes), any = changed, lacks = false;

        for (guint i = 0; i < kernels_here->len; i++) {
                lacking[i] = image_lacks(env, g_ptr_array_index(kernels_here, i), fixes->modules);
                any |= lacking[i];
        }
        for (guint i = 0; any && i < kernels_here->len; i++) {
                bool chosen = false;

                if (!choose_tool(env, g_ptr_array_index(kernels_here, i), fixes, &chosen, error))
                        return false;
                lacks |= chosen && lacking[i];
        }
        if (!lacks && !changed) /* what lacks something is left alone, and nothing changes for the others */
                g_ptr_array_set_size(fixes->rebuild, 0);
        return !lacks || !*fixes->modules || configure(env, kernels, fixes, error);
}

struct tn_fixes *tn_fixes_collect(const struct tn_env *env, const struct tn_catalogue *catalogue,
                                  const struct tn_kernels *kernels, enum tn_pv_platform target,
                                  GError **error)
{
        g_autoptr(tn_fixes_t) fixes = g_new0(struct tn_fixes, 1);
        g_auto(GStrv) wanted = tn_fixes_boot_modules(catalogue, target);

        fixes->changes = tn_changes_new();
        fixes->rebuild = g_ptr_array_new_with_free_func(g_free);
        fixes->notes = g_ptr_array_new_with_free_func(g_free);
        fixes->modules = choose_modules(kernels, wanted, fixes->notes);
        tn_fixes_loader(env, fixes->changes, fixes->notes);
        tn_fixes_pins(env, fixes->changes, fixes->notes);
        if (!tn_fixes_files_disks(env, kernels, fixes->changes, fixes->notes, error) ||
            !tn_fixes_files_lvm(env, fixes->changes, error) || !collect_images(env, kernels, fixes, error))
                return NULL;
        return g_steal_pointer(&fixes);
}
