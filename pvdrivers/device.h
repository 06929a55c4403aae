/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* The devices of a machine as sysfs shows them, without a judgement. */
#pragma once

#include <glib.h>

#include "lib/env.h"

#define TN_DEVICES_MAX 1024 /* a hostile host may plug in any number */

struct tn_device {
        const char *bus; /* "pci", "virtio", "vmbus", "xen", "acpi", "platform", "usb", "dmi"; static */
        char *name;      /* "0000:00:03.0" */
        char *path;      /* "devices/pci0000:00/0000:00:03.0", below sys/ */
        char *modalias;  /* NULL where there is none */
        char *driver;    /* bound driver as sysfs names it, "virtio-pci", or NULL */
        char *module;    /* module of that driver, or NULL: none bound, or built in */
        GPtrArray *interfaces;          /* names of the network interfaces that it makes */
        GPtrArray *disks;               /* names of the disks on it; CD drives are none */
        const struct tn_device *parent; /* the device of the list that it sits on, or NULL */
};

/* Where the disk or interface @name of @class ("block", "net") is, below sys/; NULL for one that no device
 * of a bus makes: software, partitions, CD drives. Free with g_free(). */
char *tn_device_leaf_path(const struct tn_env *env, const char *class, const char *name);

/* Of struct tn_device, in the order of the buses and of the names there. Free with g_ptr_array_unref(). */
GPtrArray *tn_device_list(const struct tn_env *env);
