/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* tenonctl drivers and its own verbs. argv[0] is the verb. */
#pragma once

#include <glib.h>

#include "pvdrivers/inventory.h"

int tn_cli_drivers(int argc, char **argv);

/* tn_inventory_to_json() of the machine; a text about each mistake in drivers.d goes to @mistakes (may be
 * NULL). New reference. */
json_t *tn_cli_inventory(const struct tn_env *env, GPtrArray *mistakes);
/* "ens3 vda": the interfaces and disks of a device of it. Free with g_free(). */
char *tn_cli_used_by(const json_t *device);
