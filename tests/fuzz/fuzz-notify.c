/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* A heartbeat's datagram, as any program of the guest can send it. */
#include <glib.h>
#include <string.h>

#include "plugins/health/notify.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct health_notify notify;

        if (!health_notify_parse((const char *) data, size, &notify))
                return 0;
        g_assert_nonnull(memchr(notify.name, '\0', sizeof notify.name));
        g_assert_true(g_utf8_validate(notify.status, -1, NULL));
        g_assert_cmpuint(strlen(notify.status), <=, HEALTH_STATUS_MAX);
        return 0;
}
