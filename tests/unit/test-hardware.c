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
        assert_json(tn_hardware_watchdogs(&m->env), "[]");
        assert_json(tn_hardware_time(&m->env), "{'realtime': 1700000000000000000, 'ptp': []}");
}

static void test_watchdogs(void **state)
{
        g_autoptr(machine_t) m = machine_new();

        (void) state;
        machine_write(m, "sys/class/watchdog/watchdog0/identity", "i6300ESB timer\n");
        machine_write(m, "sys/class/watchdog/watchdog0/state", "inactive\n");
        machine_write(m, "sys/class/watchdog/watchdog0/timeout", "30\n");
        machine_write(m, "sys/class/watchdog/watchdog0/bootstatus", "0\n");
        machine_write(m, "sys/class/watchdog/watchdog1/timeout", "many\n");
        machine_write(m, "sys/class/watchdog/watchdog1/bootstatus", "-1\n");
        assert_json(
                tn_hardware_watchdogs(&m->env),
                "[{'device': 'watchdog0', 'identity': 'i6300ESB timer', 'state': 'inactive', 'timeout': 30,"
                " 'bootstatus': 0}, {'device': 'watchdog1'}]");
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
        machine_write(m, "sys/class/watchdog/watchdog0/identity", "\xc0\x80\n");
        assert_json(tn_hardware_watchdogs(&m->env),
                    "[{'device': 'watchdog0', 'identity': '\xef\xbf\xbd\xef\xbf\xbd'}]");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_nothing),
                cmocka_unit_test(test_watchdogs),
                cmocka_unit_test(test_time),
                cmocka_unit_test(test_hostile_names),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
