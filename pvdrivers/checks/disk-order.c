/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * 9. More than one disk: sda may be another one on the target. And what a disk may be there: larger than 2
 * TiB with an MBR it does not boot from BIOS anywhere.
 */
#include <string.h>

#include "lib/json.h"
#include "pvdrivers/checks/check.h"
#include "pvdrivers/plan-devices.h"

#define MBR_SECTORS_MAX 0xffffffffLL /* of 512 bytes: 2 TiB */

/* The names that the disks have on the target, as far as its devices are known: "vda, vdb or sda, sdb". */
static char *names_there(const struct tn_check_context *context)
{
        g_autoptr(GPtrArray) kinds = g_ptr_array_new();

        for (guint i = 0; i < context->devices->len; i++) {
                const struct tn_pv_driver *driver = context->devices->pdata[i];
                char *kind = (char *) tn_plan_devices_disk(driver->module);

                if (driver->role == TN_PV_STORAGE &&
                    !g_ptr_array_find_with_equal_func(kinds, kind, g_str_equal, NULL))
                        g_ptr_array_add(kinds, kind);
        }
        return tn_check_join(kinds, "… or ");
}

static unsigned count_names(const struct tn_check_context *context)
{
        unsigned count = 0;

        for (guint i = 0; i < context->plan->checks->len; i++) {
                const struct tn_check *check = context->plan->checks->pdata[i];

                count += strcmp(check->id, "root-device") == 0 && check->verdict != TN_VERDICT_READY;
        }
        return count;
}

static void look_at_sizes(struct tn_check_context *context, const GPtrArray *disks)
{
        for (guint i = 0; i < disks->len; i++) {
                g_autofree char *path = g_strdup_printf("sys/block/%s/size", (const char *) disks->pdata[i]);
                int64_t sectors = 0;

                if (!tn_env_read_int64(context->env, path, &sectors) || sectors <= MBR_SECTORS_MAX)
                        continue;
                tn_check_add(context, TN_VERDICT_READY,
                             "%s has more than 2 TiB: give it to the new machine on a bus that takes such "
                             "disks, not on IDE",
                             (const char *) disks->pdata[i]);
        }
}

void tn_check_disk_order(struct tn_check_context *context)
{
        const GPtrArray *disks = context->disks;
        g_autofree char *here = tn_check_join(disks, ", "), *there = names_there(context);
        unsigned names = count_names(context);
        struct tn_check *check;

        look_at_sizes(context, disks);
        if (disks->len <= 1) {
                tn_check_add(context, TN_VERDICT_NOT_APPLICABLE,
                             disks->len == 1 ? "one disk: %s" : "no disks in /sys/block%s", here);
                return;
        }
        check = tn_check_add(context, names > 0 ? TN_VERDICT_LOSS : TN_VERDICT_READY,
                             "%u disks (%s), on the target %s…, perhaps in another order; %s", disks->len,
                             here, there,
                             names > 0 ? "some are named by what changes, see root-device"
                                       : "none is named by what changes");
        if (names > 0)
                tn_check_set_remedy(check,
                                    "name them by UUID, and keep the order of the disks on the new machine");
        else
                tn_check_set_remedy(check, "the disk with the boot loader comes first on the new machine");
        tn_check_set_data(check, json_pack("{s:o}", "disks", tn_json_texts(disks)));
}
