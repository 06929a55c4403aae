/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* Names of disks in units, udev rules and the configuration of daemons: what uses them fails, not the boot.
 */
#include <string.h>

#include "pvdrivers/checks/device-names.h"
#include "pvdrivers/textfile.h"

#define FINDINGS_MAX 50 /* of one plan */

static const char *const places[] = {
        "etc/systemd/system/*.mount",
        "etc/systemd/system/*.swap",
        "etc/systemd/system/*.service",
        "etc/systemd/system/*.automount",
        "etc/udev/rules.d/*.rules",
        "etc/docker/daemon.json",
        "etc/kubernetes/*.yaml",
        "etc/kubernetes/*.conf",
        "etc/zfs/vdev_id.conf",
        "etc/ceph/*.conf",
        "etc/smartd.conf",
        "etc/hdparm.conf",
        "etc/iscsi/*.conf",
        "etc/auto.master",
        "etc/exports",
};

/* The next word of @text that is a path in /dev, or NULL; *ret_rest is behind it. */
static char *next_device(const char *text, const char **ret_rest)
{
        const char *at = strstr(text, "/dev/");
        size_t len = at ? strcspn(at, " \t\"',;=()]}") : 0;

        *ret_rest = at ? at + len : NULL;
        return at ? g_strndup(at, len) : NULL;
}

static unsigned read_line(struct tn_check_context *context, const char *path, const struct tn_line *line)
{
        const char *rest = line->text;
        unsigned found = 0;
        char *name;

        while (rest && (name = next_device(rest, &rest))) {
                if (tn_device_names_changes(context, name)) {
                        tn_device_names_add(context, TN_VERDICT_LOSS, path, line->number, name);
                        found++;
                }
                g_free(name);
        }
        if (strstr(line->text, "ENV{ID_PATH}==") && found == 0) {
                struct tn_check *check = tn_check_add(
                        context, TN_VERDICT_LOSS,
                        "/%s line %u matches the slot of a device (ID_PATH), which changes", path,
                        line->number);

                tn_check_set_remedy(check,
                                    "match something that stays, such as ID_FS_UUID or the MAC address");
                found++;
        }
        return found;
}

unsigned tn_device_names_others(struct tn_check_context *context)
{
        unsigned found = 0;

        for (size_t i = 0; i < G_N_ELEMENTS(places); i++) {
                g_autoptr(GPtrArray) paths = tn_textfile_glob(context->env, places[i]);

                for (guint j = 0; j < paths->len; j++) {
                        g_autoptr(GPtrArray) lines = tn_textfile_read(context->env, paths->pdata[j]);

                        for (guint k = 0; k < lines->len && found < FINDINGS_MAX; k++)
                                found += read_line(context, paths->pdata[j], lines->pdata[k]);
                }
        }
        return found;
}
