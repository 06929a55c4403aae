/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* passwd(5) and group(5), by which [heartbeat] names who may register: root is let in, and the user that
 * cannot be is not. */
#include <string.h>

#include "plugins/health/access.h"
#include "tests/fuzz/fuzz.h"

static const char *config(struct tenon_host *host, const char *group, const char *key)
{
        return strcmp(key, "users") == 0            ? "alice,@team,1003"
               : strcmp(key, "required-users") == 0 ? "bob"
                                                    : NULL;
}

static G_GNUC_PRINTF(3, 4) void log_nothing(struct tenon_host *host, int level, const char *format, ...)
{
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        static const char *const paths[] = {"etc/passwd", "etc/group", NULL};
        struct tenon_host host = {.env = fuzz_root(), .config = config, .log = log_nothing};
        const struct heartbeat_peer root = {.root = true}, nobody = {.uid = (uid_t) -1};
        struct health_access *access;

        fuzz_root_unpack(data, size, paths);
        access = health_access_new(&host);
        g_assert_true(health_access_check(access, &root, true, NULL));
        g_assert_false(health_access_check(access, &nobody, false, NULL));
        health_access_free(access);
        return 0;
}
