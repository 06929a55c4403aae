/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * Whatever firmware, kernel and CPUID say, there is an answer; and what was filtered once is not changed by
 * filtering it again, which is what makes a recording faithful.
 */
#include <string.h>

#include "detect/detect.h"
#include "detect/filter.h"
#include "detect/machine.h"
#include "tests/fuzz/fuzz.h"

static const char *const paths[] = {"root/sys/class/dmi/id/sys_vendor",
                                    "root/sys/class/dmi/id/product_name",
                                    "root/sys/class/dmi/id/product_version",
                                    "root/sys/class/dmi/id/product_serial",
                                    "root/sys/class/dmi/id/product_uuid",
                                    "root/sys/class/dmi/id/board_vendor",
                                    "root/sys/class/dmi/id/bios_vendor",
                                    "root/sys/class/dmi/id/chassis_asset_tag",
                                    "root/sys/firmware/dmi/entries/0-0/raw",
                                    "root/sys/firmware/dmi/entries/11-0/raw",
                                    "root/sys/hypervisor/type",
                                    "root/sys/hypervisor/uuid",
                                    "root/sys/hypervisor/properties/features",
                                    "root/proc/cpuinfo",
                                    "root/proc/cmdline",
                                    "root/proc/version",
                                    "root/proc/sysinfo",
                                    "root/proc/self/status",
                                    "root/proc/self/cgroup",
                                    "root/proc/1/cgroup",
                                    "root/proc/1/environ",
                                    "root/run/host/container-manager",
                                    "root/run/systemd/container",
                                    "root/proc/device-tree/hypervisor/compatible",
                                    "root/proc/device-tree/compatible",
                                    "cpuid.txt",
                                    "machine.txt",
                                    NULL};

static const tn_filter filters[] = {
        tn_filter_line,    tn_filter_bytes,   tn_filter_cpuinfo,   tn_filter_cmdline,
        tn_filter_version, tn_filter_sysinfo, tn_filter_lparcfg,   tn_filter_clocksources,
        tn_filter_status,  tn_filter_environ, tn_filter_cgroup,    tn_filter_asset_tag,
        tn_filter_serial,  tn_filter_uuid,    tn_filter_partition,
};

static void check_filters(const char *data, size_t size)
{
        for (size_t i = 0; i < G_N_ELEMENTS(filters); i++) {
                g_autofree char *once = filters[i](data, size);
                g_autofree char *twice = once ? filters[i](once, strlen(once)) : NULL;

                if (filters[i] != tn_filter_bytes)
                        g_assert_cmpstr(once, ==, twice);
        }
        g_free(tn_filter_oem_strings(data, size));
}

static void check_machine(const char *folder)
{
        g_autoptr(tn_detect_t) detect = NULL;
        struct tn_env env;
        json_t *answer;

        if (!tn_machine_open(&env, folder, NULL))
                return;
        detect = tn_detect_run(&env);
        for (size_t i = 0; tn_detect_fact(detect, i); i++) {
                g_assert_cmpuint(tn_detect_fact(detect, i)->confidence, <=, 100);
                g_assert_true(g_utf8_validate(tn_detect_fact(detect, i)->evidence, -1, NULL));
        }
        answer = tn_detect_to_json(detect);
        g_assert_nonnull(answer);
        json_decref(answer);
        tn_machine_close(&env);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        g_autofree char *folder = g_strdup_printf("/proc/self/fd/%d", fuzz_root()->root_fd);

        fuzz_root_unpack(data, size, paths);
        check_machine(folder);
        check_filters((const char *) data, MIN(size, 4096));
        return 0;
}
