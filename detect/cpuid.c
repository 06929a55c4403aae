/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * What CPUID says. Leaf 1 has a bit that means "there is a hypervisor"; the hypervisor's own leaves start
 * at 0x40000000 and again in steps of 0x100, because some speak with more than one tongue: Xen and KVM
 * offer Hyper-V's interface in front and themselves behind. So "Microsoft Hv" only counts when nobody
 * else is found, and of the others the first one is the machine's, as in systemd-detect-virt.
 */
#include "detect/finding.h"

#include <string.h>

#define SIGNATURE_LEN 12

#define HYPERV_CREATE_PARTITIONS (1U << 0)
#define HYPERV_CPU_MANAGEMENT    (1U << 12)
#define HYPERV_ISOLATION         (1U << 22)

struct row {
        const char *id;
        char signature[SIGNATURE_LEN + 1];
};

/* Ids: systemd-detect-virt's where it has one (kvm … apple), virt-what's otherwise (lkvm, vmm), the
 * project's own where neither has (the rest). */
static const struct row signatures[] = {
        {"kvm", "KVMKVMKVM\0\0\0"},
        {"kvm", "Linux KVM Hv"}, /* QEMU with a Hyper-V vendor id of its own */
        {"qemu", "TCGTCGTCGTCG"},
        {"vmware", "VMwareVMware"},
        {"xen", "XenVMMXenVMM"},
        {"bhyve", "bhyve bhyve "},
        {"bhyve", "BHyVE BHyVE "}, /* before FreeBSD 10.1 */
        {"qnx", "QNXQVMBSQG\0\0"},
        {"acrn", "ACRNACRNACRN"},
        {"sre", "SRESRESRESRE"},
        {"apple", "Apple VZ\0\0\0\0"},
        {"oracle", "VBoxVBoxVBox"},
        {"parallels", " lrpepyh  vr"},
        {"parallels", "prl hyperv  "},
        {"jailhouse", "Jailhouse\0\0\0"},
        {"vmm", "OpenBSDVMM58"},
        {"lkvm", "LKVMLKVMLKVM"},
        {"haxm", "HAXMHAXMHAXM"},
        {"nvmm", "___ NVMM ___"}, /* NetBSD */
        {"unisys-spar", "UnisysSpar64"},
        {"evmm", "EVMMEVMMEVMM"}, /* Intel's, under Trusty and KGT */
};

/* Leaf 0, the CPU's vendor, in the order of the registers' text: emulators that name themselves there. */
static const struct row vendors[] = {
        {"lkvm", "LKVMLKVMLKVM"},  /* kvmtool; KVM's own leaf is there too */
        {"apple", "VirtualApple"}, /* Rosetta in a guest of Apple's Virtualization framework */
        {"virtualpc", "ConnectixCPU"},
        {"powervm_lx86", "PowerVM Lx86"},
};

static void put_register(char *to, uint32_t value)
{
        for (unsigned i = 0; i < 4; i++)
                to[i] = (char) (value >> (8 * i));
}

static void hypervisor_signature(const struct tn_cpuid *regs, char ret[SIGNATURE_LEN])
{
        put_register(ret, regs->ebx);
        put_register(ret + 4, regs->ecx);
        put_register(ret + 8, regs->edx);
}

static void vendor_signature(const struct tn_cpuid *regs, char ret[SIGNATURE_LEN])
{
        put_register(ret, regs->ebx);
        put_register(ret + 4, regs->edx);
        put_register(ret + 8, regs->ecx);
}

static const char *find_signature(const struct row *rows, size_t n_rows, const char signature[SIGNATURE_LEN])
{
        for (size_t i = 0; i < n_rows; i++)
                if (memcmp(rows[i].signature, signature, SIGNATURE_LEN) == 0)
                        return rows[i].id;
        return NULL;
}

static void add_signature(struct tn_findings *findings, enum tn_source source, const char *id,
                          unsigned confidence, uint32_t leaf, const char signature[SIGNATURE_LEN])
{
        g_autofree char *quoted = tn_finding_quote(signature, SIGNATURE_LEN);

        tn_finding_add(findings, TN_DETECT_HYPERVISOR, source, id, confidence, "CPUID 0x%08x %s", leaf,
                       quoted);
}

/* A root partition runs on Hyper-V as dom0 runs on Xen: it is the host. An isolated guest never is, even
 * where a hostile hypervisor says so. */
static bool judge_root_partition(const struct tn_evidence *evidence, struct tn_findings *findings)
{
        struct tn_cpuid regs;

        if (!tn_evidence_cpuid(evidence, 0x40000003, &regs) || (regs.ebx & HYPERV_ISOLATION) ||
            !(regs.ebx & (HYPERV_CREATE_PARTITIONS | HYPERV_CPU_MANAGEMENT)))
                return false;
        findings->host = true;
        tn_finding_add(findings, TN_DETECT_HOST, TN_SOURCE_OTHER, "microsoft", 90,
                       "CPUID 0x40000000 \"Microsoft Hv\", 0x40000003 ebx 0x%08x: root partition", regs.ebx);
        return true;
}

/* The hypervisor bit without a signature that we know. All that there is to know is told. */
static void add_unknown(struct tn_findings *findings, const struct tn_cpuid *regs)
{
        char signature[SIGNATURE_LEN];
        g_autofree char *quoted = NULL;

        hypervisor_signature(regs, signature);
        quoted = tn_finding_quote(signature, SIGNATURE_LEN);
        tn_finding_add(findings, TN_DETECT_HYPERVISOR, TN_SOURCE_UNKNOWN, "unknown", 80,
                       "CPUID 0x00000001 ecx bit 31, 0x40000000 %s (ebx 0x%08x ecx 0x%08x edx 0x%08x)",
                       quoted, regs->ebx, regs->ecx, regs->edx);
}

static void judge_leaves(const struct tn_evidence *evidence, struct tn_findings *findings, bool bit)
{
        struct tn_cpuid regs, base = {0};
        char signature[SIGNATURE_LEN];
        const char *first = NULL;
        bool hyperv = false;

        (void) tn_evidence_cpuid(evidence, 0x40000000, &base);
        for (uint32_t leaf = 0x40000000; leaf <= 0x40000F00; leaf += 0x100) {
                const char *id;

                if (!tn_evidence_cpuid(evidence, leaf, &regs))
                        continue;
                hypervisor_signature(&regs, signature);
                hyperv = hyperv || memcmp(signature, "Microsoft Hv", SIGNATURE_LEN) == 0;
                id = find_signature(signatures, G_N_ELEMENTS(signatures), signature);
                /* The first one decides; a second one (Xen as KVM emulates it) is told, too. */
                if (id && (!first || !g_str_equal(id, first)))
                        add_signature(findings, first ? TN_SOURCE_VMM : TN_SOURCE_CPUID, id, first ? 60 : 95,
                                      leaf, signature);
                first = first ?: id;
        }
        if (hyperv && !first && !judge_root_partition(evidence, findings))
                add_signature(findings, TN_SOURCE_HYPERV, "microsoft", 90, 0x40000000, "Microsoft Hv");
        if (bit && !hyperv && !first)
                add_unknown(findings, &base);
}

void tn_cpuid_judge(const struct tn_evidence *evidence, struct tn_findings *findings)
{
        struct tn_cpuid regs;
        char signature[SIGNATURE_LEN];
        const char *id = NULL;

        if (tn_evidence_cpuid(evidence, 0, &regs)) {
                vendor_signature(&regs, signature);
                id = find_signature(vendors, G_N_ELEMENTS(vendors), signature);
        }
        if (id)
                add_signature(findings, TN_SOURCE_VMM, id, 85, 0, signature);
        judge_leaves(evidence, findings, tn_evidence_cpuid(evidence, 1, &regs) && (regs.ecx >> 31));
}
