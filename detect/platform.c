/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * Evidence that is neither CPUID, DMI nor device tree: ACPI's and the kernel's own words, s390, sparc,
 * User-mode Linux, lguest, Jailhouse. An s390 LPAR is not virtual: every mainframe Linux is in one, and
 * systemd-detect-virt calls it none; it is told as a host fact under virt-what's name.
 */
#include "detect/finding.h"

#include <string.h>

#define FACP_HYPERVISOR_ID 268 /* ACPI 6.0, 5.2.9: 8 bytes */

/* The beginning of a text, and whom it means. */
struct row {
        const char *text;
        const char *id;
        enum tn_source source;
        unsigned confidence;
};

static const struct row facp_ids[] = {
        {"FIRECKVM", "firecracker", TN_SOURCE_VMM, 95},
        {"MsHyperV", "microsoft", TN_SOURCE_ACPI, 90},
        {"QEMU", "qemu", TN_SOURCE_ACPI, 90},
        {"XenVMM", "xen", TN_SOURCE_ACPI, 90},
        {"CLOUDHYP", "cloud-hypervisor", TN_SOURCE_VMM, 90},
        {"VMware", "vmware", TN_SOURCE_ACPI, 90},
        {"CROSVM", "crosvm", TN_SOURCE_VMM, 90},
        {"KVM", "kvm", TN_SOURCE_ACPI, 85},
        {"Apple", "apple", TN_SOURCE_ACPI, 85},
        {"BHYVE", "bhyve", TN_SOURCE_ACPI, 85},
        {"PRLS", "parallels", TN_SOURCE_ACPI, 80},
        {"VBOX", "oracle", TN_SOURCE_ACPI, 85},
        {"Jailhous", "jailhouse", TN_SOURCE_ACPI, 90},
        {"ACRN", "acrn", TN_SOURCE_ACPI, 85},
};

/* OEM id, bytes 10 to 15 of each ACPI table. QEMU's is "BOCHS ", bhyve's "BHYVE ". */
static const struct row facp_oems[] = {
        {"FIRECK", "firecracker", TN_SOURCE_VMM, 90},  {"CLOUDH", "cloud-hypervisor", TN_SOURCE_VMM, 90},
        {"CROSVM", "crosvm", TN_SOURCE_VMM, 90},       {"BHYVE ", "bhyve", TN_SOURCE_ACPI, 80},
        {"VBOX  ", "oracle", TN_SOURCE_ACPI, 80},      {"PRLS  ", "parallels", TN_SOURCE_ACPI, 80},
        {"XEN   ", "xen", TN_SOURCE_ACPI, 80},         {"Xen", "xen", TN_SOURCE_ACPI, 80},
        {"VRTUAL", "microsoft", TN_SOURCE_HYPERV, 80},
};

static const struct row acpi_devices[] = {
        {"QEMU0002:", "qemu", TN_SOURCE_ACPI, 85},
        {"VMBUS:", "microsoft", TN_SOURCE_HYPERV, 80},
        {"XEN0000:", "xen", TN_SOURCE_ACPI, 80},
        {"FCVMGID:", "firecracker", TN_SOURCE_VMM, 90},
};

static const struct row clocks[] = {
        {"kvm-clock", "kvm", TN_SOURCE_KERNEL, 80},
        {"xen", "xen", TN_SOURCE_KERNEL, 70},
        {"lguest", "lguest", TN_SOURCE_KERNEL, 90},
        {"hyperv_clocksource", "microsoft", TN_SOURCE_HYPERV, 60},
};

/* Anywhere in what is kept of /proc/cpuinfo. QEMU is a CPU model's name that KVM's guests have, too, so
 * whoever says more comes first. */
static const struct row cpus[] = {
        {"User Mode Linux", "uml", TN_SOURCE_UML, 95},          {"UML", "uml", TN_SOURCE_UML, 90},
        {"PowerVM Lx86", "powervm_lx86", TN_SOURCE_KERNEL, 90}, {"LKVMLKVMLKVM", "lkvm", TN_SOURCE_VMM, 85},
        {"VirtualApple", "apple", TN_SOURCE_VMM, 85},           {"QEMU", "qemu", TN_SOURCE_ACPI, 60},
};

/* What is only there in a guest. */
static const struct {
        enum tn_evidence_item item;
        const char *id;
        enum tn_source source;
        unsigned confidence;
} files[] = {
        {TN_FW_CFG, "qemu", TN_SOURCE_ACPI, 80},
        {TN_BUS_LGUEST, "lguest", TN_SOURCE_KERNEL, 85},
        {TN_DEVICES_LGUEST, "lguest", TN_SOURCE_KERNEL, 85},
        {TN_DEV_VBOXGUEST, "oracle", TN_SOURCE_KERNEL, 75},
        {TN_BUS_VMBUS, "microsoft", TN_SOURCE_HYPERV, 70},
};

static const struct row *find_row(const struct row *rows, size_t n_rows, const char *text)
{
        for (size_t i = 0; i < n_rows; i++)
                if (g_str_has_prefix(text, rows[i].text))
                        return &rows[i];
        return NULL;
}

static void add_row(struct tn_findings *findings, const struct tn_evidence *evidence,
                    enum tn_evidence_item item, const struct row *row, const char *text)
{
        g_autofree char *quoted = tn_finding_quote(text, strlen(text));

        if (row)
                tn_finding_add(findings, TN_DETECT_HYPERVISOR, row->source, row->id, row->confidence,
                               "/%s %s", tn_evidence_path(evidence, item), quoted);
}

/* Root only. A vendor identity that no row knows is a hypervisor all the same. */
static void judge_facp(const struct tn_evidence *evidence, struct tn_findings *findings)
{
        const char *facp = tn_evidence_text(evidence, TN_ACPI_FACP);
        size_t len = tn_evidence_len(evidence, TN_ACPI_FACP);
        const struct row *row;
        char id[9] = "", oem[7] = "";

        if (len < 44 || memcmp(facp, "FACP", 4) != 0)
                return;
        memcpy(oem, facp + 10, 6);
        add_row(findings, evidence, TN_ACPI_FACP, find_row(facp_oems, G_N_ELEMENTS(facp_oems), oem), oem);
        if (len < FACP_HYPERVISOR_ID + 8)
                return;
        memcpy(id, facp + FACP_HYPERVISOR_ID, 8);
        row = find_row(facp_ids, G_N_ELEMENTS(facp_ids), id);
        add_row(findings, evidence, TN_ACPI_FACP, row, id);
        if (!row && *id) {
                g_autofree char *quoted = tn_finding_quote(id, 8);

                tn_finding_add(findings, TN_DETECT_HYPERVISOR, TN_SOURCE_UNKNOWN, "unknown", 70,
                               "/%s: hypervisor vendor identity %s",
                               tn_evidence_path(evidence, TN_ACPI_FACP), quoted);
        }
}

static void judge_names(const struct tn_evidence *evidence, struct tn_findings *findings,
                        enum tn_evidence_item item, const struct row *rows, size_t n_rows)
{
        g_auto(GStrv) names = g_strsplit_set(tn_evidence_text(evidence, item), " \n", -1);

        for (char **name = names; *name; name++)
                add_row(findings, evidence, item, find_row(rows, n_rows, *name), *name);
}

static void judge_files(const struct tn_evidence *evidence, struct tn_findings *findings)
{
        for (size_t i = 0; i < G_N_ELEMENTS(files); i++)
                if (tn_evidence_exists(evidence, files[i].item))
                        tn_finding_add(findings, TN_DETECT_HYPERVISOR, files[i].source, files[i].id,
                                       files[i].confidence, "/%s",
                                       tn_evidence_path(evidence, files[i].item));
}

/* Jailhouse's root cell configures the others; it is a host, and CPUID does not show Jailhouse to it. */
static void judge_jailhouse(const struct tn_evidence *evidence, struct tn_findings *findings)
{
        if (!g_str_equal(tn_evidence_text(evidence, TN_JAILHOUSE_ENABLED), "1"))
                return;
        findings->host = true;
        tn_finding_add_text(findings, TN_DETECT_HOST, TN_SOURCE_OTHER, "jailhouse", 90, evidence,
                            TN_JAILHOUSE_ENABLED);
}

static void judge_cpuinfo(const struct tn_evidence *evidence, struct tn_findings *findings)
{
        const char *cpuinfo = tn_evidence_text(evidence, TN_PROC_CPUINFO);
        struct tn_cpuid regs;

        for (size_t i = 0; i < G_N_ELEMENTS(cpus); i++)
                if (strstr(cpuinfo, cpus[i].text))
                        add_row(findings, evidence, TN_PROC_CPUINFO, &cpus[i], cpus[i].text);
        /* Only where CPUID itself cannot be asked. */
        if (strstr(cpuinfo, "hypervisor") && !tn_evidence_cpuid(evidence, 1, &regs))
                tn_finding_add(findings, TN_DETECT_HYPERVISOR, TN_SOURCE_BIT, "unknown", 75,
                               "/proc/cpuinfo: flag hypervisor");
}

static void judge_s390(const struct tn_evidence *evidence, struct tn_findings *findings)
{
        static const char key[] = "VM00 Control Program:";
        const char *sysinfo = tn_evidence_text(evidence, TN_PROC_SYSINFO), *program = strstr(sysinfo, key);
        g_autofree char *name = NULL, *quoted = NULL;
        bool zvm;

        if (!program) {
                if (strstr(sysinfo, "LPAR Number"))
                        tn_finding_add(findings, TN_DETECT_HOST, TN_SOURCE_OTHER, "ibm_systemz-lpar", 90,
                                       "/proc/sysinfo: a logical partition, and no VM00 Control Program");
                return;
        }
        program += strlen(key);
        name = g_strstrip(g_strndup(program, strcspn(program, "\n")));
        quoted = tn_finding_quote(name, strlen(name));
        zvm = g_str_has_prefix(name, "z/VM");
        tn_finding_add(findings, TN_DETECT_HYPERVISOR, TN_SOURCE_SYSINFO, zvm ? "zvm" : "kvm",
                       zvm || strstr(name, "KVM") ? 95 : 70, "/proc/sysinfo: VM00 Control Program %s",
                       quoted);
        tn_finding_add(findings, TN_DETECT_HYPERVISOR, TN_SOURCE_DETAIL,
                       zvm ? "ibm_systemz-zvm" : "ibm_systemz-kvm", 90,
                       "/proc/sysinfo: VM00 Control Program %s", quoted);
}

/* The control domain configures the others, as dom0 does. */
static void judge_sparc(const struct tn_evidence *evidence, struct tn_findings *findings)
{
        bool control = tn_evidence_exists(evidence, TN_VLDS_CTRL) &&
                       tn_evidence_exists(evidence, TN_VLDS_SP);
        enum tn_detect_kind kind = control ? TN_DETECT_HOST : TN_DETECT_HYPERVISOR;

        if (!tn_evidence_exists(evidence, TN_DEV_MDESC))
                return;
        findings->host = findings->host || control;
        tn_finding_add(findings, kind, TN_SOURCE_KERNEL, "ldoms", 90, "/dev/mdesc%s",
                       control ? ", /sys/class/vlds/ctrl and sp" : "");
        tn_finding_add(findings, kind, TN_SOURCE_DETAIL, control ? "ldoms-control" : "ldoms-guest", 90,
                       "/sys/class/vlds/ctrl and sp are %s", control ? "there" : "not there");
}

void tn_platform_judge(const struct tn_evidence *evidence, struct tn_findings *findings)
{
        judge_cpuinfo(evidence, findings);
        judge_s390(evidence, findings);
        judge_facp(evidence, findings);
        judge_names(evidence, findings, TN_ACPI_DEVICES, acpi_devices, G_N_ELEMENTS(acpi_devices));
        judge_names(evidence, findings, TN_CLOCKSOURCES, clocks, G_N_ELEMENTS(clocks));
        judge_files(evidence, findings);
        judge_jailhouse(evidence, findings);
        judge_sparc(evidence, findings);
}
