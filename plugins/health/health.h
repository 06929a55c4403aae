/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* What the files of this plugin share. */
#pragma once

#include <stdbool.h>

#include "tenon/plugin.h"

#define HEALTH_INTERVAL_MS 30000 /* where no setting says anything; the default of the table */

struct health_bus;

/* Whether file systems are frozen, or are being frozen or thawed. */
bool health_is_frozen(struct tenon_host *host);
/* The number in a setting, or @fallback. */
unsigned health_setting(struct tenon_host *host, const char *group, const char *key, unsigned fallback);
