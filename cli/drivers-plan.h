/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* tenonctl drivers plan. argv[0] is the verb. */
#pragma once

int tn_cli_drivers_plan(int argc, char **argv);
