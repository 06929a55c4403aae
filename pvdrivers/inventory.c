/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* Puts the judgement of each device (judge.c) beside what the running kernel knows of its module, and says
 * what is wrong where a paravirtual device has no driver. */
#include "pvdrivers/inventory.h"

#include "pvdrivers/platform.h"

/* What is wrong with a paravirtual device that nothing drives, and what to do. */
static char *tell_problem(const struct tn_inventory *inventory, const struct tn_inventory_item *item)
{
        g_autoptr(tn_module_t) module = tn_kernel_module(inventory->kernel, item->is.module);

        switch (item->state) {
        case TN_MODULE_ON_DISK:
                return g_strdup_printf("module %s is not loaded; run: systemctl restart tenon-drivers",
                                       item->is.module);
        case TN_MODULE_MISSING:
                return g_strdup_printf("kernel %s has no module %s; run: tenonctl drivers install",
                                       inventory->release, item->is.module);
        case TN_MODULE_BLACKLISTED:
                return g_strdup_printf(
                        "module %s is forbidden by %s; take it out there if that was not meant",
                        item->is.module, module->blacklisted_by);
        case TN_MODULE_UNSIGNED:
                return g_strdup_printf(
                        "module %s has no signature, and Secure Boot lets no such in; sign it or "
                        "take the distribution's",
                        item->is.module);
        default:
                return g_strdup_printf("module %s is %s but does not drive it; see dmesg", item->is.module,
                                       tn_kernel_state_name(item->state));
        }
}

static enum tn_module_state state_of(struct tn_kernel *kernel, const struct tn_pv_driver *row,
                                     const char *module)
{
        if (row && g_str_equal(row->module, module))
                return tn_kernel_driver_state(kernel, row);
        return tn_kernel_module_state(kernel, module);
}

static void judge_module(const struct tn_inventory *inventory, struct tn_inventory_item *item)
{
        const struct tn_device *device = item->is.device;

        if (inventory->kernel && !item->is.module && device->modalias) {
                g_auto(GStrv) names = tn_kernel_lookup_alias(inventory->kernel, device->modalias);

                item->is.module = g_strdup(names[0]);
        }
        if (!inventory->kernel || !item->is.module)
                return;
        item->state = state_of(inventory->kernel, item->is.row, item->is.module);
        if (item->state == TN_MODULE_MISSING && device->driver)
                item->state = TN_MODULE_BUILTIN; /* something drives it */
        if (!device->driver && item->is.kind == TN_JUDGE_PARAVIRTUAL && !g_str_equal(device->bus, "dmi") &&
            !(g_str_equal(device->bus, "acpi") && item->state <= TN_MODULE_LOADED))
                item->problem = tell_problem(inventory, item);
        if (item->is.better)
                item->better_state = tn_kernel_driver_state(inventory->kernel, item->is.better);
}

static void free_item(void *data)
{
        struct tn_inventory_item *item = data;

        tn_judge_clear(&item->is);
        g_free(item->problem);
        g_free(item);
}

static void add_item(struct tn_inventory *inventory, const struct tn_catalogue *catalogue,
                     const struct tn_device *device)
{
        struct tn_judgement judgement;
        struct tn_inventory_item *item;

        if (!tn_judge(catalogue, inventory->platform, inventory->devices, device, &judgement))
                return;
        item = g_new0(struct tn_inventory_item, 1);
        item->is = judgement;
        item->state = item->better_state = _TN_MODULE_STATE_MAX;
        judge_module(inventory, item);
        g_ptr_array_add(inventory->items, item);
}

static void add_explicit(struct tn_inventory *inventory, const struct tn_catalogue *catalogue)
{
        const struct tn_pv_driver *row;

        for (size_t i = 0; (row = tn_catalogue_at(catalogue, i)); i++)
                if ((row->flags & TN_PV_EXPLICIT) && inventory->platform < _TN_PV_PLATFORM_MAX &&
                    (row->platforms & TN_PV_ON(inventory->platform)))
                        g_ptr_array_add(inventory->explicit_rows, (void *) row);
}

struct tn_inventory *tn_inventory_new(const struct tn_env *env, const struct tn_catalogue *catalogue,
                                      const struct tn_detect *detect, const struct tn_kernels *kernels)
{
        struct tn_inventory *inventory = g_new0(struct tn_inventory, 1);

        inventory->platform = tn_platform_of(detect);
        inventory->hosts = tn_platform_hosts(detect);
        inventory->kernel = kernels ? tn_kernels_running(kernels) : NULL;
        inventory->release = inventory->kernel ? inventory->kernel->release : NULL;
        inventory->devices = tn_device_list(env);
        inventory->items = g_ptr_array_new_with_free_func(free_item);
        inventory->explicit_rows = g_ptr_array_new();
        for (guint i = 0; i < inventory->devices->len; i++)
                add_item(inventory, catalogue, inventory->devices->pdata[i]);
        add_explicit(inventory, catalogue);
        return inventory;
}

void tn_inventory_free(struct tn_inventory *inventory)
{
        if (!inventory)
                return;
        g_ptr_array_unref(inventory->items);
        g_ptr_array_unref(inventory->devices);
        g_ptr_array_unref(inventory->explicit_rows);
        g_free(inventory);
}

bool tn_inventory_has_role(const struct tn_inventory *inventory, enum tn_pv_role role)
{
        for (guint i = 0; i < inventory->items->len; i++) {
                const struct tn_inventory_item *item = inventory->items->pdata[i];

                if (item->is.kind == TN_JUDGE_PARAVIRTUAL && item->is.role == role)
                        return true;
        }
        return false;
}
