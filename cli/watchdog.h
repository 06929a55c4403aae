/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* tenonctl watchdog: its actions. argv[0] is the verb. */
#pragma once

int tn_cli_watchdog_status(int argc, char **argv);
int tn_cli_watchdog_arm(int argc, char **argv);
int tn_cli_watchdog_disarm(int argc, char **argv);
int tn_cli_watchdog_test(int argc, char **argv);
