/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * DMI: what the machine's firmware calls itself. The rows and the order of the files are those that
 * systemd-detect-virt trusts, with what is known to go wrong there set right: Oracle's own servers are not
 * VirtualBox, Amazon's and Google's bare metal is not a guest, a Surface is not Hyper-V.
 */
#include "detect/finding.h"

#include <string.h>

#include "detect/tags.h"

struct row {
        const char *prefix;
        const char *id;
        bool strong; /* wins against CPUID: a product above KVM or one that shows somebody else's CPUID */
        /* NULL, or says that the row does not hold here after all. */
        bool (*except)(const struct tn_evidence *evidence, const struct tn_findings *findings);
};

static bool amazon_metal(const struct tn_evidence *evidence, const struct tn_findings *findings);
static bool oracle_server(const struct tn_evidence *evidence, const struct tn_findings *findings);
static bool google_elsewhere(const struct tn_evidence *evidence, const struct tn_findings *findings);

static const struct row rows[] = {
        {"KVM", "kvm"},
        {"OpenStack", "kvm"},
        {"KubeVirt", "kvm"},
        {"Amazon EC2", "amazon", true, amazon_metal},
        {"QEMU", "qemu"},
        {"VMware", "vmware"},
        {"VMW", "vmware"},
        {"innotek GmbH", "oracle", true},
        {"VirtualBox", "oracle", true},
        {"Oracle Corporation", "oracle", true, oracle_server}, /* VirtualBox: its board's vendor */
        {"Xen", "xen", true},
        {"Bochs", "bochs"},
        {"Parallels", "parallels", true},
        {"BHYVE", "bhyve"},
        {"Hyper-V", "microsoft"},
        {"Apple Virtualization", "apple"},
        {"Google Compute Engine", "google", true, google_elsewhere},
};

/* Pairs that no prefix of one file tells: sys_vendor, and what product_name begins with. */
static const struct {
        const char *vendor, *product, *id;
        enum tn_source source;
} pairs[] = {
        {"OpenBSD", "VMM", "vmm", TN_SOURCE_DMI},
        {"HITACHI", "", "virtage", TN_SOURCE_DMI}, /* a logical partition: see below */
        {"Cloud Hypervisor", "", "cloud-hypervisor", TN_SOURCE_VMM},
        {"ChromiumOS", "crosvm", "crosvm", TN_SOURCE_VMM},
        {"Joyent", "SmartDC HVM", "kvm", TN_SOURCE_DMI},
        {"FreeBSD", "BHYVE", "bhyve", TN_SOURCE_DMI},
};

/* What runs the machine's firmware; of interest for what it can do, and true beside any hypervisor. */
static const struct {
        const char *prefix, *id;
} firmwares[] = {
        {"SeaBIOS", "seabios"},
        {"EFI Development Kit II", "edk2"},
        {"EDK II", "edk2"},
        {"Ubuntu distribution of EDK II", "edk2"},
        {"Debian distribution of EDK II", "edk2"},
        {"U-Boot", "u-boot"},
        {"coreboot", "coreboot"},
};

/* SMBIOS 3.4, 7.1.2.2: BIOS characteristics extension byte 2, bit 4. Only root can read it; QEMU's
 * SeaBIOS does not set it, so that a missing bit means nothing by itself. */
enum vm_bit { VM_BIT_UNKNOWN, VM_BIT_UNSET, VM_BIT_SET };

static enum vm_bit virtual_machine_bit(const struct tn_evidence *evidence)
{
        const char *raw = tn_evidence_text(evidence, TN_SMBIOS_BIOS);

        if (tn_evidence_len(evidence, TN_SMBIOS_BIOS) < 20 || (unsigned char) raw[1] < 20)
                return VM_BIT_UNKNOWN;
        return (raw[19] & 0x10) ? VM_BIT_SET : VM_BIT_UNSET;
}

/* The bit where it can be read, else the product's name: "m5.metal", "u-6tb1.metal-24xl". */
static bool amazon_metal(const struct tn_evidence *evidence, const struct tn_findings *findings)
{
        enum vm_bit bit = virtual_machine_bit(evidence);
        const char *metal = strstr(tn_evidence_text(evidence, TN_DMI_PRODUCT_NAME), ".metal");

        (void) findings;
        if (bit != VM_BIT_UNKNOWN)
                return bit == VM_BIT_UNSET;
        return metal && (metal[6] == '\0' || metal[6] == '-');
}

/* True where CPUID can be asked and says that there is no hypervisor. */
static bool cpuid_denies(const struct tn_evidence *evidence)
{
        struct tn_cpuid regs;

        return tn_evidence_cpuid(evidence, 1, &regs) && !(regs.ecx >> 31);
}

static bool oracle_server(const struct tn_evidence *evidence, const struct tn_findings *findings)
{
        const char *product = tn_evidence_text(evidence, TN_DMI_PRODUCT_NAME);
        const char *tag = tn_evidence_text(evidence, TN_DMI_CHASSIS_ASSET_TAG);

        (void) findings;
        return g_ascii_strncasecmp(product, "ORACLE SERVER", 13) == 0 ||
               g_ascii_strncasecmp(product, "SUN ", 4) == 0 ||
               g_ascii_strncasecmp(product, "Exadata", 7) == 0 || g_str_equal(tag, TN_TAG_ORACLE_CLOUD);
}

/* On x86, CPUID says kvm, or that it is bare metal; then Google's name is only the cloud's. */
static bool google_elsewhere(const struct tn_evidence *evidence, const struct tn_findings *findings)
{
        return tn_evidence_is_x86(evidence) &&
               (cpuid_denies(evidence) || tn_finding_find(findings, TN_DETECT_HYPERVISOR, "kvm"));
}

/* The first file with a known beginning decides, as in systemd; a row that does not hold ends it too. */
static void judge_rows(const struct tn_evidence *evidence, struct tn_findings *findings)
{
        for (enum tn_evidence_item item = TN_DMI_PRODUCT_NAME; item <= TN_DMI_PRODUCT_VERSION; item++)
                for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
                        if (!g_str_has_prefix(tn_evidence_text(evidence, item), rows[i].prefix))
                                continue;
                        if (!rows[i].except || !rows[i].except(evidence, findings))
                                tn_finding_add_text(findings, TN_DETECT_HYPERVISOR,
                                                    rows[i].strong ? TN_SOURCE_DMI_STRONG : TN_SOURCE_DMI,
                                                    rows[i].id, 90, evidence, item);
                        return;
                }
}

static void judge_pairs(const struct tn_evidence *evidence, struct tn_findings *findings)
{
        const char *vendor = tn_evidence_text(evidence, TN_DMI_SYS_VENDOR);
        const char *product = tn_evidence_text(evidence, TN_DMI_PRODUCT_NAME);

        for (size_t i = 0; i < G_N_ELEMENTS(pairs); i++) {
                if (!g_str_has_prefix(vendor, pairs[i].vendor) ||
                    !g_str_has_prefix(product, pairs[i].product))
                        continue;
                if (g_str_equal(pairs[i].id, "virtage") && !strstr(product, " LPAR"))
                        continue;
                tn_finding_add_text(findings, TN_DETECT_HYPERVISOR, pairs[i].source, pairs[i].id, 85,
                                    evidence, *pairs[i].product ? TN_DMI_PRODUCT_NAME : TN_DMI_SYS_VENDOR);
        }
}

/* Microsoft's "Virtual Machine" is Hyper-V, whose version is a number since 2012 and a name on arm64, or
 * Virtual PC where CPUID does not know Hyper-V. "Microsoft Corporation" alone is a Surface. */
static void judge_microsoft(const struct tn_evidence *evidence, struct tn_findings *findings)
{
        const char *version = tn_evidence_text(evidence, TN_DMI_PRODUCT_VERSION);
        bool hyperv;

        if (!g_str_equal(tn_evidence_text(evidence, TN_DMI_SYS_VENDOR), "Microsoft Corporation") ||
            !g_str_has_prefix(tn_evidence_text(evidence, TN_DMI_PRODUCT_NAME), "Virtual Machine"))
                return;
        hyperv = tn_finding_find(findings, TN_DETECT_HYPERVISOR, "microsoft") ||
                 g_str_has_prefix(version, "Hyper-V") || g_str_equal(version, "7.0") ||
                 !cpuid_denies(evidence);
        tn_finding_add_text(findings, TN_DETECT_HYPERVISOR, TN_SOURCE_DMI,
                            hyperv ? "microsoft" : "virtualpc", hyperv ? 85 : 75, evidence,
                            TN_DMI_PRODUCT_NAME);
}

static void judge_firmware(const struct tn_evidence *evidence, struct tn_findings *findings)
{
        const char *vendor = tn_evidence_text(evidence, TN_DMI_BIOS_VENDOR);

        for (size_t i = 0; i < G_N_ELEMENTS(firmwares); i++)
                if (g_str_has_prefix(vendor, firmwares[i].prefix))
                        tn_finding_add_text(findings, TN_DETECT_FIRMWARE, TN_SOURCE_OTHER, firmwares[i].id,
                                            90, evidence, TN_DMI_BIOS_VENDOR);
        if (*tn_evidence_text(evidence, TN_SMBIOS_OEM_STRINGS))
                tn_finding_add_text(findings, TN_DETECT_HYPERVISOR, TN_SOURCE_DMI_STRONG, "oracle", 85,
                                    evidence, TN_SMBIOS_OEM_STRINGS);
        if (virtual_machine_bit(evidence) != VM_BIT_SET)
                return;
        tn_finding_add(findings, TN_DETECT_FIRMWARE, TN_SOURCE_OTHER, "virtual-machine", 95,
                       "/%s: the SMBIOS bit for a virtual machine",
                       tn_evidence_path(evidence, TN_SMBIOS_BIOS));
        tn_finding_add(findings, TN_DETECT_HYPERVISOR, TN_SOURCE_BIT, "unknown", 70,
                       "/%s: the SMBIOS bit for a virtual machine",
                       tn_evidence_path(evidence, TN_SMBIOS_BIOS));
}

void tn_dmi_judge(const struct tn_evidence *evidence, struct tn_findings *findings)
{
        judge_rows(evidence, findings);
        judge_pairs(evidence, findings);
        judge_microsoft(evidence, findings);
        judge_firmware(evidence, findings);
}
