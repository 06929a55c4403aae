/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * 13. SELinux, fapolicyd and IMA judge files by labels and signatures that an editor from outside does not
 * set. What is changed from inside, as here, gets its label from the policy.
 */
#include <string.h>

#include "pvdrivers/checks/check.h"
#include "pvdrivers/textfile.h"

static unsigned look_at_selinux(struct tn_check_context *context)
{
        g_autofree char *mode = tn_textfile_read_setting(context->env, "etc/selinux/config", "SELINUX");
        struct tn_check *check;

        if (!mode || g_str_equal(mode, "disabled"))
                return 0;
        check = tn_check_add(context, TN_VERDICT_READY,
                             "/etc/selinux/config: SELINUX=%s; files written here get their labels%s", mode,
                             tn_env_exists(context->env, ".autorelabel")
                                     ? ", and /.autorelabel makes the next boot long"
                                     : "");
        tn_check_set_remedy(
                check,
                "files that are changed from outside (virt-v2v, guestfish) need: touch /.autorelabel");
        return 1;
}

static unsigned look_at_fapolicyd(struct tn_check_context *context)
{
        struct tn_check *check;

        if (!tn_env_exists(context->env, "etc/systemd/system/multi-user.target.wants/fapolicyd.service"))
                return 0;
        check = tn_check_add(context, TN_VERDICT_READY,
                             "fapolicyd is enabled: programs that no package has brought do not run");
        tn_check_set_remedy(check, "after the target's agent is installed by hand: fapolicyd-cli --file add "
                                   "FILE; fapolicyd-cli --update");
        return 1;
}

static unsigned look_at_ima(struct tn_check_context *context)
{
        g_autofree char *where = NULL, *options = tn_check_options(context, &where);
        g_autofree char *appraise = tn_check_option(options, "ima_appraise");
        struct tn_check *check;

        if (!appraise || g_str_equal(appraise, "off"))
                return 0;
        check = tn_check_add(context, TN_VERDICT_READY,
                             "%s: ima_appraise=%s: files without a good signature are not opened", where,
                             appraise);
        tn_check_set_remedy(check, "sign what is changed, or boot once with ima_appraise=fix");
        return 1;
}

void tn_check_access_control(struct tn_check_context *context)
{
        if (look_at_selinux(context) + look_at_fapolicyd(context) + look_at_ima(context) == 0)
                tn_check_add(context, TN_VERDICT_NOT_APPLICABLE,
                             "neither SELinux nor fapolicyd nor IMA's appraisal is in use");
}
