/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* The parts of the check root-device. Each adds what it finds and tells how much that was. */
#pragma once

#include "pvdrivers/checks/check.h"

/* May @name lead to another disk, or to none, on the target? */
bool tn_device_names_changes(const struct tn_check_context *context, const char *name);
/* Adds a finding about @name in a line of a file. Borrowed. */
struct tn_check *tn_device_names_add(struct tn_check_context *context, enum tn_verdict verdict,
                                     const char *file, unsigned line, const char *name);

unsigned tn_device_names_tables(struct tn_check_context *context);  /* fstab, crypttab */
unsigned tn_device_names_options(struct tn_check_context *context); /* root= and resume= */
unsigned tn_device_names_layers(struct tn_check_context *context);  /* LVM, RAID, multipath */
unsigned tn_device_names_others(struct tn_check_context *context);  /* units, udev rules, daemons */
