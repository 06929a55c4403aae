/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * 10. Which instructions does the distribution's C library want? A machine with QEMU's plain model (qemu64,
 * kvm64) lacks x86-64-v2, and init ends with "CPU does not support x86-64-v2". The level is the host's to
 * give.
 */
#include <stdlib.h>
#include <string.h>

#include "pvdrivers/checks/check.h"
#include "pvdrivers/textfile.h"

static const struct {
        const char *id; /* ID or ID_LIKE of os-release */
        int first;      /* VERSION_ID from which on */
        int level;
} wants[] = {
        {"rhel", 10, 3}, {"centos", 10, 3}, {"rhel", 9, 2},    {"centos", 9, 2},
        {"suse", 16, 2}, {"sles", 16, 2},   {"cachyos", 0, 3}, {"clear-linux-os", 0, 2},
};

/* Models of QEMU, by level. */
static const char *const models[] = {
        [2] = "Nehalem or newer (Proxmox VE: x86-64-v2-AES; libvirt: <cpu mode='host-model'/>)",
        [3] = "Haswell or newer (Proxmox VE: x86-64-v3; libvirt: <cpu mode='host-model'/>)",
};

static int level_of(const struct tn_env *env)
{
        g_autofree char *version = tn_textfile_read_setting(env, "etc/os-release", "VERSION_ID");
        int number = version ? atoi(version) : 0;

        for (size_t i = 0; i < G_N_ELEMENTS(wants); i++)
                if (tn_check_like(env, wants[i].id) && number >= wants[i].first)
                        return wants[i].level;
        return 1;
}

static bool is_x86_64(const struct tn_env *env)
{
        return g_str_equal(env->machine, "x86_64") ||
               (env->recorded && (tn_env_exists(env, "lib64/ld-linux-x86-64.so.2") ||
                                  tn_env_exists(env, "usr/lib64/ld-linux-x86-64.so.2") ||
                                  g_str_equal(env->machine, "unknown")));
}

void tn_check_cpu_level(struct tn_check_context *context)
{
        g_autofree char *name = tn_textfile_read_setting(context->env, "etc/os-release", "PRETTY_NAME");
        bool qemu = context->target == TN_PV_KVM;
        int level = level_of(context->env);
        struct tn_check *check;

        if (!is_x86_64(context->env)) {
                tn_check_add(context, TN_VERDICT_NOT_APPLICABLE, "%s: no levels of the processor",
                             context->env->machine);
                return;
        }
        check = tn_check_add(context, TN_VERDICT_READY, "%s wants a processor of x86-64-v%d%s",
                             name ? name : "this system", level, level == 1 ? ", which all are" : "");
        if (level > 1 && qemu)
                tn_check_set_remedy(check,
                                    "give the new machine the CPU model %s; QEMU's own default is too old",
                                    models[level]);
        else if (level > 1)
                tn_check_set_remedy(check, "see that the new host's processor has it");
        tn_check_set_data(check, json_pack("{s:i}", "level", level));
}
