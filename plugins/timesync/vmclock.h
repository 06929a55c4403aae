/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * The page /dev/vmclock0 (include/uapi/linux/vmclock-abi.h; Linux 6.13, QEMU 10, Firecracker, AWS). Its
 * disruption marker changes when the machine was migrated or restored, and it says whether the hypervisor
 * believes its own clock. The same device's time is read as a PTP clock (phc.h).
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "lib/env.h"

#define TN_VMCLOCK_DEVICE "dev/vmclock0"

struct tn_vmclock_page {
        uint32_t seq; /* another with each change of the page */
        uint64_t marker;
        uint64_t generation; /* 0: not there */
        bool notifies;       /* the hypervisor tells the kernel of changes */
        bool unreliable;     /* … or its clock is still being set up */
};

struct tn_vmclock {
        int fd; /* -1: not there */
        bool known;
        struct tn_vmclock_page page; /* as it was read last, when known */
};

enum tn_vmclock_news {
        TN_VMCLOCK_NOTHING,
        TN_VMCLOCK_MIGRATED, /* or the host was disrupted otherwise */
        TN_VMCLOCK_RESTORED, /* from a snapshot */
};

/* False: that is no such page, or one that is being changed. */
bool tn_vmclock_parse(const void *bytes, size_t len, struct tn_vmclock_page *ret);
/* Opens it when it is there. */
void tn_vmclock_open(struct tn_vmclock *vmclock, const struct tn_env *env);
void tn_vmclock_close(struct tn_vmclock *vmclock);
/* Reads the page; what has happened since it was last read. */
enum tn_vmclock_news tn_vmclock_read(struct tn_vmclock *vmclock);
