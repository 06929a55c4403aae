/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * The advice is a table: host, module that the guest would then use, the setting. A row stands for one way
 * to do it; VMID, NAME, NET and the like are the reader's. Disks change their names on another bus, so every
 * change of a disk wants `tenonctl drivers plan` first; that is said once, by who prints.
 */
#include "pvdrivers/advice.h"

struct row {
        const char *host, *module, *change;
};

/* clang-format off */
static const struct row rows[] = {
        {"libvirt", "virtio_net", "in <interface>: <model type='virtio'/>"},
        {"libvirt", "virtio_blk", "in <disk>: <target dev='vda' bus='virtio'/>"},
        {"libvirt", "virtio_gpu", "in <video>: <model type='virtio'/>"},
        {"libvirt", "virtio_input", "in <devices>: <input type='tablet' bus='virtio'/>"},
        {"libvirt", "virtio_balloon", "in <devices>: <memballoon model='virtio'/>"},
        {"libvirt", "virtio_rng", "in <devices>: <rng model='virtio'><backend model='random'>/dev/urandom</backend></rng>"},
        {"libvirt", "i6300esb", "in <devices>: <watchdog model='i6300esb' action='reset'/>"},

        {"proxmox", "virtio_net", "qm set VMID --net0 virtio=MAC,bridge=vmbr0 (MAC: the one that the guest has now)"},
        {"proxmox", "virtio_blk", "qm set VMID --scsihw virtio-scsi-single; detach the disk, attach it again as scsi0, and set "
                                  "--boot order=scsi0"},
        {"proxmox", "virtio_gpu", "qm set VMID --vga virtio"},
        {"proxmox", "virtio_input", "qm set VMID --tablet 0"},
        {"proxmox", "virtio_balloon", "qm set VMID --balloon MIB"},
        {"proxmox", "virtio_rng", "qm set VMID --rng0 source=/dev/urandom"},
        {"proxmox", "i6300esb", "qm set VMID --watchdog model=i6300esb,action=reset"},

        {"qemu", "virtio_net", "-device virtio-net-pci,netdev=ID"},
        {"qemu", "virtio_blk", "-device virtio-blk-pci,drive=ID"},
        {"qemu", "virtio_gpu", "-device virtio-vga"},
        {"qemu", "virtio_input", "-device virtio-tablet-pci"},
        {"qemu", "virtio_balloon", "-device virtio-balloon-pci"},
        {"qemu", "virtio_rng", "-device virtio-rng-pci"},
        {"qemu", "i6300esb", "-device i6300esb -action watchdog=reset"},

        {"bhyve", "virtio_net", "-s SLOT,virtio-net,tapN"},
        {"bhyve", "virtio_blk", "-s SLOT,virtio-blk,FILE"},
        {"bhyve", "virtio_rng", "-s SLOT,virtio-rnd"},

        {"openstack", "virtio_net", "openstack image set --property hw_vif_model=virtio IMAGE, for servers made from it"},
        {"openstack", "virtio_blk", "openstack image set --property hw_disk_bus=virtio IMAGE, for servers made from it"},
        {"openstack", "virtio_gpu", "openstack image set --property hw_video_model=virtio IMAGE"},
        {"openstack", "virtio_rng", "openstack image set --property hw_rng_model=virtio IMAGE"},
        {"openstack", "i6300esb", "openstack image set --property hw_watchdog_action=reset IMAGE"},

        {"kubevirt", "virtio_net", "spec.template.spec.domain.devices.interfaces[].model: virtio"},
        {"kubevirt", "virtio_blk", "spec.template.spec.domain.devices.disks[].disk.bus: virtio"},
        {"kubevirt", "virtio_input", "spec.template.spec.domain.devices.inputs[]: {type: tablet, bus: virtio}"},
        {"kubevirt", "virtio_rng", "spec.template.spec.domain.devices.rng: {}"},
        {"kubevirt", "i6300esb", "spec.template.spec.domain.devices.watchdog: {name: watchdog, i6300esb: {action: reset}}"},

        {"ovirt", "virtio_net", "Network Interfaces, Edit, Type: VirtIO"},
        {"ovirt", "virtio_blk", "Disks, Edit, Interface: VirtIO-SCSI"},
        {"ovirt", "virtio_rng", "Edit Virtual Machine, Random Generator, Device: urandom"},
        {"ovirt", "i6300esb", "Edit Virtual Machine, High Availability, Watchdog Model: i6300esb"},

        {"nutanix", "virtio_net", "acli vm.nic_create NAME network=NET model=virtio, then remove the old one"},
        {"nutanix", "virtio_blk", "acli vm.disk_create NAME clone_from_vmdisk=UUID bus=scsi, then remove the old one"},

        {"vmware", "vmxnet3", "ethernet0.virtualDev = \"vmxnet3\" (vSphere: remove the adapter, add one of the type VMXNET3)"},
        {"vmware", "vmw_pvscsi", "scsi0.virtualDev = \"pvscsi\" (vSphere: SCSI controller, Change Type, VMware Paravirtual; a "
                                 "SATA or IDE disk is moved to it)"},
        {"vmware", "vmwgfx", "svga.present = \"TRUE\""},
        {"vmware", "vmw_balloon", "sched.mem.maxmemctl: remove the setting that limits the balloon"},

        {"hyperv", "hv_netvsc", "Add-VMNetworkAdapter -VMName NAME -SwitchName SWITCH, then remove the legacy adapter"},
        {"hyperv", "hv_storvsc", "Add-VMScsiController -VMName NAME, and move the disk to it; the boot disk of generation 1 stays "
                                 "on IDE, which hv_storvsc drives too"},

        {"xen", "xen_netfront", "xl: vif = ['type=vif, bridge=BRIDGE'], and no xen_emul_unplug=never on the guest's command line"},
        {"xen", "xen_blkfront", "xl: disk = ['TARGET, raw, xvda, rw'], and no xen_emul_unplug=never on the guest's command line"},

        {"virtualbox", "virtio_net", "VBoxManage modifyvm NAME --nictype1 virtio"},
        {"virtualbox", "virtio_scsi", "VBoxManage storagectl NAME --name VirtIO --add virtio --controller VirtIO, and "
                                      "attach the disk to it with VBoxManage storageattach"},
        {"virtualbox", "vmwgfx", "VBoxManage modifyvm NAME --graphicscontroller vmsvga"},

        {"aws", "ena", "an instance type that is built on Nitro, and the attribute enaSupport on the instance"},
        {"gcp", "gve", "gcloud compute instances create --network-interface nic-type=GVNIC"},
};
/* clang-format on */

json_t *tn_advice_changes(const char *const *hosts, const struct tn_pv_driver *driver)
{
        json_t *list = json_array();

        for (; *hosts; hosts++)
                for (size_t i = 0; i < G_N_ELEMENTS(rows); i++)
                        if (g_str_equal(rows[i].host, *hosts) && g_str_equal(rows[i].module, driver->module))
                                json_array_append_new(list, json_pack("{s:s, s:s}", "host", rows[i].host,
                                                                      "change", rows[i].change));
        return list;
}

bool tn_advice_important(enum tn_pv_role role)
{
        return role == TN_PV_STORAGE || role == TN_PV_NETWORK;
}
