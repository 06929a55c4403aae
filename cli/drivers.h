/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* tenonctl drivers and its own verbs. argv[0] is the verb. */
#pragma once

#include <glib.h>

#include "pvdrivers/inventory.h"

int tn_cli_drivers(int argc, char **argv);
int tn_cli_drivers_prepare(int argc, char **argv);
int tn_cli_drivers_undo(int argc, char **argv);
int tn_cli_drivers_install(int argc, char **argv);
/* @head and below it each text of the array @lines; nothing when there is none. */
void tn_cli_drivers_print_lines(const char *head, const json_t *lines);

/* tn_inventory_to_json() of the machine; a text about each mistake in drivers.d goes to @mistakes (may be
 * NULL). New reference. */
json_t *tn_cli_inventory(const struct tn_env *env, GPtrArray *mistakes);
/* "ens3 vda": the interfaces and disks of a device of it. Free with g_free(). */
char *tn_cli_used_by(const json_t *device);
