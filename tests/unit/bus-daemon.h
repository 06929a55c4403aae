/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* A bus of the test's own, so that nothing here ever meets the machine's. */
#pragma once

#include <sys/types.h>

struct bus_daemon {
        pid_t pid;
        char address[256];
};

/* For cmocka: *state becomes a struct bus_daemon, and DBUS_SYSTEM_BUS_ADDRESS its address. */
int bus_daemon_start(void **state);
int bus_daemon_end(void **state);
