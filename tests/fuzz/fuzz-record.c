/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* What the watchdog finds after a reset: its own record, and the kernel's last words in pstore. */
#include <string.h>

#include "plugins/watchdog/cause.h"
#include "tests/fuzz/fuzz.h"

static const char *const paths[] = {"var/lib/tenon/watchdog.json", "sys/fs/pstore/dmesg-efi-1",
                                    "proc/sys/kernel/random/boot_id", NULL};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        const struct tn_env *env = fuzz_root();
        g_autoptr(GPtrArray) devices = g_ptr_array_new();
        g_autofree char *panic = NULL;
        struct watchdog_record *record;

        fuzz_root_unpack(data, size, paths);
        record = watchdog_record_new(env, "/var/lib/tenon");
        panic = watchdog_cause_read_panic(env, 0);
        (void) watchdog_cause_is_due(record, devices);
        (void) watchdog_cause_examine(record, env, devices, 3, 10);
        g_assert_true(json_is_object(watchdog_record_get(record)));
        watchdog_record_free(record);
        return 0;
}
