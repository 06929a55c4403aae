/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* From what detection found to the words of the catalogue and of the advice. */
#pragma once

#include "detect/detect.h"
#include "pvdrivers/catalogue.h"

/* The maximum on bare metal and on hypervisors that the catalogue has no rows for. */
enum tn_pv_platform tn_platform_of(const struct tn_detect *detect);

/* Programs that may drive the host, whose words the advice is given in: "libvirt", "proxmox", "vmware", …
 * NULL-ended, borrowed; more than one where they cannot be told apart from inside. */
const char *const *tn_platform_hosts(const struct tn_detect *detect);
