/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * 12. Programs that the old agent ran around a snapshot, so that a database on the disk is whole. The
 * target's agent looks into a folder of its own.
 */
#include <string.h>

#include "lib/json.h"
#include "pvdrivers/checks/check.h"

#define ON(platform) TN_PV_ON(TN_PV_##platform)

static const struct {
        const char *agent;
        unsigned platforms; /* whose agent runs them */
        const char *path;   /* of a folder, or of a program */
        bool folder;
} places[] = {
        {"open-vm-tools", ON(VMWARE), "etc/vmware-tools/backupScripts.d", true},
        {"open-vm-tools", ON(VMWARE), "usr/sbin/pre-freeze-script", false},
        {"open-vm-tools", ON(VMWARE), "usr/sbin/post-thaw-script", false},
        {"qemu-guest-agent", ON(KVM), "etc/qemu/fsfreeze-hook.d", true},
        {"qemu-guest-agent", ON(KVM), "etc/qemu-ga/fsfreeze-hook.d", true},
};

static bool has_hooks(const struct tn_env *env, const char *folder)
{
        g_auto(GStrv) names = tn_env_list(env, folder);

        for (size_t i = 0; names && names[i]; i++)
                if (names[i][0] != '.' && !g_str_has_suffix(names[i], ".sample") &&
                    !g_str_has_suffix(names[i], "~"))
                        return true;
        return false;
}

void tn_check_freeze_hooks(struct tn_check_context *context)
{
        bool own = has_hooks(context->env, "etc/tenon/freeze.d");
        unsigned found = 0;

        for (size_t i = 0; i < G_N_ELEMENTS(places); i++) {
                struct tn_check *check;

                if (!(places[i].folder ? has_hooks(context->env, places[i].path)
                                       : tn_env_exists(context->env, places[i].path)))
                        continue;
                found++;
                if (places[i].platforms & TN_PV_ON(context->target)) {
                        tn_check_add(context, TN_VERDICT_READY,
                                     "/%s: hooks of %s, which the target's agent runs", places[i].path,
                                     places[i].agent);
                        continue;
                }
                check = tn_check_add(context, own ? TN_VERDICT_READY : TN_VERDICT_LOSS,
                                     "/%s: hooks of %s, which nobody runs on the target%s", places[i].path,
                                     places[i].agent,
                                     own ? "; /etc/tenon/freeze.d has some, too"
                                         : ": snapshots there take databases unprepared");
                tn_check_set_remedy(check, "put them into /etc/tenon/freeze.d, where they are called with "
                                           "freeze and thaw; see tenond(8)");
                tn_check_set_data(check, json_pack("{s:s}", "path", places[i].path));
        }
        if (found == 0)
                tn_check_add(context, own ? TN_VERDICT_READY : TN_VERDICT_NOT_APPLICABLE,
                             own ? "/etc/tenon/freeze.d has the hooks for snapshots"
                                 : "no hooks for snapshots are installed");
}
