/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* `tenonctl detect`: what this machine is, or what a recorded one was. */
#pragma once

/* argv[0] is "detect". Returns the exit status: 0 virtual machine or container (and: recorded), 1 bare
 * metal, 2 wrong usage or an error that stderr tells. */
int tn_cli_detect(int argc, char **argv);
