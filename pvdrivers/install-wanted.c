/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * Wanted are the drivers of the devices that are there, those that the advice recommends for them, and with
 * a target those of its usual devices.
 */
#include "pvdrivers/install-wanted.h"

#include "detect/detect.h"
#include "lib/error.h"
#include "pvdrivers/inventory.h"

/* What a guest needs at a target to boot, to be reached and to be seen. */
#define TARGET_ROLES (1U << TN_PV_STORAGE | 1U << TN_PV_NETWORK | 1U << TN_PV_CONSOLE)

static void add_once(GPtrArray *rows, const struct tn_pv_driver *row, unsigned roles)
{
        if (row && (roles & (1U << row->role)) && !(row->flags & TN_PV_UNSAFE) &&
            !g_ptr_array_find(rows, row, NULL))
                g_ptr_array_add(rows, (void *) row);
}

static void add_devices(const struct tn_env *env, const struct tn_catalogue *catalogue,
                        const struct tn_kernels *kernels, unsigned roles, bool named, GPtrArray *rows)
{
        g_autoptr(tn_detect_t) detect = tn_detect_run(env);
        g_autoptr(tn_inventory_t) inventory = tn_inventory_new(env, catalogue, detect, kernels);

        for (guint i = 0; i < inventory->items->len; i++) {
                const struct tn_inventory_item *item = g_ptr_array_index(inventory->items, i);

                /* A device with a working driver wants no other one from the catalogue. */
                if (!item->is.device->driver)
                        add_once(rows, item->is.row, roles);
                add_once(rows, item->is.better, roles);
        }
        for (guint i = 0; named && i < inventory->explicit_rows->len; i++)
                add_once(rows, g_ptr_array_index(inventory->explicit_rows, i), roles);
}

static void add_missing(struct tn_kernel *kernel, GPtrArray *rows, GPtrArray *missing)
{
        for (guint i = 0; kernel && kernel->modules_dir && i < rows->len; i++) {
                const struct tn_pv_driver *row = g_ptr_array_index(rows, i);
                struct tn_install_missing *one;

                if (tn_kernel_module_state(kernel, row->module) != TN_MODULE_MISSING)
                        continue;
                one = g_new0(struct tn_install_missing, 1);
                *one = (struct tn_install_missing){row, kernel};
                g_ptr_array_add(missing, one);
        }
}

static bool has_modules(const struct tn_kernel *kernel)
{
        return kernel && kernel->modules_dir;
}

/* Nothing is missing from a kernel of which nothing is known; that must not pass for good news. */
static bool check_not_blind(struct tn_kernel *running, struct tn_kernel *first, const GPtrArray *rows,
                            GError **error)
{
        struct tn_kernel *kernel = running ? running : first;

        if (has_modules(running) || has_modules(first))
                return true;
        for (guint i = 0; i < rows->len; i++) {
                const struct tn_pv_driver *row = g_ptr_array_index(rows, i);

                if (!kernel)
                        return tn_error_set(error, TN_ERROR_NOT_FOUND,
                                            "no kernel is installed here that could have the driver %s; "
                                            "nothing was installed",
                                            row->module);
                if (tn_kernel_module_state(kernel, row->module) != TN_MODULE_BUILTIN &&
                    !(row->config && tn_kernel_config(kernel, row->config) == 'y'))
                        return tn_error_set(error, TN_ERROR_NOT_FOUND,
                                            "whether the kernel %s has the driver %s cannot be told: "
                                            "/lib/modules/%s is missing; install that kernel's package "
                                            "again, or boot another one. Nothing was installed",
                                            kernel->release, row->module, kernel->release);
        }
        return true;
}

GPtrArray *tn_install_wanted_missing(const struct tn_env *env, const struct tn_catalogue *catalogue,
                                     const struct tn_kernels *kernels,
                                     const struct tn_install_options *options, GError **error)
{
        g_autoptr(GPtrArray) missing = g_ptr_array_new_with_free_func(g_free);
        g_autoptr(GPtrArray) rows = g_ptr_array_new();
        struct tn_kernel *running = tn_kernels_running(kernels), *first = tn_kernels_default(kernels);

        if (options->target < _TN_PV_PLATFORM_MAX) {
                g_autoptr(GPtrArray) all = tn_catalogue_for(catalogue, options->target, _TN_PV_ROLE_MAX);

                for (guint i = 0; i < all->len; i++) {
                        const struct tn_pv_driver *row = g_ptr_array_index(all, i);

                        if (!(row->flags & TN_PV_EMULATED))
                                add_once(rows, row, options->roles ? options->roles : TARGET_ROLES);
                }
        } else {
                add_devices(env, catalogue, kernels, options->roles ? options->roles : ~0U,
                            options->roles != 0, rows);
        }
        if (!check_not_blind(running, first, rows, error))
                return NULL;
        add_missing(running, rows, missing);
        if (first != running)
                add_missing(first, rows, missing);
        return g_steal_pointer(&missing);
}

static char *role_names(void)
{
        GString *text = g_string_new(NULL);

        for (int role = 0; role < _TN_PV_ROLE_MAX; role++)
                g_string_append_printf(text, "%s%s", role ? ", " : "", tn_catalogue_role_name(role));
        return g_string_free(text, FALSE);
}

static char *platform_names(void)
{
        GString *text = g_string_new(NULL);

        for (int platform = 0; platform < _TN_PV_PLATFORM_MAX; platform++)
                g_string_append_printf(text, "%s%s", platform ? ", " : "",
                                       tn_catalogue_platform_name(platform));
        return g_string_free(text, FALSE);
}

bool tn_install_parse(const char *const *roles, const char *target, struct tn_install_options *options,
                      GError **error)
{
        enum tn_pv_platform platform = target ? tn_catalogue_platform_parse(target) : _TN_PV_PLATFORM_MAX;
        g_autofree char *names = NULL;
        unsigned set = 0;

        for (; roles && *roles; roles++) {
                enum tn_pv_role role = tn_catalogue_role_parse(*roles);

                if (role >= _TN_PV_ROLE_MAX) {
                        names = role_names();
                        return tn_error_set(error, TN_ERROR_INVALID, "no role '%s'; there are: %s", *roles,
                                            names);
                }
                set |= 1U << role;
        }
        if (target && platform >= _TN_PV_PLATFORM_MAX) {
                names = platform_names();
                return tn_error_set(error, TN_ERROR_INVALID, "no target '%s'; there are: %s", target, names);
        }
        options->roles = set;
        options->target = platform;
        return true;
}
