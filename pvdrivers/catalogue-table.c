/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * The rows. A row is one driver on one set of platforms; within a role the better one stands first. Patterns
 * are those of the modules themselves, as `modinfo` prints them (test-debian-kernel.c compares), so that a
 * row matches exactly where the kernel would load its module. Long on purpose: it is a table.
 */
#include "pvdrivers/catalogue-table.h"

#define KVM    TN_PV_ON(TN_PV_KVM)
#define VMWARE TN_PV_ON(TN_PV_VMWARE)
#define XEN    TN_PV_ON(TN_PV_XEN)
#define HYPERV TN_PV_ON(TN_PV_HYPERV)
#define VBOX   TN_PV_ON(TN_PV_VIRTUALBOX)
#define AWS    TN_PV_ON(TN_PV_AWS)
#define GCP    TN_PV_ON(TN_PV_GCP)
#define AZURE  TN_PV_ON(TN_PV_AZURE)
#define VMBUS  (HYPERV | AZURE)
#define ANY    ((1U << _TN_PV_PLATFORM_MAX) - 1)

#define BOOT     TN_PV_BOOT
#define EXPLICIT TN_PV_EXPLICIT
#define UNSAFE   TN_PV_UNSAFE
#define EMULATED TN_PV_EMULATED

#define PCI(vendor, device) "pci:v0000" vendor "d0000" device "sv*sd*bc*sc*i*"

/* What a disk of the platform may look like when nobody has chosen a paravirtual one. */
#define OLD_STORAGE                                                                                         \
        "ata_piix ahci pata_acpi ata_generic sym53c8xx mptspi mptsas mptscsih megaraid_sas BusLogic"
#define OLD_NETWORK "e1000 e1000e 8139cp 8139too pcnet32 ne2k_pci tulip igb"
#define SCSI_DISK   "sd_mod"

/* QEMU plays VMware's devices too, and guests that were moved from there often still have them. */
#define KVM_STORAGE OLD_STORAGE " vmw_pvscsi usb_storage uas"
#define KVM_NETWORK OLD_NETWORK " vmxnet3"

#define ROW(on, what, name, patterns, option, ...)                                                          \
        {                                                                                                   \
                .platforms = (on), .role = TN_PV_##what, .module = name, .match = patterns,                 \
                .config = option, __VA_ARGS__                                                               \
        }

/* clang-format off */
const struct tn_pv_driver tn_catalogue_table[] = {
        /* virtio: QEMU, Proxmox VE, oVirt, Nutanix AHV, Firecracker, Cloud Hypervisor, bhyve, Apple, Google. */
        ROW(KVM | GCP, BUS, "virtio_pci", "pci:v00001AF4d*sv*sd*bc*sc*i*", "CONFIG_VIRTIO_PCI", .flags = BOOT),
        ROW(KVM, BUS, "virtio_mmio", "of:N*T*Cvirtio,mmioC* of:N*T*Cvirtio,mmio acpi*:LNRO0005:*", "CONFIG_VIRTIO_MMIO",
            .reason = "Firecracker, microvm and arm boards; machines with PCI do not need it"),
        ROW(KVM, STORAGE, "virtio_blk", "virtio:d00000002v*", "CONFIG_VIRTIO_BLK", .flags = BOOT,
            .replaces = KVM_STORAGE, .needs = "virtio_pci"),
        ROW(KVM | GCP | VBOX, STORAGE, "virtio_scsi", "virtio:d00000008v*", "CONFIG_SCSI_VIRTIO", .flags = BOOT,
            .replaces = KVM_STORAGE, .needs = "virtio_pci " SCSI_DISK,
            .reason = "the default of Proxmox VE and of Google; in VirtualBox since 6.1; sd_mod drives the disks on it"),
        ROW(KVM, STORAGE, "virtio_pmem", "virtio:d0000001Bv*", "CONFIG_VIRTIO_PMEM",
            .needs = "virtio_pci", .reason = "memory of the host as a disk; no root file system in practice"),
        ROW(KVM | GCP | VBOX, NETWORK, "virtio_net", "virtio:d00000001v*", "CONFIG_VIRTIO_NET", .flags = BOOT,
            .replaces = KVM_NETWORK, .needs = "virtio_pci",
            .reason = "boot-critical for a root on the network; VirtualBox has the device since 3.1"),
        ROW(VBOX, BUS, "virtio_pci", "pci:v00001AF4d*sv*sd*bc*sc*i*", "CONFIG_VIRTIO_PCI",
            .flags = BOOT, .reason = "behind virtio_net and virtio_scsi only"),
        ROW(KVM | GCP, CONSOLE, "virtio_console", "virtio:d00000003v*", "CONFIG_VIRTIO_CONSOLE", .needs = "virtio_pci",
            .reason = "has the ports of guest agents as well"),
        ROW(KVM | GCP, BALLOON, "virtio_balloon", "virtio:d00000005v*", "CONFIG_VIRTIO_BALLOON", .needs = "virtio_pci"),
        ROW(KVM, BALLOON, "virtio_mem", "virtio:d00000018v*", "CONFIG_VIRTIO_MEM", .needs = "virtio_pci",
            .reason = "memory in blocks, plugged and unplugged; Linux 5.8"),
        ROW(KVM | GCP, RNG, "virtio_rng", "virtio:d00000004v*", "CONFIG_HW_RANDOM_VIRTIO", .needs = "virtio_pci"),
        ROW(KVM | VMWARE | XEN | VMBUS | AWS, RNG, "vmgenid", "acpi*:VMGENCTR:* acpi*:VM_GEN_COUNTER:*", "CONFIG_VMGENID",
            .reason = "reseeds the kernel's random numbers when the machine was cloned or rolled back; Linux 5.18"),
        ROW(KVM, GPU, "virtio_gpu", "virtio:d00000010v*", "CONFIG_DRM_VIRTIO_GPU", .replaces = "cirrus bochs",
            .needs = "virtio_pci"),
        ROW(KVM, GPU, "qxl", "pci:v00001B36d00000100sv*sd*bc03sc00i* pci:v00001B36d00000100sv*sd*bc03sc80i*",
            "CONFIG_DRM_QXL", .reason = "for SPICE; virtio_gpu is the newer one"),
        ROW(KVM, INPUT, "virtio_input", "virtio:d00000012v*", "CONFIG_VIRTIO_INPUT", .replaces = "usbhid",
            .needs = "virtio_pci", .reason = "a USB tablet makes the host poll"),
        ROW(KVM, SHARE, "virtiofs", "virtio:d0000001Av*", "CONFIG_VIRTIO_FS", .needs = "virtio_pci"),
        ROW(KVM, SHARE, "9pnet_virtio", "virtio:d00000009v*", "CONFIG_NET_9P_VIRTIO", .needs = "virtio_pci 9p",
            .reason = "older than virtiofs and slower"),
        ROW(KVM, SOCKET, "vmw_vsock_virtio_transport", "virtio:d00000013v*", "CONFIG_VIRTIO_VSOCKETS",
            .needs = "virtio_pci"),
        ROW(KVM, BUS, "virtio_iommu", "virtio:d00000017v*", "CONFIG_VIRTIO_IOMMU", .reason = "not in Debian 12's kernel"),
        ROW(KVM, OTHER, "virtio_crypto", "virtio:d00000014v*", "CONFIG_CRYPTO_DEV_VIRTIO", .needs = "virtio_pci"),
        ROW(KVM, OTHER, "virtio_snd", "virtio:d00000019v*", "CONFIG_SND_VIRTIO", .needs = "virtio_pci",
            .reason = "not in Debian 12's kernel"),
        ROW(KVM, CLOCK, "virtio_rtc", "virtio:d00000011v*", "CONFIG_VIRTIO_RTC", .needs = "virtio_pci",
            .reason = "Linux 6.16"),
        ROW(KVM | AWS, CLOCK, "ptp_vmclock", "acpi*:AMZNC10C:* acpi*:VMCLOCK:*", "CONFIG_PTP_1588_CLOCK_VMCLOCK",
            .reason = "knows of jumps of the clock by a migration; Linux 6.13"),
        ROW(KVM, CLOCK, "ptp_kvm", NULL, "CONFIG_PTP_1588_CLOCK_KVM", .flags = EXPLICIT,
            .reason = "asks KVM by a hypercall, so no device names it; refuses to load without KVM"),
        ROW(KVM, WATCHDOG, "i6300esb", PCI("8086", "25AB"), "CONFIG_I6300ESB_WDT",
            .reason = "made by Intel, but nobody has one outside of QEMU"),
        ROW(KVM, WATCHDOG, "iTCO_wdt", "platform:iTCO_wdt", "CONFIG_ITCO_WDT", .needs = "lpc_ich i2c_i801",
            .reason = "part of QEMU's q35; fires at twice the timeout, and before QEMU 8.0 only with "
                      "-global ICH9-LPC.noreboot=false"),
        ROW(KVM, WATCHDOG, "diag288_wdt", NULL, "CONFIG_DIAG288_WATCHDOG", .flags = EXPLICIT,
            .reason = "s390x only; by an instruction, so no device names it"),
        ROW(KVM, WATCHDOG, "ib700wdt", NULL, "CONFIG_IB700_WDT", .flags = EXPLICIT | UNSAFE,
            .reason = "ISA: writes to an I/O port and cannot know whether something is there"),
        ROW(KVM | AWS, WATCHDOG, "sbsa_gwdt", "platform:sbsa-gwdt", "CONFIG_ARM_SBSA_WATCHDOG",
            .reason = "arm64 machines with ACPI"),
        ROW(KVM, PANIC, "pvpanic_mmio", "of:N*T*Cqemu,pvpanic-mmioC* of:N*T*Cqemu,pvpanic-mmio acpi*:QEMU0001:*",
            "CONFIG_PVPANIC_MMIO", .needs = "pvpanic", .reason = "the ISA device too; before Linux 5.13 the module pvpanic"),
        ROW(KVM, PANIC, "pvpanic_pci", PCI("1B36", "0011"), "CONFIG_PVPANIC_PCI", .needs = "pvpanic"),
        ROW(KVM, OTHER, "qemu_fw_cfg", "of:N*T*Cqemu,fw-cfg-mmioC* of:N*T*Cqemu,fw-cfg-mmio acpi*:QEMU0002:*",
            "CONFIG_FW_CFG_SYSFS", .reason = "files that the host hands in"),

        /* VMware. */
        ROW(VMWARE, STORAGE, "vmw_pvscsi", PCI("15AD", "07C0"), "CONFIG_VMWARE_PVSCSI", .flags = BOOT,
            .replaces = OLD_STORAGE, .needs = SCSI_DISK),
        ROW(VMWARE, NETWORK, "vmxnet3", PCI("15AD", "07B0"), "CONFIG_VMXNET3", .flags = BOOT,
            .replaces = OLD_NETWORK),
        ROW(VMWARE, BALLOON, "vmw_balloon", "dmi:*:svnVMware*:*", "CONFIG_VMWARE_BALLOON",
            .reason = "found by the firmware's vendor; loads only when the hypervisor says VMware"),
        ROW(VMWARE, GPU, "vmwgfx", PCI("15AD", "0405") " " PCI("15AD", "0406"), "CONFIG_DRM_VMWGFX"),
        ROW(VBOX, GPU, "vmwgfx", PCI("15AD", "0405"), "CONFIG_DRM_VMWGFX", .reason = "VirtualBox' VMSVGA"),
        ROW(VMWARE, OTHER, "vmw_vmci", PCI("15AD", "0740"), "CONFIG_VMWARE_VMCI"),
        ROW(VMWARE, SOCKET, "vmw_vsock_vmci_transport", NULL, "CONFIG_VMWARE_VMCI_VSOCKETS", .needs = "vmw_vmci",
            .reason = "the kernel loads it for the first AF_VSOCK socket"),
        ROW(VMWARE, CLOCK, "ptp_vmw", "acpi*:VMW0005:*", "CONFIG_PTP_1588_CLOCK_VMW",
            .reason = "the device Precision Clock of vSphere 7.0 U2"),
        ROW(VMWARE, SHARE, "fuse", NULL, "CONFIG_FUSE_FS",
            .reason = "vmhgfs-fuse mounts shared folders; the module vmhgfs is history"),
        ROW(VMWARE, INPUT, "psmouse", "serio:ty01pr*id*ex* serio:ty05pr*id*ex*", "CONFIG_MOUSE_PS2",
            .reason = "has VMware's mouse (vmmouse) in it"),
        ROW(VMWARE, STORAGE, "mptspi", PCI("1000", "0030"), "CONFIG_FUSION_SPI", .flags = EMULATED,
            .needs = SCSI_DISK, .reason = "LSI Logic Parallel: what older templates boot from"),
        ROW(VMWARE, STORAGE, "mptsas", PCI("1000", "0054"), "CONFIG_FUSION_SAS", .flags = EMULATED,
            .needs = SCSI_DISK, .reason = "LSI Logic SAS"),
        ROW(VMWARE, STORAGE, "BusLogic", PCI("104B", "1040"), "CONFIG_SCSI_BUSLOGIC", .flags = EMULATED,
            .needs = SCSI_DISK, .reason = "guests of the ESX 3 years"),

        /* Xen. The bus, the console and the balloon are parts of the kernel, not modules. */
        ROW(XEN | AWS, BUS, "xen_platform_pci", PCI("5853", "0001"), "CONFIG_XEN_PVHVM_GUEST", .flags = BOOT,
            .reason = "HVM guests only; a yes-or-no option, never a module"),
        ROW(XEN, STORAGE, "xen_blkfront", "xen:vbd", "CONFIG_XEN_BLKDEV_FRONTEND", .flags = BOOT,
            .replaces = OLD_STORAGE, .reason = "an HVM guest's emulated disks are unplugged when it loads"),
        ROW(XEN, STORAGE, "xen_scsifront", "xen:vscsi", "CONFIG_XEN_SCSI_FRONTEND", .needs = SCSI_DISK,
            .reason = "SCSI devices passed through"),
        ROW(XEN, NETWORK, "xen_netfront", "xen:vif", "CONFIG_XEN_NETDEV_FRONTEND", .flags = BOOT,
            .replaces = OLD_NETWORK),
        ROW(XEN, CONSOLE, "hvc_xen", "xen:console", "CONFIG_HVC_XEN", .reason = "a yes-or-no option, never a module"),
        ROW(XEN, BALLOON, "xen_balloon", NULL, "CONFIG_XEN_BALLOON", .reason = "a yes-or-no option, never a module"),
        ROW(XEN, GPU, "drm_xen_front", "xen:vdispl", "CONFIG_DRM_XEN_FRONTEND"),
        ROW(XEN, GPU, "xen_fbfront", "xen:vfb", "CONFIG_XEN_FBDEV_FRONTEND"),
        ROW(XEN, INPUT, "xen_kbdfront", "xen:vkbd", "CONFIG_INPUT_XEN_KBDDEV_FRONTEND"),
        ROW(XEN, SHARE, "9pnet_xen", "xen:9pfs", "CONFIG_NET_9P_XEN", .needs = "9p"),
        ROW(XEN, BUS, "xen_pcifront", "xen:pci", "CONFIG_XEN_PCIDEV_FRONTEND", .reason = "PCI devices passed to a PV guest"),
        ROW(XEN, WATCHDOG, "xen_wdt", NULL, "CONFIG_XEN_WDT", .flags = EXPLICIT,
            .reason = "asks Xen by a hypercall, so no device names it"),
        ROW(XEN, OTHER, "xen_evtchn", NULL, "CONFIG_XEN_DEV_EVTCHN", .reason = "tools of the toolstack ask for it"),
        ROW(XEN, OTHER, "xenfs", NULL, "CONFIG_XENFS", .reason = "loaded when /proc/xen is mounted"),
        ROW(AWS, STORAGE, "xen_blkfront", "xen:vbd", "CONFIG_XEN_BLKDEV_FRONTEND",
            .reason = "instances older than Nitro"),
        ROW(AWS, NETWORK, "xen_netfront", "xen:vif", "CONFIG_XEN_NETDEV_FRONTEND",
            .reason = "instances older than Nitro"),

        /* Hyper-V and Azure. */
        ROW(VMBUS, BUS, "hv_vmbus", "acpi*:VMBUS:* acpi*:VMBus:*", "CONFIG_HYPERV", .flags = BOOT),
        ROW(VMBUS, STORAGE, "hv_storvsc",
            "vmbus:4acc9b2f6900f34ab76b6fd0be528cda vmbus:32264132cb86a2449b5c50d1417354f5 "
            "vmbus:d96361baa104294db60572e2ffb1dc7f", "CONFIG_HYPERV_STORAGE", .flags = BOOT,
            .replaces = OLD_STORAGE, .needs = "hv_vmbus " SCSI_DISK, .reason = "SCSI, IDE and Fibre Channel, in this order"),
        ROW(VMBUS, NETWORK, "hv_netvsc", "vmbus:635161f83edfc546913ff2d2f965ed0e", "CONFIG_HYPERV_NET", .flags = BOOT,
            .replaces = OLD_NETWORK, .needs = "hv_vmbus"),
        ROW(VMBUS, BALLOON, "hv_balloon", "vmbus:dc7450528589e2468057a307dc18a502", "CONFIG_HYPERV_BALLOON",
            .needs = "hv_vmbus"),
        ROW(VMBUS, CLOCK, "hv_utils",
            "vmbus:31600b0e13523449818b38d90ced39db vmbus:30e62795aed07b49adcee80ab0175caf "
            "vmbus:394f16571591784eab55382f3bd5422d vmbus:e7f4a0a9455a964db8278a841e8c03e6 "
            "vmbus:292efa3523ea364296ae3a6ebacba440 vmbus:e34bd134e4dec8419ae76b174977c192", "CONFIG_HYPERV_UTILS",
            .needs = "hv_vmbus", .reason = "shutdown, heartbeat, KVP, VSS and file copy too, not the clock alone"),
        ROW(VMBUS, GPU, "hyperv_drm",
            "vmbus:02780ada77e3ac4a8e770558eb1073f8 pci:v00001414d00005353sv00000000sd00000000bc*sc*i*",
            "CONFIG_DRM_HYPERV", .needs = "hv_vmbus"),
        ROW(VMBUS, GPU, "hyperv_fb",
            "vmbus:02780ada77e3ac4a8e770558eb1073f8 pci:v00001414d00005353sv*sd*bc*sc*i*", "CONFIG_FB_HYPERV",
            .needs = "hv_vmbus", .reason = "before hyperv_drm; not in Debian 12's kernel"),
        ROW(VMBUS, INPUT, "hid_hyperv", "vmbus:9eb6a8cf4a5bc04cb98b8ba1a1f3f95a", "CONFIG_HID_HYPERV_MOUSE",
            .needs = "hv_vmbus"),
        ROW(VMBUS, INPUT, "hyperv_keyboard", "vmbus:6dad12f9172bea48bd65f927a61c7684", "CONFIG_HYPERV_KEYBOARD",
            .needs = "hv_vmbus", .reason = "a passphrase for the root is typed on it"),
        ROW(VMBUS, SOCKET, "hv_sock", NULL, "CONFIG_HYPERV_VSOCKETS", .needs = "hv_vmbus",
            .reason = "the kernel loads it for the first AF_VSOCK socket"),
        ROW(VMBUS, BUS, "pci_hyperv", "vmbus:1df6c444444400449d52802e27ede19f", "CONFIG_PCI_HYPERV", .needs = "hv_vmbus",
            .reason = "devices passed through: network functions and NVMe of Azure"),
        ROW(AZURE, NETWORK, "mana", PCI("1414", "00B9") " " PCI("1414", "00BA"), "CONFIG_MICROSOFT_MANA",
            .needs = "pci_hyperv", .reason = "second way beside hv_netvsc, which stays the interface"),
        ROW(VMBUS, NETWORK, "mlx5_core", PCI("15B3", "1016") " " PCI("15B3", "1018") " " PCI("15B3", "101A") " "
            PCI("15B3", "101E"), "CONFIG_MLX5_CORE", .needs = "pci_hyperv", .reason = "Accelerated Networking; the same"),
        ROW(VMBUS, NETWORK, "mlx4_core", PCI("15B3", "1004"), "CONFIG_MLX4_CORE", .needs = "pci_hyperv mlx4_en",
            .reason = "Accelerated Networking on older hosts; the same"),

        /* VirtualBox. */
        ROW(VBOX, OTHER, "vboxguest", "pci:v000080EEd0000CAFEsv00000000sd00000000bc*sc*i*", "CONFIG_VBOXGUEST",
            .reason = "in Linux since 4.16"),
        ROW(VBOX, SHARE, "vboxsf", NULL, "CONFIG_VBOXSF_FS", .needs = "vboxguest",
            .reason = "in Linux since 5.6; loaded when a folder is mounted"),
        ROW(VBOX, GPU, "vboxvideo", PCI("80EE", "BEEF"), "CONFIG_DRM_VBOXVIDEO", .reason = "VBoxVGA and VBoxSVGA"),

        /* Clouds with devices of their own. */
        ROW(AWS | GCP | AZURE | VMWARE, STORAGE, "nvme", "pci:v*d*sv*sd*bc01sc08i02*", "CONFIG_BLK_DEV_NVME",
            .flags = BOOT, .replaces = OLD_STORAGE, .reason = "by class: the volume itself on Nitro; a controller type of vSphere 6.5"),
        ROW(AWS, NETWORK, "ena", PCI("1D0F", "EC20") " " PCI("1D0F", "EC21") " " PCI("1D0F", "0EC2") " "
            PCI("1D0F", "1EC2") " " PCI("1D0F", "0051"), "CONFIG_ENA_ETHERNET", .flags = BOOT,
            .replaces = "ixgbevf", .reason = "Nitro"),
        ROW(AWS, NETWORK, "ixgbevf", PCI("8086", "10ED"), "CONFIG_IXGBEVF",
            .reason = "enhanced networking of instances older than Nitro"),
        ROW(AWS, NETWORK, "efa", PCI("1D0F", "EFA0") " " PCI("1D0F", "EFA1") " " PCI("1D0F", "EFA2"),
            "CONFIG_INFINIBAND_EFA", .reason = "RDMA; not in Debian 12's kernel"),
        ROW(AWS, OTHER, "nsm", "virtio:d00000021v*", "CONFIG_NSM", .needs = "virtio_mmio",
            .reason = "inside of Nitro enclaves; Linux 6.8"),
        ROW(GCP, NETWORK, "gve", PCI("1AE0", "0042"), "CONFIG_GVE", .flags = BOOT,
            .reason = "third-generation machine types have only this"),

        /* Emulated devices that guests boot with; rows of their own only to know them by name. */
        ROW(KVM | VMWARE | XEN | HYPERV | VBOX, STORAGE, "ahci", "pci:v*d*sv*sd*bc01sc06i01*", "CONFIG_SATA_AHCI",
            .flags = EMULATED, .needs = SCSI_DISK),
        ROW(KVM | VMWARE | XEN | HYPERV | VBOX, STORAGE, "ata_piix", PCI("8086", "7010") " " PCI("8086", "7111"),
            "CONFIG_ATA_PIIX", .flags = EMULATED, .needs = SCSI_DISK, .reason = "IDE"),
        ROW(KVM, STORAGE, "sym53c8xx", PCI("1000", "0012"), "CONFIG_SCSI_SYM53C8XX_2", .flags = EMULATED,
            .needs = SCSI_DISK, .reason = "LSI 53C895A, the controller `lsi` of Proxmox VE"),
        ROW(KVM | VMWARE | XEN | VBOX, NETWORK, "e1000", PCI("8086", "100E") " " PCI("8086", "100F") " " PCI("8086", "1004"),
            "CONFIG_E1000", .flags = EMULATED),
        ROW(KVM | VMWARE, NETWORK, "e1000e", PCI("8086", "10D3"), "CONFIG_E1000E", .flags = EMULATED),
        ROW(KVM, STORAGE, "vmw_pvscsi", PCI("15AD", "07C0"), "CONFIG_VMWARE_PVSCSI", .flags = EMULATED,
            .needs = SCSI_DISK, .reason = "VMware's, played by QEMU"),
        ROW(KVM, NETWORK, "vmxnet3", PCI("15AD", "07B0"), "CONFIG_VMXNET3", .flags = EMULATED,
            .reason = "VMware's, played by QEMU"),
        ROW(KVM, NETWORK, "igb", PCI("8086", "10C9"), "CONFIG_IGB", .flags = EMULATED, .reason = "QEMU 8.0"),
        ROW(KVM, STORAGE, "nvme", "pci:v*d*sv*sd*bc01sc08i02*", "CONFIG_BLK_DEV_NVME", .flags = EMULATED,
            .reason = "QEMU's emulated controller; fast enough to be left alone"),
        ROW(KVM | XEN, NETWORK, "8139cp", PCI("10EC", "8139"), "CONFIG_8139CP", .flags = EMULATED),
        ROW(VMWARE | VBOX, NETWORK, "pcnet32", PCI("1022", "2000"), "CONFIG_PCNET32", .flags = EMULATED),
        ROW(HYPERV, NETWORK, "tulip", PCI("1011", "0009"), "CONFIG_TULIP", .flags = EMULATED,
            .reason = "Legacy Network Adapter of generation 1"),
        ROW(KVM, GPU, "bochs", PCI("1234", "1111"), "CONFIG_DRM_BOCHS", .flags = EMULATED,
            .reason = "QEMU's standard VGA"),
        ROW(KVM | XEN, GPU, "cirrus", "pci:v00001013d000000B8sv00001AF4sd00001100bc*sc*i* "
            "pci:v00001013d000000B8sv00005853sd00000001bc*sc*i*", "CONFIG_DRM_CIRRUS_QEMU", .flags = EMULATED),

        ROW(VMWARE | VMBUS, WATCHDOG, "wdat_wdt", "platform:wdat_wdt", "CONFIG_WDAT_WDT",
            .reason = "described by the firmware's table WDAT, as the virtual watchdogs of VMware and Azure are"),

        /* Last resort everywhere. */
        ROW(ANY, WATCHDOG, "softdog", NULL, "CONFIG_SOFT_WATCHDOG", .flags = EXPLICIT | UNSAFE,
            .reason = "a timer of the guest's own kernel: of no use when that kernel hangs"),
};
/* clang-format on */

const size_t tn_catalogue_table_len = G_N_ELEMENTS(tn_catalogue_table);
