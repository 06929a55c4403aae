/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* Only what matters for speed or is lacking altogether; the states of modules, and so the exact remedy, are
 * tenon-drivers' to find, for which this process would need libkmod. */
#include "agent/driver-advice.h"

#include "lib/json.h"
#include "pvdrivers/advice.h"
#include "pvdrivers/judge.h"

/* Without any driver a device does not work at all; with that of an emulated one it does, only slower. */
static json_t *advise(const struct tn_judgement *is, const char **ret_severity)
{
        const char *device = is->device->name;
        const char *role = is->role < _TN_PV_ROLE_MAX ? tn_catalogue_role_name(is->role) : "device";
        g_autofree char *text = NULL;

        if (is->role >= _TN_PV_ROLE_MAX || !tn_advice_important(is->role))
                return NULL;
        *ret_severity = is->device->driver ? "warning" : "critical";
        if (is->better)
                text = g_strdup_printf(
                        "%s %s is emulated (%s); with %s it would be faster: tenonctl drivers "
                        "says what to change on the host",
                        role, device, is->module ? is->module : "no driver", is->better->module);
        else if (is->kind == TN_JUDGE_PARAVIRTUAL && !is->device->driver && is->module)
                text = g_strdup_printf("%s %s has no driver; it needs %s: tenonctl drivers says what to do",
                                       role, device, is->module);
        return text ? tn_json_text(text) : NULL;
}

json_t *tn_driver_advice(const struct tn_env *env, const struct tn_catalogue *catalogue,
                         enum tn_pv_platform platform)
{
        g_autoptr(GPtrArray) devices = tn_device_list(env);
        json_t *list = json_array(), *severities = json_array();

        for (guint i = 0; i < devices->len; i++) {
                struct tn_judgement judgement;
                const char *severity;
                json_t *text;

                if (!tn_judge(catalogue, platform, devices, devices->pdata[i], &judgement))
                        continue;
                text = advise(&judgement, &severity);
                if (text) {
                        json_array_append_new(list, text);
                        json_array_append_new(severities, json_string(severity));
                }
                tn_judge_clear(&judgement);
        }
        return json_pack("{s:s, s:o, s:o}", "state", json_array_size(list) ? "advice" : "ok", "advice", list,
                         "severities", severities);
}
