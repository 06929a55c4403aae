/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * LVM, RAID and multipath find their disks by what those carry inside, unless they were told to look at some
 * disks only. RHEL 9 tells LVM so by itself: its devices file has the ids that the old hypervisor gave.
 */
#include <string.h>

#include "lib/json.h"
#include "pvdrivers/checks/device-names.h"
#include "pvdrivers/devname.h"
#include "pvdrivers/textfile.h"

#define DEVICES_FILE "etc/lvm/devices/system.devices"

static const char *const lvm_files[] = {"etc/lvm/lvm.conf", "etc/lvm/lvmlocal.conf"};

/* use_devicesfile of the last file that has it; LVM's own default depends on the distribution. */
static bool devices_file_in_use(const struct tn_env *env)
{
        bool used = true;

        for (size_t i = 0; i < G_N_ELEMENTS(lvm_files); i++) {
                g_autofree char *value = tn_textfile_read_setting(env, lvm_files[i], "use_devicesfile");

                if (value)
                        used = !g_str_equal(value, "0");
        }
        return used;
}

/* Entries that name a disk by what its hypervisor gives it; a devname entry is looked for by its PVID. */
static unsigned count_foreign(const GPtrArray *lines, GString *names, bool *ret_multipath)
{
        static const char *const foreign[] = {"sys_wwid", "sys_serial", "mpath_uuid"};
        unsigned count = 0;

        for (guint i = 0; i < lines->len; i++) {
                g_auto(GStrv) words = tn_textfile_words(tn_textfile_at(lines, i)->text);

                for (size_t j = 0; words[j]; j++)
                        for (size_t k = 0; k < G_N_ELEMENTS(foreign); k++)
                                if (g_str_has_prefix(words[j], "IDTYPE=") &&
                                    g_str_equal(words[j] + strlen("IDTYPE="), foreign[k]) && words[j + 1]) {
                                        g_string_append_printf(names, "%s%s", count++ ? ", " : "",
                                                               words[j + 1]);
                                        *ret_multipath |= g_str_equal(foreign[k], "mpath_uuid");
                                        break;
                                }
        }
        return count;
}

static enum tn_verdict lvm_verdict(const struct tn_check_context *context)
{
        return context->root->lvm ? TN_VERDICT_FATAL : TN_VERDICT_LOSS;
}

static unsigned read_devices_file(struct tn_check_context *context)
{
        bool denied, multipath = false;
        g_autoptr(GPtrArray) lines = tn_textfile_try(context->env, DEVICES_FILE, &denied);
        g_autoptr(GString) names = g_string_new(NULL);
        unsigned count = count_foreign(lines, names, &multipath);
        struct tn_check *check;

        if (denied) {
                check = tn_check_add(context, TN_VERDICT_UNKNOWN, "/%s can be read by root only",
                                     DEVICES_FILE);
                tn_check_set_remedy(check, "plan as root");
                return 1;
        }
        if (count == 0 || !devices_file_in_use(context->env))
                return 0;
        check = tn_check_add(
                context, lvm_verdict(context),
                "/%s names disks by what this hypervisor gives them (%s): LVM will not look at others%s",
                DEVICES_FILE, names->str, context->root->lvm ? ", and / is on LVM" : "");
        tn_check_set_remedy(
                check,
                "%sset use_devicesfile=0 in /etc/lvm/lvmlocal.conf and make the initramfs anew; after the "
                "move: vgimportdevices --all",
                multipath
                        ? ""
                        : "`tenonctl drivers prepare` has LVM look for the PVs' own identifiers; by hand: ");
        check->fixable = !multipath; /* a multipath device has no name that is the same without multipath */
        tn_check_set_data(check, json_pack("{s:s, s:i}", "file", DEVICES_FILE, "entries", (int) count));
        return 1;
}

/* filter = [ "a|/dev/sda2|", "r|.*|" ]: what is accepted by a name that changes. */
static bool filter_changes(const struct tn_check_context *context, const char *text)
{
        g_auto(GStrv) parts = g_strsplit(text, "\"", -1);
        bool rejects_rest = strstr(text, "r|.*|") || strstr(text, "r/.*/");

        for (size_t i = 0; rejects_rest && parts[i]; i++) {
                g_autofree char *name = NULL;

                if (parts[i][0] != 'a' || parts[i][1] == '\0')
                        continue;
                name = g_strndup(parts[i] + 2, strcspn(parts[i] + 2, "|*.$["));
                if (g_str_has_prefix(name, "^"))
                        memmove(name, name + 1, strlen(name));
                if (g_str_has_prefix(name, "/dev/disk/by-") || tn_device_names_changes(context, name))
                        return true;
                g_autofree char *disk = g_strdup_printf("%sa", name); /* "/dev/sd" of "/dev/sd.*" */

                if (g_str_has_prefix(name, "/dev/") && tn_device_names_changes(context, disk))
                        return true;
        }
        return false;
}

static unsigned read_filters(struct tn_check_context *context)
{
        static const char *const keys[] = {"filter", "global_filter"};
        unsigned found = 0;

        for (size_t i = 0; i < G_N_ELEMENTS(lvm_files) * G_N_ELEMENTS(keys); i++) {
                const char *file = lvm_files[i / G_N_ELEMENTS(keys)], *key = keys[i % G_N_ELEMENTS(keys)];
                g_autoptr(GPtrArray) lines = tn_textfile_read(context->env, file);
                unsigned number = 0;
                g_autofree char *value = tn_textfile_setting(lines, key, &number);
                struct tn_check *check;

                if (!value || !filter_changes(context, value))
                        continue;
                check = tn_check_add(context, lvm_verdict(context),
                                     "/%s line %u: %s = %s accepts disks by names that change", file, number,
                                     key, value);
                tn_check_set_remedy(
                        check, "accept /dev/disk/by-uuid or all disks there, and make the initramfs anew");
                tn_check_set_data(check, json_pack("{s:s, s:i}", "file", file, "line", (int) number));
                found++;
        }
        return found;
}

/* DEVICE /dev/sd[ab]1, or ARRAY … devices=/dev/sda1,/dev/sdb1 */
static unsigned read_mdadm(struct tn_check_context *context)
{
        static const char *const files[] = {"etc/mdadm/mdadm.conf", "etc/mdadm.conf"};
        unsigned found = 0;

        for (size_t i = 0; i < G_N_ELEMENTS(files); i++) {
                g_autoptr(GPtrArray) lines = tn_textfile_read(context->env, files[i]);

                for (guint j = 0; j < lines->len; j++) {
                        const struct tn_line *line = lines->pdata[j];
                        g_auto(GStrv) words = tn_textfile_words(line->text);
                        const char *devices = strstr(line->text, "devices=");
                        bool by_name = g_ascii_strncasecmp(line->text, "DEVICE", 6) == 0 && words[1] &&
                                       tn_device_names_changes(context, words[1]);
                        struct tn_check *check;

                        if (!by_name &&
                            !(devices && tn_device_names_changes(context, devices + strlen("devices="))))
                                continue;
                        check = tn_check_add(context,
                                             context->root->raid ? TN_VERDICT_FATAL : TN_VERDICT_LOSS,
                                             "/%s line %u looks at disks by names that change: %s", files[i],
                                             line->number, line->text);
                        tn_check_set_remedy(check, "write DEVICE partitions, name arrays by UUID=, and make "
                                                   "the initramfs anew");
                        found++;
                }
        }
        return found;
}

static unsigned look_at_multipath(struct tn_check_context *context)
{
        struct tn_check *check;
        bool named = context->root->source && g_str_has_prefix(context->root->source, "/dev/mapper/mpath");

        if (!context->root->multipath)
                return 0;
        check = tn_check_add(context, named ? TN_VERDICT_FATAL : TN_VERDICT_LOSS,
                             "/ is on a multipath disk (%s); the target has one path and another WWID",
                             context->root->source ? context->root->source : "unnamed");
        tn_check_set_remedy(check, "name / by UUID=, and set find_multipaths yes in /etc/multipath.conf");
        return 1;
}

unsigned tn_device_names_layers(struct tn_check_context *context)
{
        return read_devices_file(context) + read_filters(context) + read_mdadm(context) +
               look_at_multipath(context);
}
