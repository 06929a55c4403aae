/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * Findings: what the judges (cpuid.c, dmi.c, xen.c, …) put on the table before detect.c draws the
 * conclusion. A finding is a fact and the source that it rests on; the sources stand in the order in
 * which they decide, which is systemd-detect-virt's order, continued.
 */
#pragma once

#include "detect/detect.h"
#include "detect/evidence.h"

enum tn_source {
        /* Containers, in systemd's order. The first one is the primary. */
        TN_SOURCE_CONTAINER,      /* what systemd would say */
        TN_SOURCE_CONTAINER_MORE, /* what virt-what and others would say */
        TN_SOURCE_CONTAINER_NOTE, /* true, but never the primary */
        /* Hypervisors. */
        TN_SOURCE_DMI_STRONG, /* products that use or cloak as another hypervisor: DMI knows better */
        TN_SOURCE_UML,        /* runs as a process, so CPUID speaks of something further down */
        TN_SOURCE_XEN,        /* PV does not hide the CPUID of what Xen itself runs in */
        TN_SOURCE_CPUID,
        TN_SOURCE_DMI, /* what is overruled is still what the firmware says: kind firmware */
        TN_SOURCE_DEVICE_TREE,
        TN_SOURCE_SYSINFO,
        TN_SOURCE_ACPI,    /* ACPI's vendor identity, fw_cfg and device ids: firmware's word too */
        TN_SOURCE_KERNEL,  /* devices, clock sources and files of a paravirtual kernel */
        TN_SOURCE_HYPERV,  /* Hyper-V's interface: others offer it too, so it speaks late */
        TN_SOURCE_VMM,     /* which program drives the hypervisor: true beside another primary */
        TN_SOURCE_UNKNOWN, /* a hypervisor that says so but is in no table */
        TN_SOURCE_IMPLIED, /* a cloud whose product is only ever a guest of this */
        TN_SOURCE_BIT,     /* SMBIOS or a CPU flag says "virtual machine" and nothing else */
        /* The rest cannot be the primary. */
        TN_SOURCE_DETAIL, /* refines another fact (xen-hvm) */
        TN_SOURCE_OTHER,  /* clouds, firmware, confidential, host */
};

struct tn_finding {
        struct tn_detect_fact fact;
        enum tn_source source;
};

struct tn_findings {
        GPtrArray *array; /* of struct tn_finding, owned */
        bool host;        /* dom0 or root partition: only what lies below that host may be the primary */
};

void tn_finding_init(struct tn_findings *findings);
void tn_finding_deinit(struct tn_findings *findings);

/* Adds a finding; one of the same kind and id becomes stronger instead and keeps the better source. */
void tn_finding_add(struct tn_findings *findings, enum tn_detect_kind kind, enum tn_source source,
                    const char *id, unsigned confidence, const char *format, ...) G_GNUC_PRINTF(6, 7);

/* With evidence `PATH "TEXT"`; the text is quoted and cut. */
void tn_finding_add_text(struct tn_findings *findings, enum tn_detect_kind kind, enum tn_source source,
                         const char *id, unsigned confidence, const struct tn_evidence *evidence,
                         enum tn_evidence_item item);

/* The first finding of @kind and @id, or NULL. Borrowed. */
struct tn_finding *tn_finding_find(const struct tn_findings *findings, enum tn_detect_kind kind,
                                   const char *id);

/* "…" of any bytes: printable ASCII stays, NULs at the end go, the rest becomes \xNN; cut after
 * 64 bytes. Free with g_free(). */
char *tn_finding_quote(const char *bytes, size_t len);

/* The judges. Each reads evidence and adds findings, nothing else. */
void tn_container_judge(const struct tn_evidence *evidence, struct tn_findings *findings);
void tn_dmi_judge(const struct tn_evidence *evidence, struct tn_findings *findings);
void tn_cloud_judge(const struct tn_evidence *evidence, struct tn_findings *findings);
void tn_cpuid_judge(const struct tn_evidence *evidence, struct tn_findings *findings);
void tn_xen_judge(const struct tn_evidence *evidence, struct tn_findings *findings);
void tn_devicetree_judge(const struct tn_evidence *evidence, struct tn_findings *findings);
void tn_platform_judge(const struct tn_evidence *evidence, struct tn_findings *findings);
void tn_vmm_judge(const struct tn_evidence *evidence, struct tn_findings *findings);
void tn_confidential_judge(const struct tn_evidence *evidence, struct tn_findings *findings);
