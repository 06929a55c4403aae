/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * Device tree: the hypervisor's own node, the machine's compatible strings, QEMU's fw-cfg node; and
 * POWER, where PowerVM shows itself by what its management console leaves there.
 */
#include "detect/finding.h"

#include <string.h>

struct row {
        const char *text;
        const char *id;
        unsigned confidence;
};

/* In any of the strings of hypervisor/compatible. */
static const struct row hypervisors[] = {
        {"linux,kvm", "kvm", 95},
        {"xen", "xen", 95},
        {"vmware", "vmware", 95},
        {"jailhouse", "jailhouse", 90},
        {"lguest", "lguest", 90},
        {"gunyah", "gunyah", 90},
        {"qnx", "qnx", 85},
        {"acrn", "acrn", 85},
        {"microsoft", "microsoft", 85},
        {"OpenBSD", "vmm", 85},
};

/* The whole string, among those of /compatible or /model. "linux,dummy-virt" is what kvmtool made up and
 * what others took over; QEMU's has a fw-cfg node besides, Firecracker's is told by vmm.c. */
static const struct row machines[] = {
        {"qemu,pseries", "qemu", 90},
        {"riscv-virtio,qemu", "qemu", 90},
        {"linux,dummy-loongson3", "qemu", 75},
        {"linux,dummy-virt", "lkvm", 60},
        {"jailhouse,cell", "jailhouse", 90},
        {"xen,xenvm", "xen", 90},
        {"sony,ps3", "lv1", 80},
};

/* A recording made by hand may end in a newline. */
static bool same(const char *text, const char *wanted)
{
        size_t len = strlen(wanted);

        return strncmp(text, wanted, len) == 0 && (text[len] == '\0' || text[len] == '\n');
}

/* The first row that fits one of the NUL-separated strings of a property. */
static const struct row *match_strings(const char *text, size_t len, const struct row *rows, size_t n_rows,
                                       bool whole)
{
        for (size_t start = 0; start < len; start += strnlen(text + start, len - start) + 1)
                for (size_t i = 0; i < n_rows; i++)
                        if (whole ? same(text + start, rows[i].text)
                                  : strstr(text + start, rows[i].text) != NULL)
                                return &rows[i];
        return NULL;
}

static void judge_hypervisor_node(const struct tn_evidence *evidence, struct tn_findings *findings)
{
        enum tn_evidence_item item = TN_DT_HYPERVISOR_COMPATIBLE;
        const struct row *row = match_strings(tn_evidence_text(evidence, item),
                                              tn_evidence_len(evidence, item), hypervisors,
                                              G_N_ELEMENTS(hypervisors), false);

        if (row)
                tn_finding_add_text(findings, TN_DETECT_HYPERVISOR, TN_SOURCE_DEVICE_TREE, row->id,
                                    row->confidence, evidence, item);
        else if (tn_evidence_len(evidence, item) > 0)
                tn_finding_add_text(findings, TN_DETECT_HYPERVISOR, TN_SOURCE_UNKNOWN, "unknown", 80,
                                    evidence, item);
        else if (tn_evidence_exists(evidence, TN_DT_HYPERVISOR))
                tn_finding_add(findings, TN_DETECT_HYPERVISOR, TN_SOURCE_UNKNOWN, "unknown", 70,
                               "/%s: a node without compatible",
                               tn_evidence_path(evidence, TN_DT_HYPERVISOR));
}

static void judge_machine(const struct tn_evidence *evidence, struct tn_findings *findings)
{
        static const enum tn_evidence_item items[] = {TN_DT_COMPATIBLE, TN_DT_MODEL};

        if (*tn_evidence_text(evidence, TN_DT_FW_CFG))
                tn_finding_add_text(findings, TN_DETECT_HYPERVISOR, TN_SOURCE_DEVICE_TREE, "qemu", 90,
                                    evidence, TN_DT_FW_CFG);
        for (size_t i = 0; i < G_N_ELEMENTS(items); i++) {
                const struct row *row = match_strings(tn_evidence_text(evidence, items[i]),
                                                      tn_evidence_len(evidence, items[i]), machines,
                                                      G_N_ELEMENTS(machines), true);

                if (!row || (g_str_equal(row->id, "lkvm") && *tn_evidence_text(evidence, TN_DT_FW_CFG)))
                        continue;
                /* kvmtool's string says least, so it only decides where nothing else does. */
                tn_finding_add_text(findings, TN_DETECT_HYPERVISOR,
                                    g_str_equal(row->id, "lkvm") ? TN_SOURCE_IMPLIED : TN_SOURCE_DEVICE_TREE,
                                    row->id, row->confidence, evidence, items[i]);
        }
}

/* virt-what's names for POWER's partitions. */
static void add_partition(const struct tn_evidence *evidence, struct tn_findings *findings)
{
        bool shared = strstr(tn_evidence_text(evidence, TN_PROC_LPARCFG), "shared_processor_mode=1") != NULL;

        if (tn_evidence_exists(evidence, TN_PROC_LPARCFG))
                tn_finding_add(findings, TN_DETECT_HYPERVISOR, TN_SOURCE_DETAIL,
                               shared ? "ibm_power-lpar_shared" : "ibm_power-lpar_dedicated", 85, "/%s: %s",
                               tn_evidence_path(evidence, TN_PROC_LPARCFG),
                               shared ? "shared_processor_mode=1" : "no shared_processor_mode=1");
}

/* pSeries is a platform that only exists below a hypervisor (PAPR): PowerVM, or QEMU and KVM which say so.
 */
static void judge_power(const struct tn_evidence *evidence, struct tn_findings *findings)
{
        const char *cpuinfo = tn_evidence_text(evidence, TN_PROC_CPUINFO);
        bool pseries = strstr(cpuinfo, "platform\t: pSeries") != NULL;
        bool qemu = strstr(cpuinfo, "emulated by qemu") ||
                    tn_evidence_exists(evidence, TN_DT_QEMU_GRAPHIC) ||
                    same(tn_evidence_text(evidence, TN_DT_COMPATIBLE), "qemu,pseries");
        bool partition = tn_evidence_exists(evidence, TN_DT_PARTITION_NAME);
        bool console = tn_evidence_exists(evidence, TN_DT_HMC_MANAGED) ||
                       tn_evidence_exists(evidence, TN_DT_LPAR_CAPABLE) ||
                       tn_evidence_exists(evidence, TN_DT_RTAS_LPAR_CAPABLE);

        if (tn_evidence_exists(evidence, TN_DT_HYPERVISOR_COMPATIBLE) || qemu) {
                if (pseries && qemu)
                        tn_finding_add(findings, TN_DETECT_HYPERVISOR, TN_SOURCE_DETAIL, "ibm_power-kvm", 70,
                                       "/proc/cpuinfo: pSeries (emulated by qemu)");
                if (strstr(cpuinfo, "emulated by qemu"))
                        tn_finding_add(findings, TN_DETECT_HYPERVISOR, TN_SOURCE_DEVICE_TREE, "qemu", 85,
                                       "/proc/cpuinfo: emulated by qemu");
                return;
        }
        if (partition)
                tn_finding_add(findings, TN_DETECT_HYPERVISOR, TN_SOURCE_DEVICE_TREE, "powervm",
                               console ? 95 : 75, "/%s%s", tn_evidence_path(evidence, TN_DT_PARTITION_NAME),
                               console ? ", and a managed or partitionable machine" : "");
        else if (pseries)
                tn_finding_add(findings, TN_DETECT_HYPERVISOR, TN_SOURCE_DEVICE_TREE, "powervm", 75,
                               "/proc/cpuinfo: platform pSeries, not emulated by qemu");
        if (partition || pseries)
                add_partition(evidence, findings);
}

void tn_devicetree_judge(const struct tn_evidence *evidence, struct tn_findings *findings)
{
        judge_hypervisor_node(evidence, findings);
        judge_machine(evidence, findings);
        judge_power(evidence, findings);
}
