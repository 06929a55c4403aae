/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* A recorded machine (detect/machine.h) with its devices and what its kernels say of their modules. */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "lib/env.h"

/* Writes into @dir, which is made or must be empty. Goes in: what detection records, modaliases, driver and
 * class links of devices, lines of the module lists and of modprobe.d that speak of drivers of these devices
 * and of the catalogue. No serial number, address (an interface that is named after one is renamed), command
 * line. */
bool tn_device_record(const struct tn_env *env, const char *dir, GError **error);
