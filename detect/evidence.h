/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * The one list of what the detector looks at. Loading an item already strips it to what detection needs
 * (no serial numbers, no host names, no environment but container=), and recording a machine writes what
 * was loaded: so a recording is judged like the machine, and has no secrets.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "lib/env.h"

enum tn_evidence_item {
        /* DMI, readable by all unless noted. The first five in the order in which systemd asks them. */
        TN_DMI_PRODUCT_NAME,
        TN_DMI_SYS_VENDOR,
        TN_DMI_BOARD_VENDOR,
        TN_DMI_BIOS_VENDOR,
        TN_DMI_PRODUCT_VERSION,
        TN_DMI_BIOS_VERSION,
        TN_DMI_PRODUCT_FAMILY,
        TN_DMI_CHASSIS_VENDOR,
        TN_DMI_CHASSIS_ASSET_TAG, /* only known clouds' */
        TN_DMI_PRODUCT_SERIAL,    /* root; only a known prefix */
        TN_DMI_PRODUCT_UUID,      /* root; only a known prefix */
        TN_SMBIOS_BIOS,           /* root; structure type 0 */
        TN_SMBIOS_OEM_STRINGS,    /* root; structure type 11, only known strings */
        /* The kernel's own words. */
        TN_PROC_CPUINFO,
        TN_PROC_CMDLINE,
        TN_PROC_VERSION,
        TN_PROC_OSRELEASE,
        TN_PROC_SYSINFO, /* s390 */
        TN_PROC_LPARCFG, /* POWER */
        TN_PROC_XEN,
        TN_PROC_XEN_CAPABILITIES,
        TN_SYS_HYPERVISOR_TYPE,
        TN_SYS_HYPERVISOR_GUEST_TYPE,
        TN_SYS_HYPERVISOR_FEATURES,
        TN_SYS_HYPERVISOR_UUID, /* only a known prefix */
        TN_CLOCKSOURCES,
        /* Device tree: below proc/device-tree or sys/firmware/devicetree/base. */
        TN_DT_HYPERVISOR,
        TN_DT_HYPERVISOR_COMPATIBLE,
        TN_DT_COMPATIBLE,
        TN_DT_MODEL,
        TN_DT_FW_CFG,
        TN_DT_PARTITION_NAME,
        TN_DT_HMC_MANAGED,
        TN_DT_QEMU_GRAPHIC,
        TN_DT_LPAR_CAPABLE,
        TN_DT_RTAS_LPAR_CAPABLE,
        /* Firmware and devices. */
        TN_ACPI_FACP, /* root */
        TN_ACPI_CCEL,
        TN_ACPI_DEVICES,
        TN_FW_CFG,
        TN_BUS_VMBUS,
        TN_BUS_LGUEST,
        TN_DEVICES_LGUEST,
        TN_JAILHOUSE_ENABLED,
        TN_DEV_MDESC,
        TN_VLDS_CTRL,
        TN_VLDS_SP,
        TN_DEV_VBOXGUEST,
        TN_DEV_SEV_GUEST,
        TN_CPU_SEV_VMPL,
        TN_DEV_TDX_GUEST,
        TN_UV_GUEST,
        TN_ARM_CCA,
        /* Containers. */
        TN_PROC_VZ,
        TN_PROC_BC,
        TN_PROC_STATUS,
        TN_TRACER_COMM, /* proc/PID/comm of who traces us */
        TN_HOST_CONTAINER_MANAGER,
        TN_SYSTEMD_CONTAINER,
        TN_PROC_1_ENVIRON, /* root */
        TN_CONTAINERENV,
        TN_DOCKERENV,
        TN_DOCKERINIT,
        TN_PROC_1_CGROUP,
        TN_PROC_SELF_CGROUP,
        TN_NS_CGROUP,
        TN_NS_PID,
        TN_CGROUP2,
        TN_CGROUP2_EVENTS,
        TN_CGROUP2_TYPE,
        TN_CGROUP_FEATURES,
        TN_CGROUP1,
        TN_CGROUP1_RELEASE_AGENT,
        _TN_EVIDENCE_MAX,
};

/* An MSR is kept among the CPUID leaves under its own number, which is no leaf's: SEV_STATUS. */
#define TN_CPUID_MSR_SEV_STATUS 0xC0010131U

enum tn_evidence_form {
        TN_EVIDENCE_MISSING,
        TN_EVIDENCE_FILE,      /* text (or bytes) is its stripped content */
        TN_EVIDENCE_DIRECTORY, /* exists; text, if any, is the names of interest, one a line */
        TN_EVIDENCE_LINK,      /* text is its target */
};

struct tn_evidence;

/* Reads all of it, a few dozen small files. Never fails. */
struct tn_evidence *tn_evidence_load(const struct tn_env *env);
void tn_evidence_free(struct tn_evidence *evidence);
typedef struct tn_evidence tn_evidence_t;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(tn_evidence_t, tn_evidence_free)

/* uname -m, never NULL. */
const char *tn_evidence_machine(const struct tn_evidence *evidence);
/* By its name, or because it has CPUID. */
bool tn_evidence_is_x86(const struct tn_evidence *evidence);

/* Where the item is or would be, relative to the root. Borrowed. */
const char *tn_evidence_path(const struct tn_evidence *evidence, enum tn_evidence_item item);
enum tn_evidence_form tn_evidence_form(const struct tn_evidence *evidence, enum tn_evidence_item item);
static inline bool tn_evidence_exists(const struct tn_evidence *evidence, enum tn_evidence_item item)
{
        return tn_evidence_form(evidence, item) != TN_EVIDENCE_MISSING;
}
/* What the item says; "" when it is missing or says nothing. NUL-terminated, may hold NULs. Borrowed. */
const char *tn_evidence_text(const struct tn_evidence *evidence, enum tn_evidence_item item);
size_t tn_evidence_len(const struct tn_evidence *evidence, enum tn_evidence_item item);

/* False where there is no such leaf, or it is not evidence. */
bool tn_evidence_cpuid(const struct tn_evidence *evidence, uint32_t leaf, struct tn_cpuid *ret);
/* The @index-th leaf (all are subleaf 0) that was read, for recording; false behind the last one. */
bool tn_evidence_cpuid_at(const struct tn_evidence *evidence, size_t index, uint32_t *ret_leaf,
                          struct tn_cpuid *ret);
