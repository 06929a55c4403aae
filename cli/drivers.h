/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* tenonctl drivers and its own verbs. argv[0] is the verb. */
#pragma once

#include <glib.h>

#include "pvdrivers/inventory.h"

int tn_cli_drivers(int argc, char **argv);
