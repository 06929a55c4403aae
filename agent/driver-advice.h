/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* What of the drivers is worth a person's while, in sentences: the short of tenonctl drivers, for those who
 * do not ask. Reads sysfs, opens no device. */
#pragma once

#include <jansson.h>

#include "pvdrivers/catalogue.h"

/* {"state": "ok"|"advice", "advice": [text], "severities": ["critical"|"warning"]} New reference. */
json_t *tn_driver_advice(const struct tn_env *env, const struct tn_catalogue *catalogue,
                         enum tn_pv_platform platform);
