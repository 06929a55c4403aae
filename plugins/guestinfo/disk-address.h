/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* Where a disk is plugged in, told from its path in sysfs; pure. */
#pragma once

#include <glib.h>
#include <jansson.h>
#include <stdbool.h>

#define TN_DISK_UNKNOWN (-1)

struct tn_disk_address {
        int domain, bus_nr, slot, function; /* of the PCI controller; all TN_DISK_UNKNOWN without one */
        const char *bus_type;               /* a GuestDiskBusType; static */
        int bus, target, unit;
        bool has_ccw; /* s390 channel subsystem */
        int cssid, ssid, subchno, devno;
};

/* What is found along the path; feed it to tn_disk_address_finish(). */
struct tn_disk_path {
        struct tn_disk_address address;
        char *pci_path; /* path of the last PCI function on the way, or NULL; owned */
        int ata;        /* number of the ATA port, or TN_DISK_UNKNOWN */
        int hctl[4];    /* SCSI host, channel, target, LUN; all TN_DISK_UNKNOWN without */
        bool virtio;
};

/* @syspath is relative to the root ("sys/devices/pci0000:00/…/block/vda") and of a whole disk or a
 * partition of it. Always fills *ret, with bus type "unknown" where nothing is known. */
void tn_disk_address_init(struct tn_disk_path *ret, const char *syspath);
void tn_disk_address_deinit(struct tn_disk_path *path);

/* Completes path->address with what is not in the path: @driver is the name of the PCI function's driver,
 * or NULL, and @ata_place is how many ATA ports of the same controller come before this one. */
void tn_disk_address_finish(struct tn_disk_path *path, const char *driver, int ata_place);

/* GuestDiskAddress with all mandatory fields; @serial and @dev may be NULL. New reference. */
json_t *tn_disk_address_json(const struct tn_disk_address *address, const char *serial, const char *dev);
