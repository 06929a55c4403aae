/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * A cloud says more than its hypervisor: Azure is Hyper-V with drivers of its own. The surprising thing:
 * libvirt, Proxmox VE and QEMU by hand look the same from inside, so the advice is given in all their words.
 */
#include "pvdrivers/platform.h"

#define HOSTS(...) ((const char *const[]){__VA_ARGS__, NULL})

struct row {
        enum tn_detect_kind kind;
        const char *id;
        enum tn_pv_platform platform;
        const char *const *hosts;
};

/* More particular than the hypervisor below: the first one that there is a fact of. */
static const struct row particular[] = {
        {TN_DETECT_CLOUD, "amazon", TN_PV_AWS, HOSTS("aws")},
        {TN_DETECT_CLOUD, "google", TN_PV_GCP, HOSTS("gcp")},
        {TN_DETECT_CLOUD, "azure", TN_PV_AZURE, HOSTS("azure")},
        {TN_DETECT_CLOUD, "openstack", TN_PV_KVM, HOSTS("openstack", "libvirt")},
        {TN_DETECT_CLOUD, "kubevirt", TN_PV_KVM, HOSTS("kubevirt")},
        {TN_DETECT_CLOUD, "ovirt", TN_PV_KVM, HOSTS("ovirt")},
        {TN_DETECT_CLOUD, "rhev", TN_PV_KVM, HOSTS("ovirt")},
        {TN_DETECT_CLOUD, "nutanix_ahv", TN_PV_KVM, HOSTS("nutanix")},
        {TN_DETECT_HYPERVISOR, "firecracker", TN_PV_KVM, NULL},
        {TN_DETECT_HYPERVISOR, "cloud-hypervisor", TN_PV_KVM, NULL},
        {TN_DETECT_HYPERVISOR, "crosvm", TN_PV_KVM, NULL},
};

/* The hypervisor, which is the first fact of its kind: others may stand further down, under it. */
static const struct row hypervisors[] = {
        {TN_DETECT_HYPERVISOR, "vmware", TN_PV_VMWARE, HOSTS("vmware")},
        {TN_DETECT_HYPERVISOR, "microsoft", TN_PV_HYPERV, HOSTS("hyperv")},
        {TN_DETECT_HYPERVISOR, "oracle", TN_PV_VIRTUALBOX, HOSTS("virtualbox")},
        {TN_DETECT_HYPERVISOR, "xen", TN_PV_XEN, HOSTS("xen")},
        {TN_DETECT_HYPERVISOR, "bhyve", TN_PV_KVM, HOSTS("bhyve")},
        {TN_DETECT_HYPERVISOR, "kvm", TN_PV_KVM, HOSTS("libvirt", "proxmox", "qemu")},
        {TN_DETECT_HYPERVISOR, "qemu", TN_PV_KVM, HOSTS("libvirt", "proxmox", "qemu")},
        {TN_DETECT_HYPERVISOR, "lkvm", TN_PV_KVM, NULL},
        {TN_DETECT_HYPERVISOR, "bochs", TN_PV_KVM, NULL},
        {TN_DETECT_HYPERVISOR, "apple", TN_PV_KVM, NULL},
        {TN_DETECT_HYPERVISOR, "parallels", TN_PV_KVM, NULL},
        {TN_DETECT_HYPERVISOR, "acrn", TN_PV_KVM, NULL},
        {TN_DETECT_HYPERVISOR, "vmm", TN_PV_KVM, NULL},
};

static const struct tn_detect_fact *first_hypervisor(const struct tn_detect *detect)
{
        const struct tn_detect_fact *fact = NULL;

        for (size_t i = 0; (fact = tn_detect_fact(detect, i)); i++)
                if (fact->kind == TN_DETECT_HYPERVISOR)
                        break;
        return fact;
}

static const struct row *find(const struct tn_detect *detect)
{
        const struct tn_detect_fact *fact = first_hypervisor(detect);

        for (size_t i = 0; fact && i < G_N_ELEMENTS(particular); i++)
                if (tn_detect_find(detect, particular[i].kind, particular[i].id))
                        return &particular[i];
        for (size_t i = 0; fact && i < G_N_ELEMENTS(hypervisors); i++)
                if (g_str_equal(hypervisors[i].id, fact->id))
                        return &hypervisors[i];
        return NULL;
}

enum tn_pv_platform tn_platform_of(const struct tn_detect *detect)
{
        const struct row *row = find(detect);

        return row ? row->platform : _TN_PV_PLATFORM_MAX;
}

const char *const *tn_platform_hosts(const struct tn_detect *detect)
{
        static const char *const none[] = {NULL};
        const struct row *row = find(detect);

        return row && row->hosts ? row->hosts : none;
}
