/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * Judges the devices. A row of the catalogue counts where it is for the platform that the guest runs on; a
 * virtio device is paravirtual everywhere. What is in no row is emulated when a row says that it replaces
 * its driver and the PCI subsystem is a hypervisor's: the same driver may drive a card that was passed
 * through.
 */
#include "pvdrivers/inventory.h"

#include <string.h>

#include "pvdrivers/platform.h"

static const char *const kind_names[] = {"paravirtual", "emulated", "other"};

/* PCI subsystem vendors of devices that hypervisors play: Red Hat, VMware, VirtualBox, Xen, Microsoft. */
static const char *const played[] = {"sv00001AF4", "sv000015AD", "sv000080EE", "sv00005853", "sv00001414"};

const char *tn_inventory_kind_name(enum tn_inventory_kind kind)
{
        return kind_names[kind];
}

static bool on_platform(const struct tn_pv_driver *row, enum tn_pv_platform platform)
{
        return platform < _TN_PV_PLATFORM_MAX && (row->platforms & TN_PV_ON(platform));
}

/* The row of a device: of this platform, else of any on a bus that only guests have. */
static const struct tn_pv_driver *find_row(const struct tn_catalogue *catalogue,
                                           const struct tn_device *device, enum tn_pv_platform platform)
{
        bool guests_only = g_str_equal(device->bus, "virtio") || g_str_equal(device->bus, "vmbus") ||
                           g_str_equal(device->bus, "xen");
        const struct tn_pv_driver *row, *elsewhere = NULL;

        for (size_t i = 0; device->modalias && (row = tn_catalogue_at(catalogue, i)); i++) {
                if (!row->match || !tn_catalogue_driver_matches(row, device->modalias))
                        continue;
                if (on_platform(row, platform))
                        return row;
                if (!elsewhere)
                        elsewhere = row;
        }
        return guests_only || (elsewhere && g_str_equal(elsewhere->module, "virtio_pci")) ? elsewhere : NULL;
}

/* The paravirtual driver of this platform that stands for @module. */
static const struct tn_pv_driver *find_better(const struct tn_catalogue *catalogue, const char *module,
                                              enum tn_pv_platform platform)
{
        const struct tn_pv_driver *row;

        for (size_t i = 0; module && (row = tn_catalogue_at(catalogue, i)); i++)
                if (on_platform(row, platform) && !(row->flags & TN_PV_EMULATED) &&
                    tn_catalogue_list_has(row->replaces, module))
                        return row;
        return NULL;
}

static bool is_played(const struct tn_device *device)
{
        if (g_str_equal(device->bus, "usb"))
                return true; /* a controller is passed through with all that is on it, and then others are
                                too */
        for (size_t i = 0; device->modalias && i < G_N_ELEMENTS(played); i++)
                if (strstr(device->modalias, played[i]))
                        return true;
        return false;
}

/* From sysfs where a driver is bound, else by name: drivers of PCI are called as their modules, more or
 * less. */
static char *module_of(const struct tn_device *device, const struct tn_pv_driver *row)
{
        if (device->module)
                return g_strdelimit(g_strdup(device->module), "-", '_');
        if (row)
                return g_strdup(row->module);
        return device->driver ? g_strdelimit(g_strdup(device->driver), "-", '_') : NULL;
}

static void judge_kind(const struct tn_catalogue *catalogue, enum tn_pv_platform platform,
                       struct tn_inventory_item *item)
{
        const struct tn_pv_driver *better = find_better(catalogue, item->module, platform);

        item->kind = TN_INVENTORY_OTHER;
        item->role = _TN_PV_ROLE_MAX;
        if (item->row) {
                item->kind = item->row->flags & TN_PV_EMULATED ? TN_INVENTORY_EMULATED
                                                               : TN_INVENTORY_PARAVIRTUAL;
                item->role = item->row->role;
        } else if (better && is_played(item->device)) {
                item->kind = TN_INVENTORY_EMULATED;
                item->role = better->role;
        }
        if (item->kind == TN_INVENTORY_EMULATED)
                item->better = better;
}

/* A controller without a disk (q35's AHCI with nothing but a CD drive) is not worth a change. */
static void drop_useless_advice(struct tn_inventory_item *item)
{
        const struct tn_device *device = item->device;

        if (item->role == TN_PV_STORAGE && device->disks->len == 0 && device->driver)
                item->better = NULL;
}

/* What is wrong with a paravirtual device that nothing drives, and what to do. */
static char *tell_problem(const struct tn_inventory *inventory, const struct tn_inventory_item *item)
{
        g_autoptr(tn_module_t) module = tn_kernel_module(inventory->kernel, item->module);

        switch (item->state) {
        case TN_MODULE_ON_DISK:
                return g_strdup_printf("module %s is not loaded; run: systemctl start tenon-drivers",
                                       item->module);
        case TN_MODULE_MISSING:
                return g_strdup_printf("kernel %s has no module %s; run: tenonctl drivers install",
                                       inventory->release, item->module);
        case TN_MODULE_BLACKLISTED:
                return g_strdup_printf(
                        "module %s is forbidden by %s; take it out there if that was not meant",
                        item->module, module->blacklisted_by);
        case TN_MODULE_UNSIGNED:
                return g_strdup_printf(
                        "module %s has no signature, and Secure Boot lets no such in; sign it or "
                        "take the distribution's",
                        item->module);
        default:
                return g_strdup_printf("module %s is %s but does not drive it; see dmesg", item->module,
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
        const struct tn_device *device = item->device;

        if (inventory->kernel && !item->module && device->modalias) {
                g_auto(GStrv) names = tn_kernel_lookup_alias(inventory->kernel, device->modalias);

                item->module = g_strdup(names[0]);
        }
        if (!inventory->kernel || !item->module)
                return;
        item->state = state_of(inventory->kernel, item->row, item->module);
        if (item->state == TN_MODULE_MISSING && device->driver)
                item->state = TN_MODULE_BUILTIN; /* something drives it */
        if (!device->driver && item->kind == TN_INVENTORY_PARAVIRTUAL && !g_str_equal(device->bus, "dmi") &&
            !(g_str_equal(device->bus, "acpi") && item->state <= TN_MODULE_LOADED))
                item->problem = tell_problem(inventory, item);
        if (item->better)
                item->better_state = tn_kernel_driver_state(inventory->kernel, item->better);
}

static void free_item(void *data)
{
        struct tn_inventory_item *item = data;

        g_free(item->module);
        g_free(item->problem);
        g_free(item);
}

/* Of buses that are full of parts of the board only what the catalogue knows. */
static bool worth_a_line(const struct tn_inventory_item *item)
{
        const char *bus = item->device->bus;

        return item->kind != TN_INVENTORY_OTHER ||
               !(g_str_equal(bus, "acpi") || g_str_equal(bus, "platform") || g_str_equal(bus, "usb") ||
                 g_str_equal(bus, "dmi"));
}

/* Firmware's devices are on two buses, acpi and platform; the one that has the driver is told. */
static bool is_double(const struct tn_inventory *inventory, const struct tn_device *device)
{
        bool acpi = g_str_equal(device->bus, "acpi");

        if (device->driver || (!acpi && !g_str_equal(device->bus, "platform")))
                return false;
        for (guint i = 0; i < inventory->devices->len; i++) {
                const struct tn_device *other = inventory->devices->pdata[i];

                if (other != device && g_str_equal(other->name, device->name) &&
                    (acpi ? g_str_equal(other->bus, "platform") : other->driver != NULL))
                        return true;
        }
        return false;
}

static void add_item(struct tn_inventory *inventory, const struct tn_catalogue *catalogue,
                     const struct tn_device *device)
{
        struct tn_inventory_item *item = g_new0(struct tn_inventory_item, 1);

        item->device = device;
        item->state = item->better_state = _TN_MODULE_STATE_MAX;
        item->row = find_row(catalogue, device, inventory->platform);
        item->module = module_of(device, item->row);
        judge_kind(catalogue, inventory->platform, item);
        if (!worth_a_line(item)) {
                free_item(item);
                return;
        }
        drop_useless_advice(item);
        judge_module(inventory, item);
        g_ptr_array_add(inventory->items, item);
}

static void add_explicit(struct tn_inventory *inventory, const struct tn_catalogue *catalogue)
{
        const struct tn_pv_driver *row;

        for (size_t i = 0; (row = tn_catalogue_at(catalogue, i)); i++)
                if ((row->flags & TN_PV_EXPLICIT) && on_platform(row, inventory->platform))
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
                if (!is_double(inventory, inventory->devices->pdata[i]))
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

                if (item->kind == TN_INVENTORY_PARAVIRTUAL && item->role == role)
                        return true;
        }
        return false;
}
