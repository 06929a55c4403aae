/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * tenon-system-helper: writes for the agent to what its sandbox keeps it from, and ends. Started with
 * systemd-run by the plugins hotplug and power; see tenon-system-helper(8).
 */
#include "plugins/helper/online.h"

int main(int argc, char **argv)
{
        (void) argv;
        return tn_helper_main(&tn_system_helper, argc);
}
