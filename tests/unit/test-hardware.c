/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* Hardware facts from a made sysfs, and from one that a hostile host made. */
#include "support.h"

#include <stdio.h>
#include <string.h>

#include "agent/hardware.h"

static void test_nothing(void **state)
{
        g_autoptr(machine_t) m = machine_new();

        (void) state;
        assert_json(tn_hardware_time(&m->env), "{'realtime': 1700000000000000000, 'ptp': []}");
}

static void test_time(void **state)
{
        g_autoptr(machine_t) m = machine_new();

        (void) state;
        machine_write(m, "sys/devices/system/clocksource/clocksource0/current_clocksource", "kvm-clock\n");
        machine_write(m, "sys/class/ptp/ptp0/clock_name", "KVM virtual PTP\n");
        machine_write(m, "sys/class/ptp/ptp1/other", "");
        m->realtime_usec = 5;
        assert_json(tn_hardware_time(&m->env),
                    "{'realtime': 5000, 'clocksource': 'kvm-clock', 'ptp': ['KVM virtual PTP']}");
}

static void test_hostile_names(void **state)
{
        g_autoptr(machine_t) m = machine_new();

        (void) state;
        machine_write(m, "sys/class/ptp/ptp0/clock_name", "\xc0\x80\n");
        assert_json(tn_hardware_time(&m->env),
                    "{'realtime': 1700000000000000000, 'ptp': ['\xef\xbf\xbd\xef\xbf\xbd']}");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_nothing),
                cmocka_unit_test(test_time),
                cmocka_unit_test(test_hostile_names),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
