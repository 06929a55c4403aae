/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* 14. Who answers the target's host? And is the port there, by which it asks? */
#include <string.h>

#include "lib/names.h"
#include "pvdrivers/checks/check.h"

#define ON(platform) TN_PV_ON(TN_PV_##platform)

static const struct {
        const char *name;
        unsigned platforms;
        const char *paths[3];
        const char *units[2]; /* one of them is enabled */
} agents[] = {
        {"tenon",
         (1U << _TN_PV_PLATFORM_MAX) - 1,
         {"usr/sbin/tenond", "usr/local/sbin/tenond"},
         {"tenond.service"}},
        {"qemu-guest-agent", ON(KVM), {"usr/sbin/qemu-ga", "usr/bin/qemu-ga"}, {"qemu-guest-agent.service"}},
        {"open-vm-tools",
         ON(VMWARE),
         {"usr/bin/vmtoolsd", "usr/sbin/vmtoolsd"},
         {"open-vm-tools.service", "vmtoolsd.service"}},
        {"hyperv-daemons",
         ON(HYPERV),
         {"usr/sbin/hv_kvp_daemon", "usr/sbin/hypervkvpd"},
         {"hv-kvp-daemon.service", "hypervkvpd.service"}},
        {"xe-guest-utilities",
         ON(XEN),
         {"usr/sbin/xe-daemon"},
         {"xe-daemon.service", "xe-linux-distribution.service"}},
        {"virtualbox-guest-utils",
         ON(VIRTUALBOX),
         {"usr/sbin/VBoxService"},
         {"vboxservice.service", "vboxadd-service.service"}},
        {"walinuxagent",
         ON(AZURE),
         {"usr/sbin/waagent", "usr/bin/waagent"},
         {"walinuxagent.service", "waagent.service"}},
        {"google-guest-agent",
         ON(GCP),
         {"usr/bin/google_guest_agent", "usr/bin/google_guest_agent_manager"},
         {"google-guest-agent.service"}},
        {"amazon-ssm-agent", ON(AWS), {"usr/bin/amazon-ssm-agent"}, {"amazon-ssm-agent.service"}},
};

/* A unit with a rule of udev's starts without being enabled. */
static bool is_enabled(const struct tn_env *env, size_t row)
{
        static const char *const wants[] = {
                "etc/systemd/system/multi-user.target.wants",
                "etc/systemd/system/dev-virtio\\x2dports-org.qemu.guest_agent.0.device.wants",
                "etc/runlevels/default"};

        for (size_t i = 0; i < G_N_ELEMENTS(agents[row].units) && agents[row].units[i]; i++)
                for (size_t j = 0; j < G_N_ELEMENTS(wants); j++) {
                        g_autofree char *path = g_strdup_printf("%s/%s", wants[j], agents[row].units[i]);
                        g_autofree char *target = tn_env_readlink(env, path);

                        if (target || tn_env_exists(env, path))
                                return true;
                }
        return false;
}

static bool find_agent(const struct tn_check_context *context, size_t row, const char **ret_path)
{
        for (size_t i = 0; i < G_N_ELEMENTS(agents[row].paths) && agents[row].paths[i]; i++)
                if (tn_env_exists(context->env, agents[row].paths[i])) {
                        *ret_path = agents[row].paths[i];
                        return true;
                }
        return false;
}

static const char *host_remedy(enum tn_pv_platform target)
{
        return target == TN_PV_KVM ? "give the new machine a virtio-serial port named " TN_PORT_QGA : NULL;
}

void tn_check_agent(struct tn_check_context *context)
{
        const char *path = NULL, *remedy = host_remedy(context->target);
        unsigned found = 0;
        struct tn_check *check;

        for (size_t i = 0; i < G_N_ELEMENTS(agents); i++) {
                bool enabled;

                if (!(agents[i].platforms & TN_PV_ON(context->target)) || !find_agent(context, i, &path))
                        continue;
                enabled = is_enabled(context->env, i);
                check = tn_check_add(context, TN_VERDICT_READY, "%s is installed (/%s)%s", agents[i].name,
                                     path, enabled ? " and enabled" : "; that it is enabled was not seen");
                if (!enabled)
                        tn_check_set_remedy(check, "systemctl enable %s%s%s", agents[i].units[0],
                                            remedy ? "; and " : "", remedy ? remedy : "");
                else if (remedy)
                        tn_check_set_remedy(check, "%s", remedy);
                found++;
        }
        if (found > 0)
                return;
        check = tn_check_add(
                context, TN_VERDICT_READY,
                "no agent for the target is installed: its host can neither shut the guest down in "
                "order nor freeze it for a snapshot");
        tn_check_set_remedy(check, "install tenon%s%s", remedy ? ", and " : "", remedy ? remedy : "");
}
