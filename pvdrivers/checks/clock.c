/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* 7. Will the guest know the time? chrony ends when its reference clock is missing; a clock source that is
 * not there is passed over by the kernel. */
#include <string.h>

#include "pvdrivers/checks/check.h"
#include "pvdrivers/textfile.h"

#define ON(platform) TN_PV_ON(TN_PV_##platform)

static const struct {
        const char *name;
        unsigned platforms; /* that have it */
} sources[] = {
        {"kvm-clock", ON(KVM) | ON(GCP) | ON(AWS)},
        {"hyperv_clocksource_tsc_page", ON(HYPERV) | ON(AZURE)},
        {"hyperv_clocksource_msr", ON(HYPERV) | ON(AZURE)},
        {"xen", ON(XEN)},
};

/* Which platforms have a PTP clock of this name in /dev. */
static const struct {
        const char *device;
        unsigned platforms;
} clocks[] = {
        {"/dev/ptp_kvm", ON(KVM)},
        {"/dev/ptp_hyperv", ON(HYPERV) | ON(AZURE)},
        {"/dev/ptp", ON(KVM) | ON(HYPERV) | ON(AZURE) | ON(VMWARE)},
};

static unsigned look_at_options(struct tn_check_context *context)
{
        static const char *const odd[] = {"notsc", "divider", "lpj"};
        g_autofree char *where = NULL, *options = tn_check_options(context, &where);
        g_autofree char *source = tn_check_option(options, "clocksource");
        unsigned found = 0;

        for (size_t i = 0; source && i < G_N_ELEMENTS(sources); i++)
                if (g_str_equal(source, sources[i].name) &&
                    !(sources[i].platforms & TN_PV_ON(context->target))) {
                        struct tn_check *check = tn_check_add(
                                context, TN_VERDICT_LOSS, "%s: clocksource=%s is not there on the target",
                                where, source);

                        tn_check_set_remedy(check, "take it out of the kernel's command line");
                        found++;
                }
        for (size_t i = 0; i < G_N_ELEMENTS(odd); i++) {
                g_autofree char *value = tn_check_option(options, odd[i]);
                struct tn_check *check;

                if (!value)
                        continue;
                check = tn_check_add(context, TN_VERDICT_LOSS,
                                     "%s: %s was meant for the clock of the old host", where, odd[i]);
                tn_check_set_remedy(
                        check, "take %s out of the kernel's command line, unless it is needed there as well",
                        odd[i]);
                found++;
        }
        return found;
}

static bool has_clock(enum tn_pv_platform target, const char *device)
{
        for (size_t i = 0; i < G_N_ELEMENTS(clocks); i++)
                if (g_str_has_prefix(device, clocks[i].device))
                        return clocks[i].platforms & TN_PV_ON(target);
        return true;
}

/* refclock PHC /dev/ptp_hyperv poll 3 … */
static unsigned look_at_chrony(struct tn_check_context *context, const char *path)
{
        g_autoptr(GPtrArray) lines = tn_textfile_read(context->env, path);
        unsigned found = 0;

        for (guint i = 0; i < lines->len; i++) {
                const struct tn_line *line = lines->pdata[i];
                g_auto(GStrv) words = tn_textfile_words(line->text);
                struct tn_check *check;

                if (g_strv_length(words) < 3 || !g_str_equal(words[0], "refclock") ||
                    !g_str_equal(words[1], "PHC") || has_clock(context->target, words[2]))
                        continue;
                check = tn_check_add(context, TN_VERDICT_LOSS,
                                     "/%s line %u: refclock PHC %s is not there on the target, and chronyd "
                                     "ends without it",
                                     path, line->number, words[2]);
                tn_check_set_remedy(check, "take the line out, or name the target's clock%s",
                                    context->target == TN_PV_KVM ? ": /dev/ptp_kvm" : "");
                tn_check_set_data(check, json_pack("{s:s, s:i, s:s}", "file", path, "line",
                                                   (int) line->number, "device", words[2]));
                found++;
        }
        return found;
}

/* The third line of /etc/adjtime: UTC or LOCAL. */
static unsigned look_at_adjtime(struct tn_check_context *context)
{
        g_autofree char *text = NULL;
        g_auto(GStrv) lines = NULL;
        struct tn_check *check;

        if (!tn_env_read(context->env, "etc/adjtime", &text, NULL, NULL))
                return 0;
        lines = g_strsplit(text, "\n", -1);
        if (g_strv_length(lines) < 3 || !g_str_has_prefix(lines[2], "LOCAL"))
                return 0;
        check = tn_check_add(context, TN_VERDICT_LOSS,
                             "/etc/adjtime line 3: the hardware clock is read as local time");
        tn_check_set_remedy(check,
                            "timedatectl set-local-rtc 0; or give the new machine a clock in local time");
        return 1;
}

void tn_check_clock(struct tn_check_context *context)
{
        static const char *const patterns[] = {"etc/chrony.conf", "etc/chrony/chrony.conf",
                                               "etc/chrony.d/*.conf", "etc/chrony/conf.d/*.conf"};
        unsigned found = look_at_options(context) + look_at_adjtime(context);

        for (size_t i = 0; i < G_N_ELEMENTS(patterns); i++) {
                g_autoptr(GPtrArray) paths = tn_textfile_glob(context->env, patterns[i]);

                for (guint j = 0; j < paths->len; j++)
                        found += look_at_chrony(context, paths->pdata[j]);
        }
        if (found == 0)
                tn_check_add(context, TN_VERDICT_READY,
                             "the command line, chrony and /etc/adjtime name no clock of the old host");
}
