/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* The agent's own commands: sync, ping, info, status. */
#pragma once

#include "tenon/plugin.h"

/* Ended by a NULL name. host->data is the struct tn_agent. */
extern const struct tenon_command tn_core_commands[];
