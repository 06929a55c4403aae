/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* Descriptors that systemd kept over a restart, and that nobody wants any more. */
#pragma once

#include "agent/agent.h"

/* Disarms a watchdog that was kept armed if the plugin that feeds it does not run: it was disabled or
 * removed since, and without this the machine would be reset. After the plugins have started. */
void tn_stored_release(const struct tn_agent *agent);
