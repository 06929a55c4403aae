/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* One message in the protocol of sd_notify(3): lines KEY=VALUE. Pure; what is not known is passed over. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HEALTH_NOTIFY_MAX 4096 /* bytes of a message, as systemd has it */
#define HEALTH_STATUS_MAX 200  /* bytes that are kept of STATUS= */

struct health_notify {
        bool beat;             /* WATCHDOG=1 */
        bool failed;           /* WATCHDOG=trigger */
        bool ready;            /* READY=1 */
        bool stopping;         /* STOPPING=1 */
        uint64_t timeout_usec; /* WATCHDOG_USEC=; 0: not said */
        bool required;         /* X_TENON_REQUIRED=1 */
        char name[65];         /* X_TENON_REGISTER= or X_TENON_UNREGISTER=; "": neither */
        bool unregister;
        char status[HEALTH_STATUS_MAX + 1]; /* STATUS= */
};

/* False: it is no such message: not UTF-8, or with a NUL byte within, a line without '=', a number that is
 * none. */
bool health_notify_parse(const char *text, size_t len, struct health_notify *ret);
