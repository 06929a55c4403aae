/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * sysfs path → disk address, in the numbers that libvirt compares with its own: for IDE the port is the bus,
 * for AHCI it is the unit, the old LSI SCSI has its SCSI id as unit, all other SCSI is
 * channel:target:lun. The surprising thing: kinds along a path override each other by rank, not by order,
 * since a USB stick is also a SCSI disk and so is a virtio-scsi one.
 */
#include "plugins/guestinfo/disk-address.h"

#include <stdio.h>
#include <string.h>

#include "lib/json.h"
#include "plugins/guestinfo/guestinfo.h"

/* A path component that begins so and goes on with a digit (or ends, where there is no number) says: this
 * is at least of that kind. */
static const struct {
        const char *prefix;
        const char *bus_type;
        int rank;
} kinds[] = {
        {"virtual", "virtual", 1}, {"virtio", "virtio", 2},
        {"host", "scsi", 3},       {"ata", "sata", 4},
        {"usb", "usb", 4},         {"fw", "ieee1394", 4},
        {"rport-", "fibre", 5},    {"session", "iscsi", 5},
        {"end_device-", "sas", 5}, {"nvme", "nvme", 4},
        {"mmc", "mmc", 4},         {"vbd-", "xen", 4},
        {"floppy.", "fdc", 4},     {"loop", "file-backed-virtual", 4},
        {"uml-blkdev.", "uml", 4},
};

enum numbering { BY_PATH, PORT_IS_BUS, PORT_IS_UNIT, TARGET_IS_UNIT, LOGICAL_FROM_2 };

/* Drivers of PCI controllers that say more than the path does. A name that ends in '_' is a prefix. */
static const struct {
        const char *driver;
        const char *bus_type;
        enum numbering numbering;
} controllers[] = {
        {"ahci", "sata", PORT_IS_UNIT},
        {"ata_piix", "ide", PORT_IS_BUS}, /* QEMU's PIIX, also VMware's IDE */
        {"ata_generic", "ide", PORT_IS_BUS},
        {"pata_", "ide", PORT_IS_BUS},
        {"sata_", "sata", PORT_IS_UNIT},
        {"sym53c8xx", "scsi", TARGET_IS_UNIT}, /* libvirt's model "lsilogic": scsi-id = unit */
        {"mptsas", "sas", BY_PATH},
        {"mpt3sas", "sas", BY_PATH},
        {"megaraid_sas", "raid", LOGICAL_FROM_2}, /* logical drives are on channels 2 and 3 */
        {"aacraid", "raid", BY_PATH},
        {"hpsa", "raid", BY_PATH},
        {"smartpqi", "raid", BY_PATH},
};

static bool take_pci(struct tn_disk_address *address, const char *name)
{
        unsigned domain, bus, slot, function;
        int end = 0;

        if (sscanf(name, "%8x:%2x:%2x.%1x%n", &domain, &bus, &slot, &function, &end) != 4 || name[end])
                return false;
        address->domain = (int) domain;
        address->bus_nr = (int) bus;
        address->slot = (int) slot;
        address->function = (int) function;
        return true;
}

static void take_hctl(struct tn_disk_path *path, const char *name)
{
        unsigned h, c, t, l;
        int end = 0;

        if (sscanf(name, "%9u:%9u:%9u:%9u%n", &h, &c, &t, &l, &end) != 4 || name[end])
                return;
        /* virtio-scsi numbers its LUNs from 256 on in SAM's flat space addressing. */
        if (path->virtio && (l & 0xc000U) == 0x4000U)
                l &= 0x3fffU;
        path->hctl[0] = (int) h;
        path->hctl[1] = (int) c;
        path->hctl[2] = (int) t;
        path->hctl[3] = (int) l;
}

/* css0/0.0.<subchannel>/0.0.<device>: the first such name below css is the subchannel. */
static void take_ccw(struct tn_disk_address *address, const char *name, int *depth)
{
        unsigned cssid, ssid, number;
        int end = 0;

        if (sscanf(name, "%2x.%1x.%4x%n", &cssid, &ssid, &number, &end) != 3 || name[end])
                return;
        address->cssid = (int) cssid;
        address->ssid = (int) ssid;
        if ((*depth)++ == 0)
                address->subchno = (int) number;
        else
                address->devno = (int) number;
        address->has_ccw = *depth == 2;
}

static void take_kind(struct tn_disk_path *path, const char *name, int *rank)
{
        for (size_t i = 0; i < G_N_ELEMENTS(kinds); i++) {
                size_t n = strlen(kinds[i].prefix);

                if (strncmp(name, kinds[i].prefix, n) != 0 || (name[n] && !g_ascii_isdigit(name[n])))
                        continue;
                if (kinds[i].rank >= *rank) {
                        *rank = kinds[i].rank;
                        path->address.bus_type = kinds[i].bus_type;
                }
                return;
        }
}

void tn_disk_address_init(struct tn_disk_path *ret, const char *syspath)
{
        g_auto(GStrv) names = g_strsplit(syspath, "/", -1);
        g_autoptr(GString) so_far = g_string_new(NULL);
        int rank = 0, ccw_depth = 0;
        bool css = false;
        guint64 ata;

        *ret = (struct tn_disk_path){
                .address = {.domain = TN_DISK_UNKNOWN,
                            .bus_nr = TN_DISK_UNKNOWN,
                            .slot = TN_DISK_UNKNOWN,
                            .function = TN_DISK_UNKNOWN,
                            .bus_type = "unknown"},
                .ata = TN_DISK_UNKNOWN,
                .hctl = {TN_DISK_UNKNOWN, TN_DISK_UNKNOWN, TN_DISK_UNKNOWN, TN_DISK_UNKNOWN},
        };
        for (size_t i = 0; names[i]; i++) {
                g_string_append_printf(so_far, "%s%s", i ? "/" : "", names[i]);
                if (take_pci(&ret->address, names[i])) {
                        g_free(ret->pci_path);
                        ret->pci_path = g_strdup(so_far->str);
                }
                if (tn_guestinfo_numbered(names[i], "ata", &ata))
                        ret->ata = (int) ata;
                ret->virtio |= g_str_has_prefix(names[i], "virtio") && g_ascii_isdigit(names[i][6]);
                css |= g_str_has_prefix(names[i], "css");
                take_hctl(ret, names[i]);
                if (css)
                        take_ccw(&ret->address, names[i], &ccw_depth);
                take_kind(ret, names[i], &rank);
        }
}

void tn_disk_address_deinit(struct tn_disk_path *path)
{
        g_clear_pointer(&path->pci_path, g_free);
}

static bool driver_fits(const char *driver, const char *pattern)
{
        return g_str_has_suffix(pattern, "_") ? g_str_has_prefix(driver, pattern)
                                              : strcmp(driver, pattern) == 0;
}

static void number_by(struct tn_disk_path *path, enum numbering numbering, int ata_place)
{
        struct tn_disk_address *address = &path->address;

        switch (numbering) {
        case PORT_IS_BUS:
                address->bus = ata_place;
                address->target = 0;
                address->unit = path->hctl[2] == TN_DISK_UNKNOWN ? 0 : path->hctl[2];
                break;
        case PORT_IS_UNIT:
                address->bus = 0;
                address->target = 0;
                address->unit = ata_place;
                break;
        case TARGET_IS_UNIT:
                address->bus = 0;
                address->target = 0;
                address->unit = path->hctl[2] == TN_DISK_UNKNOWN ? 0 : path->hctl[2];
                break;
        case BY_PATH:
        case LOGICAL_FROM_2:
                if (path->hctl[0] == TN_DISK_UNKNOWN)
                        break;
                address->bus = path->hctl[1];
                if (numbering == LOGICAL_FROM_2 && address->bus >= 2)
                        address->bus -= 2;
                address->target = path->hctl[2];
                address->unit = path->hctl[3];
                break;
        }
}

void tn_disk_address_finish(struct tn_disk_path *path, const char *driver, int ata_place)
{
        enum numbering numbering = path->ata == TN_DISK_UNKNOWN ? BY_PATH : PORT_IS_UNIT;

        for (size_t i = 0; driver && i < G_N_ELEMENTS(controllers); i++) {
                if (!driver_fits(driver, controllers[i].driver))
                        continue;
                numbering = controllers[i].numbering;
                path->address.bus_type = controllers[i].bus_type;
                break;
        }
        number_by(path, numbering, ata_place);
}

static void set_int(json_t *object, const char *key, int value)
{
        (void) json_object_set_new(object, key, json_integer(value));
}

json_t *tn_disk_address_json(const struct tn_disk_address *address, const char *serial, const char *dev)
{
        json_t *reply = json_object(), *pci = json_object(), *ccw;

        set_int(pci, "domain", address->domain);
        set_int(pci, "bus", address->bus_nr);
        set_int(pci, "slot", address->slot);
        set_int(pci, "function", address->function);
        (void) json_object_set_new(reply, "pci-controller", pci);
        tn_json_set_text(reply, "bus-type", address->bus_type);
        set_int(reply, "bus", address->bus);
        set_int(reply, "target", address->target);
        set_int(reply, "unit", address->unit);
        tn_json_set_text(reply, "serial", serial);
        tn_json_set_text(reply, "dev", dev);
        if (address->has_ccw) {
                ccw = json_object();
                set_int(ccw, "cssid", address->cssid);
                set_int(ccw, "ssid", address->ssid);
                set_int(ccw, "subchno", address->subchno);
                set_int(ccw, "devno", address->devno);
                (void) json_object_set_new(reply, "ccw-address", ccw);
        }
        return reply;
}
