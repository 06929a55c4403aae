/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * CPUs and memory blocks on- and offline, and sleep, through sysfs. A write may take the kernel seconds
 * (migrating pages, sleeping): only for a process that nobody's heartbeat hangs on.
 */
#pragma once

#include "lib/helper.h"

/* What tenon-system-helper can do:
 *
 * set-vcpus {"vcpus": [{"logical-id", "online"}]}: {"processed": number, "stopped-by": text?}; an error only
 * when the first one failed.
 * set-memory-blocks {"mem-blks": [{"phys-index", "online"}]}: an array of GuestMemoryBlockResponse.
 * sleep {"mode": "mem" | "disk" | "hybrid"}: answers after the guest has woken up. */
extern const struct tn_helper tn_system_helper;
