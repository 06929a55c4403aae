/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * Groups with a name of the administrator's, [check NAME]. Such a group is judged as a whole when all files
 * are read, since what its keys may be depends on its `type`. One with a mistake is not used at all.
 */
#pragma once

#include <stdbool.h>

#include "agent/config.h"

/* @file is where the mistake is, borrowed. */
typedef void (*tn_config_report)(const char *file, const char *what, void *data);

/* NULL, or what is wrong with the name in @group, "check a/b". Static. */
const char *tn_config_group_fault(const char *group);
/* Calls @report for each mistake in what was set in @group. @file: where that group is. */
void tn_config_group_check(const struct tn_config *config, const char *group, const char *file,
                           tn_config_report report, void *data);
