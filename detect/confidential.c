/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * Confidential guests: memory that the host cannot read. CPU feature flags do not prove it (a host that
 * offers SEV has them, too); an active state does: an MSR, a leaf that only guests see, a guest driver's
 * device. What is only offered has a low confidence.
 */
#include "detect/finding.h"

#include <string.h>

#define HYPERV_ISOLATION      (1U << 22) /* 0x40000003 ebx */
#define HYPERV_CPU_MANAGEMENT (1U << 12)
#define HYPERV_PARAVISOR      (1U << 0) /* 0x4000000C eax */

/* What exists only in such a guest. */
static const struct {
        enum tn_evidence_item item;
        const char *id;
} devices[] = {
        {TN_DEV_SEV_GUEST, "sev-snp"},
        {TN_CPU_SEV_VMPL, "sev-snp"},
        {TN_DEV_TDX_GUEST, "tdx"},
        {TN_ARM_CCA, "cca"},
};

/* Each implies the ones below it: the first that is set. */
static const struct {
        unsigned msr_bit; /* of SEV_STATUS: active */
        unsigned eax_bit; /* of 0x8000001F: offered */
        const char *id;
} sev[] = {
        {2, 4, "sev-snp"},
        {1, 3, "sev-es"},
        {0, 1, "sev"},
};

static void judge_sev(const struct tn_evidence *evidence, struct tn_findings *findings)
{
        struct tn_cpuid leaf, msr;
        bool have_msr = tn_evidence_cpuid(evidence, TN_CPUID_MSR_SEV_STATUS, &msr);

        if (!tn_evidence_cpuid(evidence, 0x8000001F, &leaf) || !(leaf.eax & 2))
                return;
        for (size_t i = 0; i < G_N_ELEMENTS(sev); i++) {
                if (have_msr && !(msr.eax >> sev[i].msr_bit & 1))
                        continue;
                if (!have_msr && !(leaf.eax >> sev[i].eax_bit & 1))
                        continue;
                if (have_msr)
                        tn_finding_add(findings, TN_DETECT_CONFIDENTIAL, TN_SOURCE_OTHER, sev[i].id, 95,
                                       "MSR 0xc0010131 0x%08x", msr.eax);
                else
                        tn_finding_add(findings, TN_DETECT_CONFIDENTIAL, TN_SOURCE_OTHER, sev[i].id, 50,
                                       "CPUID 0x8000001f eax 0x%08x; MSR 0xc0010131 cannot be read",
                                       leaf.eax);
                return;
        }
}

static void judge_tdx(const struct tn_evidence *evidence, struct tn_findings *findings)
{
        struct tn_cpuid regs;

        /* "IntelTDX    " in ebx, edx, ecx, as the vendor of leaf 0 */
        if (tn_evidence_cpuid(evidence, 0x21, &regs) && regs.ebx == 0x65746E49 && regs.edx == 0x5844546C &&
            regs.ecx == 0x20202020)
                tn_finding_add(findings, TN_DETECT_CONFIDENTIAL, TN_SOURCE_OTHER, "tdx", 95,
                               "CPUID 0x00000021 \"IntelTDX    \"");
        if (strstr(tn_evidence_text(evidence, TN_PROC_CPUINFO), "tdx_guest"))
                tn_finding_add(findings, TN_DETECT_CONFIDENTIAL, TN_SOURCE_OTHER, "tdx", 90,
                               "/proc/cpuinfo: flag tdx_guest");
}

/* Azure hides the CPU's leaves and tells the kind of isolation in Hyper-V's own (TLFS, 2.4.11). */
static void judge_hyperv(const struct tn_evidence *evidence, struct tn_findings *findings)
{
        static const char *const types[] = {NULL, "vbs", "sev-snp", "tdx"};
        struct tn_cpuid features, isolation;
        unsigned type;

        if (!tn_finding_find(findings, TN_DETECT_HYPERVISOR, "microsoft") ||
            !tn_evidence_cpuid(evidence, 0x40000003, &features) ||
            !tn_evidence_cpuid(evidence, 0x4000000C, &isolation))
                return;
        type = isolation.ebx & 0xF;
        if (!(features.ebx & HYPERV_ISOLATION) || (features.ebx & HYPERV_CPU_MANAGEMENT) ||
            type >= G_N_ELEMENTS(types) || !types[type])
                return;
        tn_finding_add(findings, TN_DETECT_CONFIDENTIAL, TN_SOURCE_OTHER, types[type], 95,
                       "CPUID 0x4000000c ebx 0x%08x: isolation type %u", isolation.ebx, type);
        if (isolation.eax & HYPERV_PARAVISOR)
                tn_finding_add(findings, TN_DETECT_CONFIDENTIAL, TN_SOURCE_OTHER, "hyperv-hcl", 90,
                               "CPUID 0x4000000c eax 0x%08x: a paravisor", isolation.eax);
}

void tn_confidential_judge(const struct tn_evidence *evidence, struct tn_findings *findings)
{
        judge_sev(evidence, findings);
        judge_tdx(evidence, findings);
        judge_hyperv(evidence, findings);
        for (size_t i = 0; i < G_N_ELEMENTS(devices); i++)
                if (tn_evidence_exists(evidence, devices[i].item))
                        tn_finding_add(findings, TN_DETECT_CONFIDENTIAL, TN_SOURCE_OTHER, devices[i].id, 90,
                                       "/%s", tn_evidence_path(evidence, devices[i].item));
        if (*tn_evidence_text(evidence, TN_UV_GUEST) == '1')
                tn_finding_add_text(findings, TN_DETECT_CONFIDENTIAL, TN_SOURCE_OTHER, "protvirt", 95,
                                    evidence, TN_UV_GUEST);
        /* The event log that confidential firmware leaves; says which only together with the rest. */
        if (tn_evidence_exists(evidence, TN_ACPI_CCEL) &&
            tn_finding_find(findings, TN_DETECT_CONFIDENTIAL, "tdx"))
                tn_finding_add(findings, TN_DETECT_CONFIDENTIAL, TN_SOURCE_OTHER, "tdx", 90, "/%s",
                               tn_evidence_path(evidence, TN_ACPI_CCEL));
}
