/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* The generation id of the virtual machine: a hypervisor changes it when the machine is restored from a
 * snapshot or cloned, and some kernels tell (drivers/virt/vmgenid.c, the uevent variable NEW_VMGENID: added
 * by Linux 6.8, removed by 6.9). */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>

struct tn_generation;

/* @changed comes on the main loop after each change. NULL with @error: the kernel's events cannot be had. */
struct tn_generation *tn_generation_new(void (*changed)(void *data), void *data, GError **error);
/* NULL is fine. */
void tn_generation_free(struct tn_generation *generation);

/* Does this event of the kernel's tell of a new generation? @message is strings, each ended by a NUL. */
bool tn_generation_parse(const char *message, size_t len);
