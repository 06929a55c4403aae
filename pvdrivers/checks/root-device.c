/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * 4. Is every disk named by what stays: a UUID, a label, a volume? The names of the kernel (sda), of the
 * slot (by-path) and of the serial (by-id) change with the controller.
 */
#include <string.h>

#include "lib/json.h"
#include "pvdrivers/checks/device-names.h"
#include "pvdrivers/devname.h"
#include "pvdrivers/plan-devices.h"

bool tn_device_names_changes(const struct tn_check_context *context, const char *name)
{
        g_autofree char *family = tn_devname_family(name);
        enum tn_devname kind = tn_devname_kind(name);

        if (kind != TN_DEVNAME_KERNEL)
                return kind != TN_DEVNAME_STABLE;
        for (guint i = 0; i < context->devices->len; i++) {
                const struct tn_pv_driver *driver = context->devices->pdata[i];

                if (driver->role == TN_PV_STORAGE &&
                    !g_str_equal(tn_plan_devices_disk(driver->module), family))
                        return true;
        }
        return context->disks->len > 1; /* the same kind of name, but the order is another */
}

struct tn_check *tn_device_names_add(struct tn_check_context *context, enum tn_verdict verdict,
                                     const char *file, unsigned line, const char *name)
{
        g_autofree char *uuid = tn_devname_uuid(context->env, name);
        struct tn_check *check = tn_check_add(
                context, verdict, "/%s line %u: %s is not that disk's name on the target", file, line, name);

        if (uuid)
                tn_check_set_remedy(check, "write %s in place of %s", uuid, name);
        else
                tn_check_set_remedy(check, "write UUID=… in place of %s; blkid %s tells it", name, name);
        tn_check_set_data(check,
                          json_pack("{s:o, s:i, s:o, s:o}", "file", tn_json_text(file), "line", (int) line,
                                    "device", tn_json_text(name), "replacement", tn_json_text(uuid)));
        return check;
}

void tn_check_root_device(struct tn_check_context *context)
{
        unsigned found = tn_device_names_options(context) + tn_device_names_tables(context) +
                         tn_device_names_layers(context) + tn_device_names_others(context);

        if (found == 0)
                tn_check_add(context, TN_VERDICT_READY,
                             "no name of a disk that would change: / is %s (%s), and fstab, crypttab, the "
                             "command line, LVM, RAID, units and udev rules have none",
                             context->root->source ? context->root->source : "not named",
                             context->root->evidence);
}
