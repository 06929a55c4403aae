/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * Judges the devices. A row of the catalogue counts where it is for the platform that the guest runs on; a
 * virtio device is paravirtual everywhere. What is in no row is emulated when a row says that it replaces
 * its driver and the PCI subsystem is a hypervisor's: the same driver may drive a card that was passed
 * through.
 */
#include "pvdrivers/judge.h"

#include <string.h>

#include "lib/json.h"

static const char *const kind_names[] = {"paravirtual", "emulated", "other"};

/* Parts of the modaliases of devices that hypervisors play: PCI subsystem vendors (Red Hat, VMware,
 * VirtualBox, Xen, Microsoft), and USB vendors (QEMU has two, VMware, VirtualBox). */
static const char *const played[] = {"sv00001AF4", "sv000015AD", "sv000080EE", "sv00005853", "sv00001414",
                                     "usb:v0627",  "usb:v46F4",  "usb:v0E0F",  "usb:v80EE"};

const char *tn_judge_kind_name(enum tn_judge_kind kind)
{
        return kind_names[kind];
}

static bool on_platform(const struct tn_pv_driver *row, enum tn_pv_platform platform)
{
        return platform < _TN_PV_PLATFORM_MAX && (row->platforms & TN_PV_ON(platform));
}

/* The row of a device: of this platform, else of any on a bus that only guests have. */
static const struct tn_pv_driver *find_row(const struct tn_catalogue *catalogue,
                                           const struct tn_device *device, enum tn_pv_platform platform)
{
        bool guests_only = g_str_equal(device->bus, "virtio") || g_str_equal(device->bus, "vmbus") ||
                           g_str_equal(device->bus, "xen");
        const struct tn_pv_driver *row, *elsewhere = NULL;

        for (size_t i = 0; device->modalias && (row = tn_catalogue_at(catalogue, i)); i++) {
                if (!row->match || !tn_catalogue_driver_matches(row, device->modalias))
                        continue;
                if (on_platform(row, platform))
                        return row;
                if (!elsewhere)
                        elsewhere = row;
        }
        return guests_only || (elsewhere && g_str_equal(elsewhere->module, "virtio_pci")) ? elsewhere : NULL;
}

/* The paravirtual driver of this platform that stands for @module. */
static const struct tn_pv_driver *find_better(const struct tn_catalogue *catalogue, const char *module,
                                              enum tn_pv_platform platform)
{
        const struct tn_pv_driver *row;

        for (size_t i = 0; module && (row = tn_catalogue_at(catalogue, i)); i++)
                if (on_platform(row, platform) && !(row->flags & TN_PV_EMULATED) &&
                    tn_catalogue_list_has(row->replaces, module))
                        return row;
        return NULL;
}

static bool is_played(const struct tn_device *device)
{
        for (size_t i = 0; device->modalias && i < G_N_ELEMENTS(played); i++)
                if (strstr(device->modalias, played[i]))
                        return true;
        return false;
}

/* From sysfs where a driver is bound, else by name: drivers of PCI are called as their modules, more or
 * less. */
static char *module_of(const struct tn_device *device, const struct tn_pv_driver *row)
{
        if (device->module)
                return g_strdelimit(g_strdup(device->module), "-", '_');
        if (row)
                return g_strdup(row->module);
        return device->driver ? g_strdelimit(g_strdup(device->driver), "-", '_') : NULL;
}

static void judge_kind(const struct tn_catalogue *catalogue, enum tn_pv_platform platform,
                       struct tn_judgement *judgement)
{
        const struct tn_pv_driver *better = find_better(catalogue, judgement->module, platform);

        judgement->kind = TN_JUDGE_OTHER;
        judgement->role = _TN_PV_ROLE_MAX;
        if (judgement->row) {
                judgement->kind = judgement->row->flags & TN_PV_EMULATED ? TN_JUDGE_EMULATED
                                                                         : TN_JUDGE_PARAVIRTUAL;
                judgement->role = judgement->row->role;
        } else if (better && is_played(judgement->device)) {
                judgement->kind = TN_JUDGE_EMULATED;
                judgement->role = better->role;
        }
        if (judgement->kind == TN_JUDGE_EMULATED)
                judgement->better = better;
}

/* A controller without a disk (q35's AHCI with nothing but a CD drive) is not worth a change. */
static void drop_useless_advice(struct tn_judgement *judgement)
{
        const struct tn_device *device = judgement->device;

        if (judgement->role == TN_PV_STORAGE && device->disks->len == 0)
                judgement->better = NULL;
}

/* Of buses that are full of parts of the board only what the catalogue knows. */
static bool worth_a_line(const struct tn_judgement *judgement)
{
        const char *bus = judgement->device->bus;

        return judgement->kind != TN_JUDGE_OTHER ||
               !(g_str_equal(bus, "acpi") || g_str_equal(bus, "platform") || g_str_equal(bus, "usb") ||
                 g_str_equal(bus, "dmi"));
}

/* Firmware's devices are on two buses, acpi and platform; the one that has the driver is told. */
static bool is_double(const GPtrArray *devices, const struct tn_device *device)
{
        bool acpi = g_str_equal(device->bus, "acpi");

        if (device->driver || (!acpi && !g_str_equal(device->bus, "platform")))
                return false;
        for (guint i = 0; i < devices->len; i++) {
                const struct tn_device *other = devices->pdata[i];

                if (other != device && g_str_equal(other->name, device->name) &&
                    (acpi ? g_str_equal(other->bus, "platform") : other->driver != NULL))
                        return true;
        }
        return false;
}

bool tn_judge(const struct tn_catalogue *catalogue, enum tn_pv_platform platform, const GPtrArray *devices,
              const struct tn_device *device, struct tn_judgement *ret)
{
        struct tn_judgement judgement = {.device = device};

        if (is_double(devices, device))
                return false;
        judgement.row = find_row(catalogue, device, platform);
        judgement.module = module_of(device, judgement.row);
        judge_kind(catalogue, platform, &judgement);
        drop_useless_advice(&judgement);
        if (!worth_a_line(&judgement)) {
                tn_judge_clear(&judgement);
                return false;
        }
        *ret = judgement;
        return true;
}

void tn_judge_clear(struct tn_judgement *judgement)
{
        g_clear_pointer(&judgement->module, g_free);
}

static void set_names(json_t *object, const char *key, const GPtrArray *list)
{
        if (list->len > 0)
                json_object_set_new(object, key, tn_json_texts(list));
}

json_t *tn_judge_to_json(const struct tn_judgement *judgement)
{
        const struct tn_device *device = judgement->device;
        json_t *object = json_object();
        const char *role = judgement->role < _TN_PV_ROLE_MAX ? tn_catalogue_role_name(judgement->role)
                                                             : NULL;

        json_object_set_new(object, "bus", json_string(device->bus));
        json_object_set_new(object, "device", tn_json_text(device->name));
        tn_json_set_text(object, "parent", device->parent ? device->parent->name : NULL);
        tn_json_set_text(object, "modalias", device->modalias);
        json_object_set_new(object, "kind", json_string(kind_names[judgement->kind]));
        json_object_set_new(object, "role", tn_json_text(role));
        json_object_set_new(object, "driver", tn_json_text(device->driver));
        json_object_set_new(object, "module", tn_json_text(judgement->module));
        set_names(object, "interfaces", device->interfaces);
        set_names(object, "disks", device->disks);
        return object;
}

json_t *tn_judge_machine(const struct tn_env *env, const struct tn_catalogue *catalogue,
                         enum tn_pv_platform platform)
{
        g_autoptr(GPtrArray) devices = tn_device_list(env);
        json_t *list = json_array();

        for (guint i = 0; i < devices->len; i++) {
                struct tn_judgement judgement;

                if (!tn_judge(catalogue, platform, devices, devices->pdata[i], &judgement))
                        continue;
                if (judgement.kind != TN_JUDGE_OTHER)
                        json_array_append_new(list, tn_judge_to_json(&judgement));
                tn_judge_clear(&judgement);
        }
        return list;
}
