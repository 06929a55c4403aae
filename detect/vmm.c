/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * Which program drives KVM, where it says so neither in DMI nor in CPUID: Firecracker and kvmtool. They
 * have no DMI at all; what they put on the kernel's command line and which ACPI devices they make is what
 * an unprivileged process can see. The VMM is told beside the primary, which stays kvm as in systemd.
 */
#include "detect/finding.h"

#include <string.h>

struct row {
        const char *id;
        unsigned confidence;
        const char *words[4];  /* all of these begin a word of the command line */
        const char *acpi[3];   /* all of these begin an ACPI device's name */
        enum tn_source source; /* what it may decide where there is no CPUID */
};

/* The size in virtio_mmio.device= tells Firecracker (4K) from QEMU's microvm (512). The kernel's defaults
 * of Firecracker were kvmtool's once: reboot=k panic=1 alone means little. */
static const struct row rows[] = {
        {"firecracker", 90, {"virtio_mmio.device=4K@", "pci=off"}, {NULL}, TN_SOURCE_VMM},
        {"firecracker", 80, {"virtio_mmio.device=4K@"}, {NULL}, TN_SOURCE_VMM},
        {"firecracker", 75, {"pci=off", "reboot=k", "panic=1"}, {NULL}, TN_SOURCE_VMM},
        {"firecracker", 75, {"pci=off", "virtio_mmio.device="}, {NULL}, TN_SOURCE_VMM},
        {"firecracker", 80, {"pci=off"}, {"LNRO0005:"}, TN_SOURCE_VMM},
        {"firecracker", 75, {NULL}, {"VMGENCTR:", "AMZNC10C:"}, TN_SOURCE_VMM},
        {"firecracker", 60, {NULL}, {"VMGENCTR:"}, TN_SOURCE_VMM},
        {"lkvm", 75, {"pci=conf1", "reboot=k", "panic=1"}, {NULL}, TN_SOURCE_VMM},
};

/* True when one of the words of @text begins with @word. */
static bool has_word(const char *text, const char *word)
{
        for (const char *p = text; (p = strstr(p, word)); p++)
                if (p == text || p[-1] == ' ' || p[-1] == '\n')
                        return true;
        return false;
}

static bool row_matches(const struct row *row, const struct tn_evidence *evidence)
{
        for (size_t i = 0; i < G_N_ELEMENTS(row->words) && row->words[i]; i++)
                if (!has_word(tn_evidence_text(evidence, TN_PROC_CMDLINE), row->words[i]))
                        return false;
        for (size_t i = 0; i < G_N_ELEMENTS(row->acpi) && row->acpi[i]; i++)
                if (!has_word(tn_evidence_text(evidence, TN_ACPI_DEVICES), row->acpi[i]))
                        return false;
        return true;
}

/* Anybody may type pci=off: it counts on KVM, or where the device tree is one of a KVM VMM. */
static bool possible(const struct tn_evidence *evidence, const struct tn_findings *findings)
{
        bool kvm = tn_finding_find(findings, TN_DETECT_HYPERVISOR, "kvm") ||
                   tn_finding_find(findings, TN_DETECT_HYPERVISOR, "lkvm");
        bool dmi = tn_evidence_exists(evidence, TN_DMI_SYS_VENDOR) ||
                   tn_evidence_exists(evidence, TN_DMI_PRODUCT_NAME);
        bool fw_cfg = tn_finding_find(findings, TN_DETECT_HYPERVISOR, "qemu") != NULL;

        return kvm && !dmi && !fw_cfg;
}

void tn_vmm_judge(const struct tn_evidence *evidence, struct tn_findings *findings)
{
        const char *cmdline = tn_evidence_text(evidence, TN_PROC_CMDLINE);
        const char *devices = tn_evidence_text(evidence, TN_ACPI_DEVICES);

        if (!possible(evidence, findings))
                return;
        for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
                g_autofree char *seen = NULL;

                if (!row_matches(&rows[i], evidence))
                        continue;
                seen = rows[i].words[0] ? tn_finding_quote(cmdline, strlen(cmdline))
                                        : tn_finding_quote(devices, strlen(devices));
                tn_finding_add(findings, TN_DETECT_HYPERVISOR, rows[i].source, rows[i].id,
                               rows[i].confidence, "no DMI, %s %s",
                               rows[i].words[0] ? "/proc/cmdline" : "/sys/bus/acpi/devices", seen);
                return;
        }
}
