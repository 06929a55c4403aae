/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * Xen: which of its many guests this is, or whether it is the host. dom0 is told by XENFEAT_dom0 (bit 11
 * of the feature mask, hexadecimal without 0x), where that is missing by "control_d" in the capabilities.
 */
#include "detect/finding.h"

#include <stdlib.h>
#include <string.h>

#define XENFEAT_DOM0 11

static bool is_dom0(const struct tn_evidence *evidence)
{
        const char *features = tn_evidence_text(evidence, TN_SYS_HYPERVISOR_FEATURES);
        g_auto(GStrv) capabilities = NULL;
        char *end;
        unsigned long long mask = g_ascii_strtoull(features, &end, 16);

        if (end != features)
                return (mask >> XENFEAT_DOM0) & 1;
        capabilities = g_strsplit_set(tn_evidence_text(evidence, TN_PROC_XEN_CAPABILITIES), ", \t", -1);
        return g_strv_contains((const char *const *) capabilities, "control_d");
}

static void judge_dom0(const struct tn_evidence *evidence, struct tn_findings *findings)
{
        const char *what = tn_evidence_text(evidence, TN_SYS_HYPERVISOR_FEATURES);
        enum tn_evidence_item item = *what ? TN_SYS_HYPERVISOR_FEATURES : TN_PROC_XEN_CAPABILITIES;

        findings->host = true;
        tn_finding_add_text(findings, TN_DETECT_HOST, TN_SOURCE_OTHER, "xen", 95, evidence, item);
        tn_finding_add_text(findings, TN_DETECT_HOST, TN_SOURCE_DETAIL, "xen-dom0", 95, evidence, item);
}

/* virt-what calls PV and PVH guests xen-domU, as long as they have no SMBIOS. */
static void judge_guest_type(const struct tn_evidence *evidence, struct tn_findings *findings, bool cpuid)
{
        static const struct {
                const char *type, *id;
        } types[] = {{"HVM", "xen-hvm"}, {"PV", "xen-pv"}, {"PVH", "xen-pvh"}};
        const char *type = tn_evidence_text(evidence, TN_SYS_HYPERVISOR_GUEST_TYPE);
        bool hvm = g_str_equal(type, "HVM");

        for (size_t i = 0; i < G_N_ELEMENTS(types); i++)
                if (g_str_equal(types[i].type, type))
                        tn_finding_add_text(findings, TN_DETECT_HYPERVISOR, TN_SOURCE_DETAIL, types[i].id,
                                            90, evidence, TN_SYS_HYPERVISOR_GUEST_TYPE);
        if (!*type && cpuid && tn_evidence_exists(evidence, TN_DMI_SYS_VENDOR)) {
                tn_finding_add(findings, TN_DETECT_HYPERVISOR, TN_SOURCE_DETAIL, "xen-hvm", 80,
                               "Xen in CPUID, and DMI");
                hvm = true;
        }
        if (!hvm && (*type || tn_evidence_exists(evidence, TN_PROC_XEN)))
                tn_finding_add(findings, TN_DETECT_HYPERVISOR, TN_SOURCE_DETAIL, "xen-domU", 85,
                               "a Xen guest that is neither HVM nor dom0");
}

void tn_xen_judge(const struct tn_evidence *evidence, struct tn_findings *findings)
{
        const char *type = tn_evidence_text(evidence, TN_SYS_HYPERVISOR_TYPE);
        bool cpuid = tn_finding_find(findings, TN_DETECT_HYPERVISOR, "xen") != NULL;
        bool kernel = g_str_equal(type, "xen") || tn_evidence_exists(evidence, TN_PROC_XEN);

        if (kernel && is_dom0(evidence)) {
                judge_dom0(evidence, findings);
                return;
        }
        if (g_str_equal(type, "xen"))
                tn_finding_add_text(findings, TN_DETECT_HYPERVISOR, TN_SOURCE_XEN, "xen", 95, evidence,
                                    TN_SYS_HYPERVISOR_TYPE);
        else if (*type)
                tn_finding_add_text(findings, TN_DETECT_HYPERVISOR, TN_SOURCE_UNKNOWN, "unknown", 75,
                                    evidence, TN_SYS_HYPERVISOR_TYPE);
        if (tn_evidence_exists(evidence, TN_PROC_XEN))
                tn_finding_add(findings, TN_DETECT_HYPERVISOR, TN_SOURCE_XEN, "xen", 85, "/proc/xen");
        if (kernel || cpuid)
                judge_guest_type(evidence, findings, cpuid);
}
