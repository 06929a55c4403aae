/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * The standard set of a platform: what its tools give a new Linux guest. Where that may be one of two disks
 * (virtio-blk of libvirt, virtio-scsi of Proxmox VE), both are assumed, for the guest cannot know; --devices
 * narrows it.
 */
#include "pvdrivers/plan-devices.h"

#include <string.h>

#include "lib/error.h"

#define DEVICES_MAX 6

static const char *const standard[_TN_PV_PLATFORM_MAX][DEVICES_MAX] = {
        [TN_PV_KVM] = {"virtio_blk", "virtio_scsi", "virtio_net", "virtio_console"},
        [TN_PV_VMWARE] = {"vmw_pvscsi", "vmxnet3"},
        [TN_PV_XEN] = {"xen_blkfront", "xen_netfront"},
        [TN_PV_HYPERV] = {"hv_storvsc", "hv_netvsc", "hv_utils"},
        [TN_PV_VIRTUALBOX] = {"ahci", "e1000"}, /* has no paravirtual disk */
        [TN_PV_AWS] = {"nvme", "ena"},
        [TN_PV_GCP] = {"virtio_scsi", "virtio_net"},
        [TN_PV_AZURE] = {"hv_storvsc", "hv_netvsc", "hv_utils"},
};

static const struct {
        const char *module, *disk;
} disks[] = {
        {"virtio_blk", "vd"},
        {"xen_blkfront", "xvd"},
        {"nvme", "nvme"},
};

static const struct tn_pv_driver *find(const struct tn_catalogue *catalogue, enum tn_pv_platform target,
                                       const char *name)
{
        g_autoptr(GPtrArray) rows = tn_catalogue_for(catalogue, target, _TN_PV_ROLE_MAX);

        for (guint i = 0; i < rows->len; i++) {
                const struct tn_pv_driver *driver = rows->pdata[i];

                if (tn_catalogue_list_has(driver->module, name))
                        return driver;
        }
        return NULL;
}

static bool unknown(const struct tn_catalogue *catalogue, enum tn_pv_platform target, const char *name,
                    GError **error)
{
        g_autoptr(GPtrArray) rows = tn_catalogue_for(catalogue, target, _TN_PV_ROLE_MAX);
        g_autoptr(GString) known = g_string_new(NULL);

        for (guint i = 0; i < rows->len; i++) {
                const struct tn_pv_driver *driver = rows->pdata[i];

                if (driver->role == TN_PV_STORAGE || driver->role == TN_PV_NETWORK ||
                    driver->role == TN_PV_CONSOLE)
                        g_string_append_printf(known, " %s", driver->module);
        }
        return tn_error_set(error, TN_ERROR_NOT_FOUND, "the catalogue has no device \"%s\" on %s; it has:%s",
                            name, tn_catalogue_platform_name(target), known->str);
}

/* Disks first: they decide. */
static int disks_first(gconstpointer a, gconstpointer b)
{
        const struct tn_pv_driver *one = *(const struct tn_pv_driver *const *) a;
        const struct tn_pv_driver *two = *(const struct tn_pv_driver *const *) b;

        return (int) one->role - (int) two->role;
}

GPtrArray *tn_plan_devices_find(const struct tn_catalogue *catalogue, enum tn_pv_platform target,
                                const char *const *names, GError **error)
{
        g_autoptr(GPtrArray) found = g_ptr_array_new();
        const char *const *wanted = names ? names : standard[target];

        for (size_t i = 0; (names || i < DEVICES_MAX) && wanted[i]; i++) {
                const struct tn_pv_driver *driver = find(catalogue, target, wanted[i]);

                if (!driver) {
                        unknown(catalogue, target, wanted[i], error);
                        return NULL;
                }
                g_ptr_array_add(found, (void *) driver);
        }
        g_ptr_array_sort(found, disks_first);
        if (found->len == 0 || ((const struct tn_pv_driver *) found->pdata[0])->role != TN_PV_STORAGE) {
                tn_error_set(error, TN_ERROR_INVALID,
                             "no disk is among the devices; name one of role storage, for example %s",
                             standard[target][0]);
                return NULL;
        }
        return g_steal_pointer(&found);
}

const char *tn_plan_devices_disk(const char *module)
{
        for (size_t i = 0; i < G_N_ELEMENTS(disks); i++)
                if (strcmp(disks[i].module, module) == 0)
                        return disks[i].disk;
        return "sd";
}
