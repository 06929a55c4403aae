/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * 6. What the source hypervisor leaves behind. It does not hinder the boot, with few exceptions, and the
 * guest needs it until it has moved; so this is a list for afterwards.
 */
#include <string.h>

#include "pvdrivers/checks/check.h"
#include "pvdrivers/textfile.h"

#define ON(platform) TN_PV_ON(TN_PV_##platform)

static const struct {
        const char *name;
        unsigned platforms; /* on these it is right */
        const char *paths[4];
        const char *remove; /* how, after the move */
} tools[] = {
        {"open-vm-tools",
         ON(VMWARE),
         {"usr/bin/vmtoolsd", "usr/sbin/vmtoolsd"},
         "remove the package open-vm-tools"},
        {"VMware Tools (tar archive)",
         ON(VMWARE),
         {"usr/bin/vmware-uninstall-tools.pl", "etc/vmware-tools/installer.sh"},
         "vmware-uninstall-tools.pl"},
        {"Hyper-V daemons",
         ON(HYPERV) | ON(AZURE),
         {"usr/sbin/hv_kvp_daemon", "usr/sbin/hypervkvpd", "usr/lib/hyper-v/bin/hv_kvp_daemon"},
         "remove the package hyperv-daemons (linux-cloud-tools on Ubuntu)"},
        {"Xen guest utilities",
         ON(XEN),
         {"usr/sbin/xe-daemon", "usr/sbin/xe-linux-distribution"},
         "remove the package xe-guest-utilities"},
        {"VirtualBox Guest Additions",
         ON(VIRTUALBOX),
         {"usr/sbin/VBoxService", "var/lib/VBoxGuestAdditions/config"},
         "run uninstall.sh of the folder in /var/lib/VBoxGuestAdditions/config, or remove "
         "virtualbox-guest-utils"},
        {"Parallels Tools",
         0,
         {"usr/lib/parallels-tools/install"},
         "/usr/lib/parallels-tools/install --remove"},
        {"qemu-guest-agent",
         ON(KVM),
         {"usr/sbin/qemu-ga", "usr/bin/qemu-ga"},
         "remove the package qemu-guest-agent"},
        {"Azure Linux agent",
         ON(AZURE),
         {"usr/sbin/waagent", "usr/bin/waagent"},
         "remove the package walinuxagent (WALinuxAgent)"},
        {"Google guest agent",
         ON(GCP),
         {"usr/bin/google_guest_agent", "usr/bin/google_guest_agent_manager"},
         "remove the package google-guest-agent"},
        {"Amazon SSM agent", ON(AWS), {"usr/bin/amazon-ssm-agent"}, "remove the package amazon-ssm-agent"},
};

static unsigned look_for_tools(struct tn_check_context *context)
{
        unsigned found = 0;

        for (size_t i = 0; i < G_N_ELEMENTS(tools); i++)
                for (size_t j = 0; j < G_N_ELEMENTS(tools[i].paths) && tools[i].paths[j]; j++) {
                        struct tn_check *check;

                        if ((tools[i].platforms & TN_PV_ON(context->target)) ||
                            !tn_env_exists(context->env, tools[i].paths[j]))
                                continue;
                        check = tn_check_add(context, TN_VERDICT_READY,
                                             "%s is installed (/%s) and of no use on the target",
                                             tools[i].name, tools[i].paths[j]);
                        tn_check_set_remedy(check, "after the move, not before: %s", tools[i].remove);
                        tn_check_set_data(check, json_pack("{s:s, s:s}", "tools", tools[i].name, "file",
                                                           tools[i].paths[j]));
                        found++;
                        break;
                }
        return found;
}

static const struct {
        const char *pattern;  /* of files */
        const char *words[2]; /* both in one line */
        unsigned platforms;   /* on these it is right */
        enum tn_verdict verdict;
        const char *what, *remedy;
} lines_of[] = {
        {"etc/X11/xorg.conf",
         {"Driver", "\"vmware\""},
         ON(VMWARE),
         TN_VERDICT_LOSS,
         "the X server is told the driver of VMware's card",
         "take the line out, or write \"modesetting\""},
        {"etc/X11/xorg.conf.d/*.conf",
         {"Driver", "\"vmware\""},
         ON(VMWARE),
         TN_VERDICT_LOSS,
         "the X server is told the driver of VMware's card",
         "take the line out, or write \"modesetting\""},
        {"etc/X11/xorg.conf",
         {"Driver", "\"qxl\""},
         ON(KVM),
         TN_VERDICT_LOSS,
         "the X server is told the driver of QEMU's card",
         "take the line out, or write \"modesetting\""},
        {"etc/modprobe.d/*.conf",
         {"alias", "scsi_hostadapter"},
         0,
         TN_VERDICT_READY,
         "an alias of a driver that is not there",
         "take the line out after the move"},
        {"etc/modprobe.conf",
         {"alias", "scsi_hostadapter"},
         0,
         TN_VERDICT_READY,
         "an alias of a driver that is not there",
         "take the line out after the move"},
        {"etc/yum.repos.d/*.repo",
         {"baseurl", "vmware.com"},
         ON(VMWARE),
         TN_VERDICT_READY,
         "a repository of VMware's, which makes dnf fail when it is gone",
         "remove the file after the move"},
        {"etc/udev/rules.d/*.rules",
         {"VMware", "timeout"},
         ON(VMWARE),
         TN_VERDICT_READY,
         "a longer timeout for VMware's disks; it matches no other",
         "remove the file after the move"},
        {"etc/cloud/cloud.cfg.d/*.cfg",
         {"datasource_list", "Azure"},
         ON(AZURE),
         TN_VERDICT_READY,
         "cloud-init looks for its settings at the old host",
         "name the target's datasource, or NoCloud and ConfigDrive"},
        {"etc/cloud/cloud.cfg.d/*.cfg",
         {"datasource_list", "VMware"},
         ON(VMWARE),
         TN_VERDICT_READY,
         "cloud-init looks for its settings at the old host",
         "name the target's datasource, or NoCloud and ConfigDrive"},
        {"etc/cloud/cloud.cfg.d/*.cfg",
         {"datasource_list", "Ec2"},
         ON(AWS),
         TN_VERDICT_READY,
         "cloud-init looks for its settings at the old host",
         "name the target's datasource, or NoCloud and ConfigDrive"},
        {"etc/cloud/cloud.cfg.d/*.cfg",
         {"datasource_list", "GCE"},
         ON(GCP),
         TN_VERDICT_READY,
         "cloud-init looks for its settings at the old host",
         "name the target's datasource, or NoCloud and ConfigDrive"},
};

static unsigned look_at_file(struct tn_check_context *context, size_t row, const char *path)
{
        g_autoptr(GPtrArray) lines = tn_textfile_read(context->env, path);
        unsigned found = 0;

        for (guint i = 0; i < lines->len; i++) {
                const struct tn_line *line = lines->pdata[i];
                struct tn_check *check;

                if (!strstr(line->text, lines_of[row].words[0]) ||
                    !strstr(line->text, lines_of[row].words[1]))
                        continue;
                check = tn_check_add(context, lines_of[row].verdict, "/%s line %u: %s", path, line->number,
                                     lines_of[row].what);
                tn_check_set_remedy(check, "%s", lines_of[row].remedy);
                tn_check_set_data(check, json_pack("{s:s, s:i}", "file", path, "line", (int) line->number));
                found++;
        }
        return found;
}

static unsigned look_for_lines(struct tn_check_context *context)
{
        unsigned found = 0;

        for (size_t i = 0; i < G_N_ELEMENTS(lines_of); i++) {
                g_autoptr(GPtrArray) paths = tn_textfile_glob(context->env, lines_of[i].pattern);

                for (guint j = 0; !(lines_of[i].platforms & TN_PV_ON(context->target)) && j < paths->len;
                     j++)
                        found += look_at_file(context, i, paths->pdata[j]);
        }
        return found;
}

/* Modules of the old tools that dkms would build for each new kernel. */
static unsigned look_for_dkms(struct tn_check_context *context)
{
        static const char *const names[] = {"vmhgfs",           "vmci",     "vsock", "vboxguest",
                                            "virtualbox-guest", "prl-tools"};
        unsigned found = 0;

        for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
                g_autofree char *path = g_strdup_printf("var/lib/dkms/%s", names[i]);
                struct tn_check *check;

                if (!tn_env_exists(context->env, path))
                        continue;
                check = tn_check_add(context, TN_VERDICT_READY,
                                     "/%s: a module of the old tools that dkms builds", path);
                tn_check_set_remedy(check, "after the move: dkms remove %s --all", names[i]);
                found++;
        }
        return found;
}

void tn_check_leftovers(struct tn_check_context *context)
{
        if (look_for_tools(context) + look_for_lines(context) + look_for_dkms(context) == 0)
                tn_check_add(context, TN_VERDICT_READY, "no tools of another hypervisor are installed");
}
