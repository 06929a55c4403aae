/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * The table of evidence: data only. What is added here is loaded, can be judged, and is recorded; nothing
 * else is ever read.
 */
#include "detect/paths.h"

/* Names that are evidence by themselves: fw_cfg, VM generation counters, clocks, Hyper-V's and Xen's bus,
 * virtio-mmio from ACPI. */
static const char *const acpi_devices[] = {"QEMU0002:*", "VMGENCTR:*", "FCVMGID:*",  "AMZNC10C:*",
                                           "VMBUS:*",    "XEN0000:*",  "LNRO0005:*", NULL};
static const char *const fw_cfg_nodes[] = {"*fw-cfg*", NULL};

#define LINE(p)                                                                                             \
        {                                                                                                   \
                .path = (p), .filter = tn_filter_line, .limit = TN_PATHS_SMALL                              \
        }
#define BYTES(p)                                                                                            \
        {                                                                                                   \
                .path = (p), .filter = tn_filter_bytes, .limit = TN_PATHS_SMALL                             \
        }
#define TEXT(p, f, l)                                                                                       \
        {                                                                                                   \
                .path = (p), .filter = (f), .limit = (l)                                                    \
        }
#define EXISTS(p)                                                                                           \
        {                                                                                                   \
                .path = (p)                                                                                 \
        }
#define NAMES(p, n)                                                                                         \
        {                                                                                                   \
                .path = (p), .names = (n)                                                                   \
        }
#define LINK(p)                                                                                             \
        {                                                                                                   \
                .path = (p), .link = true                                                                   \
        }

const struct tn_path_row tn_paths[_TN_EVIDENCE_MAX] = {
        [TN_DMI_PRODUCT_NAME] = LINE("sys/class/dmi/id/product_name"),
        [TN_DMI_SYS_VENDOR] = LINE("sys/class/dmi/id/sys_vendor"),
        [TN_DMI_BOARD_VENDOR] = LINE("sys/class/dmi/id/board_vendor"),
        [TN_DMI_BIOS_VENDOR] = LINE("sys/class/dmi/id/bios_vendor"),
        [TN_DMI_PRODUCT_VERSION] = LINE("sys/class/dmi/id/product_version"),
        [TN_DMI_BIOS_VERSION] = LINE("sys/class/dmi/id/bios_version"),
        [TN_DMI_PRODUCT_FAMILY] = LINE("sys/class/dmi/id/product_family"),
        [TN_DMI_CHASSIS_VENDOR] = LINE("sys/class/dmi/id/chassis_vendor"),
        [TN_DMI_CHASSIS_ASSET_TAG] = TEXT("sys/class/dmi/id/chassis_asset_tag", tn_filter_asset_tag,
                                          TN_PATHS_SMALL),
        [TN_DMI_PRODUCT_SERIAL] = TEXT("sys/class/dmi/id/product_serial", tn_filter_serial, TN_PATHS_SMALL),
        [TN_DMI_PRODUCT_UUID] = TEXT("sys/class/dmi/id/product_uuid", tn_filter_uuid, TN_PATHS_SMALL),
        [TN_SMBIOS_BIOS] = TEXT("sys/firmware/dmi/entries/0-0/raw", tn_filter_bytes, 24),
        [TN_SMBIOS_OEM_STRINGS] = TEXT("sys/firmware/dmi/entries/11-0/raw", tn_filter_oem_strings,
                                       TN_PATHS_SMALL),
        [TN_PROC_CPUINFO] = TEXT("proc/cpuinfo", tn_filter_cpuinfo, TN_PATHS_LARGE),
        [TN_PROC_CMDLINE] = TEXT("proc/cmdline", tn_filter_cmdline, TN_PATHS_SMALL),
        [TN_PROC_VERSION] = TEXT("proc/version", tn_filter_version, TN_PATHS_SMALL),
        [TN_PROC_OSRELEASE] = LINE("proc/sys/kernel/osrelease"),
        [TN_PROC_SYSINFO] = TEXT("proc/sysinfo", tn_filter_sysinfo, TN_PATHS_LARGE),
        [TN_PROC_LPARCFG] = TEXT("proc/ppc64/lparcfg", tn_filter_lparcfg, TN_PATHS_SMALL),
        [TN_PROC_XEN] = EXISTS("proc/xen"),
        [TN_PROC_XEN_CAPABILITIES] = LINE("proc/xen/capabilities"),
        [TN_SYS_HYPERVISOR_TYPE] = LINE("sys/hypervisor/type"),
        [TN_SYS_HYPERVISOR_GUEST_TYPE] = LINE("sys/hypervisor/guest_type"),
        [TN_SYS_HYPERVISOR_FEATURES] = LINE("sys/hypervisor/properties/features"),
        [TN_SYS_HYPERVISOR_UUID] = TEXT("sys/hypervisor/uuid", tn_filter_uuid, TN_PATHS_SMALL),
        [TN_CLOCKSOURCES] = TEXT("sys/devices/system/clocksource/clocksource0/available_clocksource",
                                 tn_filter_clocksources, TN_PATHS_SMALL),
        [TN_DT_HYPERVISOR] = EXISTS("@hypervisor"),
        [TN_DT_HYPERVISOR_COMPATIBLE] = BYTES("@hypervisor/compatible"),
        [TN_DT_COMPATIBLE] = BYTES("@compatible"),
        [TN_DT_MODEL] = BYTES("@model"),
        [TN_DT_FW_CFG] = NAMES("@", fw_cfg_nodes),
        [TN_DT_PARTITION_NAME] = TEXT("@ibm,partition-name", tn_filter_partition, TN_PATHS_SMALL),
        [TN_DT_HMC_MANAGED] = EXISTS("@hmc-managed?"),
        [TN_DT_QEMU_GRAPHIC] = EXISTS("@chosen/qemu,graphic-width"),
        [TN_DT_LPAR_CAPABLE] = EXISTS("@ibm,lpar-capable"),
        [TN_DT_RTAS_LPAR_CAPABLE] = EXISTS("@rtas/ibm,lpar-capable"),
        [TN_ACPI_FACP] = TEXT("sys/firmware/acpi/tables/FACP", tn_filter_bytes, 276),
        [TN_ACPI_CCEL] = EXISTS("sys/firmware/acpi/tables/CCEL"),
        [TN_ACPI_DEVICES] = NAMES("sys/bus/acpi/devices", acpi_devices),
        [TN_FW_CFG] = EXISTS("sys/firmware/qemu_fw_cfg"),
        [TN_BUS_VMBUS] = EXISTS("sys/bus/vmbus"),
        [TN_BUS_LGUEST] = EXISTS("sys/bus/lguest"),
        [TN_DEVICES_LGUEST] = EXISTS("sys/devices/lguest"),
        [TN_JAILHOUSE_ENABLED] = LINE("sys/devices/jailhouse/enabled"),
        [TN_DEV_MDESC] = EXISTS("dev/mdesc"),
        [TN_VLDS_CTRL] = EXISTS("sys/class/vlds/ctrl"),
        [TN_VLDS_SP] = EXISTS("sys/class/vlds/sp"),
        [TN_DEV_VBOXGUEST] = EXISTS("dev/vboxguest"),
        [TN_DEV_SEV_GUEST] = EXISTS("dev/sev-guest"),
        [TN_CPU_SEV_VMPL] = EXISTS("sys/devices/system/cpu/sev/vmpl"),
        [TN_DEV_TDX_GUEST] = EXISTS("dev/tdx_guest"),
        [TN_UV_GUEST] = LINE("sys/firmware/uv/prot_virt_guest"),
        [TN_ARM_CCA] = EXISTS("sys/devices/platform/arm-cca-dev"),
        [TN_PROC_VZ] = EXISTS("proc/vz"),
        [TN_PROC_BC] = EXISTS("proc/bc"),
        [TN_PROC_STATUS] = TEXT("proc/self/status", tn_filter_status, TN_PATHS_SMALL),
        [TN_TRACER_COMM] = LINE("proc/%s/comm"),
        [TN_HOST_CONTAINER_MANAGER] = LINE("run/host/container-manager"),
        [TN_SYSTEMD_CONTAINER] = LINE("run/systemd/container"),
        [TN_PROC_1_ENVIRON] = TEXT("proc/1/environ", tn_filter_environ, TN_PATHS_LARGE),
        [TN_CONTAINERENV] = EXISTS("run/.containerenv"),
        [TN_DOCKERENV] = EXISTS(".dockerenv"),
        [TN_DOCKERINIT] = EXISTS(".dockerinit"),
        [TN_PROC_1_CGROUP] = TEXT("proc/1/cgroup", tn_filter_cgroup, TN_PATHS_LARGE),
        [TN_PROC_SELF_CGROUP] = TEXT("proc/self/cgroup", tn_filter_cgroup, TN_PATHS_LARGE),
        [TN_NS_CGROUP] = LINK("proc/self/ns/cgroup"),
        [TN_NS_PID] = LINK("proc/self/ns/pid"),
        [TN_CGROUP2] = EXISTS("sys/fs/cgroup/cgroup.controllers"),
        [TN_CGROUP2_EVENTS] = EXISTS("sys/fs/cgroup/cgroup.events"),
        [TN_CGROUP2_TYPE] = EXISTS("sys/fs/cgroup/cgroup.type"),
        [TN_CGROUP_FEATURES] = EXISTS("sys/kernel/cgroup/features"),
        [TN_CGROUP1] = EXISTS("sys/fs/cgroup/systemd"),
        [TN_CGROUP1_RELEASE_AGENT] = EXISTS("sys/fs/cgroup/systemd/release_agent"),
};
