/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* The drivers that Tenon knows, the best one first: a table. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct watchdog_driver {
        const char *module;   /* as settings and modprobe name it */
        const char *identity; /* as the kernel tells it, in sysfs and by WDIOC_GETSUPPORT */
        /* A machine has it only because somebody gave it to this guest: mode auto arms it. */
        bool on_purpose;
        bool by_name_only; /* never chosen unless device= names it */
        bool software;     /* dies with the kernel */
        /* Seconds, for drivers that do not say what they take. 0: not known. */
        unsigned min_seconds, max_seconds;
        unsigned expiries; /* timeouts that pass until the reset */
        const char *why;   /* why it stands at this place */
};

extern const struct watchdog_driver watchdog_drivers[];
extern const size_t watchdog_drivers_len;

/* By what the kernel tells, or NULL. */
const struct watchdog_driver *watchdog_driver_find(const char *identity);
/* Its place in the order; one that is not known stands between hardware and software. */
size_t watchdog_driver_rank(const struct watchdog_driver *driver);
