/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * Whose cloud this is, from DMI alone: metadata services are never asked. A cloud's name says nothing
 * about a hypervisor (most of them rent out bare metal, too), except where the row says what its guests
 * are: then that is the last resort for machines without CPUID, such as arm64.
 */
#include "detect/finding.h"

#include <string.h>

#include "detect/tags.h"

enum match { PREFIX, EQUAL, CONTAINS };

struct row {
        const char *id;
        enum tn_evidence_item item;
        enum match match;
        const char *text;
        unsigned confidence;
        const char *guest;   /* NULL, or the hypervisor of what bears this name */
        const char *product; /* NULL, or what product_name must begin with, too */
};

/*
 * Ids: systemd-detect-virt's names where it has one for the cloud (amazon, google), virt-what's where it
 * has one (alibaba_cloud, nutanix_ahv, ovirt, rhev, redhat, upcloud), lower-case product names otherwise.
 * Azure is not "microsoft" and Oracle's cloud not "oracle": those are the hypervisors Hyper-V and
 * VirtualBox.
 */
static const struct row rows[] = {
        {"amazon", TN_DMI_SYS_VENDOR, PREFIX, "Amazon EC2", 95},
        {"amazon", TN_DMI_BIOS_VENDOR, PREFIX, "Amazon EC2", 95},
        {"amazon", TN_DMI_CHASSIS_ASSET_TAG, EQUAL, TN_TAG_AMAZON, 90},
        {"amazon", TN_DMI_BIOS_VERSION, CONTAINS, ".amazon", 90}, /* on Xen */
        {"amazon", TN_DMI_PRODUCT_VERSION, CONTAINS, ".amazon", 90},
        {"amazon", TN_SYS_HYPERVISOR_UUID, EQUAL, "ec2", 70},
        {"amazon", TN_DMI_PRODUCT_UUID, EQUAL, "ec2", 60},
        {"google", TN_DMI_PRODUCT_NAME, PREFIX, "Google Compute Engine", 95},
        {"google", TN_DMI_PRODUCT_SERIAL, PREFIX, "GoogleCloud-", 90},
        {"azure", TN_DMI_CHASSIS_ASSET_TAG, EQUAL, TN_TAG_AZURE, 95},
        {"oracle_cloud", TN_DMI_CHASSIS_ASSET_TAG, EQUAL, TN_TAG_ORACLE_CLOUD, 95},
        {"alibaba_cloud", TN_DMI_SYS_VENDOR, PREFIX, "Alibaba", 95},
        {"alibaba_cloud", TN_DMI_PRODUCT_NAME, PREFIX, "Alibaba Cloud ECS", 95, "kvm"},
        {"nutanix_ahv", TN_DMI_SYS_VENDOR, PREFIX, "Nutanix", 95, "kvm", "AHV"},
        {"ovirt", TN_DMI_SYS_VENDOR, PREFIX, "oVirt", 95, "kvm"},
        {"ovirt", TN_DMI_PRODUCT_NAME, PREFIX, "oVirt", 90, "kvm"},
        {"rhev", TN_DMI_PRODUCT_NAME, PREFIX, "RHEV Hypervisor", 95, "kvm"},
        {"redhat", TN_DMI_SYS_VENDOR, PREFIX, "Red Hat", 85, "kvm", "KVM"},
        {"upcloud", TN_DMI_SYS_VENDOR, PREFIX, "UpCloud", 95, "kvm"},
        {"openstack", TN_DMI_SYS_VENDOR, PREFIX, "OpenStack", 95},
        {"openstack", TN_DMI_PRODUCT_NAME, PREFIX, "OpenStack", 95},
        {"openstack", TN_DMI_CHASSIS_ASSET_TAG, PREFIX, "OpenStack", 90},
        {"openstack", TN_DMI_CHASSIS_ASSET_TAG, EQUAL, TN_TAG_SAP, 80},
        {"openstack", TN_DMI_CHASSIS_ASSET_TAG, EQUAL, TN_TAG_SAMSUNG, 80},
        {"kubevirt", TN_DMI_SYS_VENDOR, PREFIX, "KubeVirt", 95},
        {"kubevirt", TN_DMI_PRODUCT_FAMILY, PREFIX, "KubeVirt", 90},
        {"digitalocean", TN_DMI_SYS_VENDOR, PREFIX, "DigitalOcean", 95},
        {"digitalocean", TN_DMI_SYS_VENDOR, PREFIX, "DigitalOcean", 95, "kvm", "Droplet"},
        {"hetzner", TN_DMI_SYS_VENDOR, EQUAL, "Hetzner", 95},
        {"hetzner", TN_DMI_SYS_VENDOR, EQUAL, "Hetzner", 95, "kvm", "vServer"},
        {"scaleway", TN_DMI_SYS_VENDOR, PREFIX, "Scaleway", 95},
        {"scaleway", TN_DMI_SYS_VENDOR, PREFIX, "Scaleway", 95, "kvm", "SCW-"},
        {"vultr", TN_DMI_SYS_VENDOR, PREFIX, "Vultr", 95},
        {"exoscale", TN_DMI_SYS_VENDOR, PREFIX, "Exoscale", 95},
        {"exoscale", TN_DMI_PRODUCT_NAME, PREFIX, "Exoscale", 95, "kvm"},
        {"ovhcloud", TN_DMI_SYS_VENDOR, PREFIX, "OVH", 90},
        {"tencent_cloud", TN_DMI_SYS_VENDOR, PREFIX, "Tencent Cloud", 95},
        {"tencent_cloud", TN_DMI_SYS_VENDOR, PREFIX, "Tencent Cloud", 95, "kvm", "CVM"},
        {"huawei_cloud", TN_DMI_SYS_VENDOR, PREFIX, "HUAWEICLOUD", 95},
        {"huawei_cloud", TN_DMI_CHASSIS_ASSET_TAG, EQUAL, TN_TAG_HUAWEI, 95},
        {"open_telekom_cloud", TN_DMI_CHASSIS_ASSET_TAG, EQUAL, TN_TAG_OTC, 95},
        {"linode", TN_DMI_SYS_VENDOR, PREFIX, "Linode", 95},
        {"linode", TN_DMI_SYS_VENDOR, PREFIX, "Akamai", 90},
        {"cloudsigma", TN_DMI_PRODUCT_NAME, PREFIX, "CloudSigma", 95, "kvm"},
        {"cloudstack", TN_DMI_PRODUCT_NAME, PREFIX, "CloudStack", 95},
        {"smartos", TN_DMI_PRODUCT_NAME, PREFIX, "SmartDC", 90},
        {"outscale", TN_DMI_SYS_VENDOR, PREFIX, "3DS Outscale", 95, "kvm", "3DS Outscale VM"},
        {"zstack", TN_DMI_CHASSIS_ASSET_TAG, EQUAL, TN_TAG_ZSTACK, 90},
        {"brightbox", TN_DMI_PRODUCT_SERIAL, EQUAL, ".brightbox.com", 85},
        {"e24cloud", TN_DMI_SYS_VENDOR, EQUAL, "e24cloud", 95},
        {"nwcs", TN_DMI_SYS_VENDOR, EQUAL, "NWCS", 90},
};

static bool row_matches(const struct row *row, const struct tn_evidence *evidence)
{
        const char *text = tn_evidence_text(evidence, row->item);

        if (row->product && !g_str_has_prefix(tn_evidence_text(evidence, TN_DMI_PRODUCT_NAME), row->product))
                return false;
        switch (row->match) {
        case PREFIX:
                return g_str_has_prefix(text, row->text);
        case EQUAL:
                return g_str_equal(text, row->text);
        case CONTAINS:
                return strstr(text, row->text) != NULL;
        }
        return false;
}

/* On x86, CPUID tells an elastic bare metal instance from a guest. */
static void judge_alibaba_metal(const struct tn_evidence *evidence, struct tn_findings *findings)
{
        struct tn_cpuid regs;

        if (tn_finding_find(findings, TN_DETECT_CLOUD, "alibaba_cloud") &&
            tn_evidence_cpuid(evidence, 1, &regs) && !(regs.ecx >> 31))
                tn_finding_add(findings, TN_DETECT_CLOUD, TN_SOURCE_OTHER, "alibaba_cloud-ebm", 70,
                               "Alibaba in DMI, and CPUID 0x00000001 denies a hypervisor");
}

void tn_cloud_judge(const struct tn_evidence *evidence, struct tn_findings *findings)
{
        struct tn_cpuid regs;
        bool denied = tn_evidence_cpuid(evidence, 1, &regs) && !(regs.ecx >> 31);

        for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
                const struct row *row = &rows[i];

                if (!row_matches(row, evidence))
                        continue;
                tn_finding_add_text(findings, TN_DETECT_CLOUD, TN_SOURCE_OTHER, row->id, row->confidence,
                                    evidence, row->item);
                if (row->guest && !denied)
                        tn_finding_add_text(findings, TN_DETECT_HYPERVISOR, TN_SOURCE_IMPLIED, row->guest,
                                            60, evidence, row->item);
        }
        judge_alibaba_metal(evidence, findings);
}
