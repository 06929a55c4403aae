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
        assert_json(tn_hardware_drivers(&m->env), "[]");
        assert_json(tn_hardware_time(&m->env), "{'realtime': 1700000000000000000, 'ptp': []}");
}

static void test_drivers(void **state)
{
        g_autoptr(machine_t) m = machine_new();

        (void) state;
        machine_write(m, "sys/bus/virtio/devices/virtio1/x", "");
        machine_write(m, "sys/bus/virtio/devices/virtio0/x", "");
        machine_link(m, "sys/bus/virtio/devices/virtio0/driver",
                     "../../../../bus/virtio/drivers/virtio_net");
        machine_write(m, "sys/bus/xen/devices/vif-0/x", "");
        machine_write(m, "sys/bus/pci/devices/0000:00:01.0/x", ""); /* not paravirtual */
        assert_json(tn_hardware_drivers(&m->env),
                    "[{'bus': 'virtio', 'device': 'virtio0', 'driver': 'virtio_net'},"
                    " {'bus': 'virtio', 'device': 'virtio1', 'driver': null},"
                    " {'bus': 'xen', 'device': 'vif-0', 'driver': null}]");
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
        json_auto_t *drivers = NULL;

        (void) state;
        machine_write(m,
                      "sys/bus/virtio/devices/bad\xff"
                      "name/x",
                      "");
        drivers = tn_hardware_drivers(&m->env);
        assert_string_equal(json_string_value(json_object_get(json_array_get(drivers, 0), "device")),
                            "bad\xef\xbf\xbdname");
}

static void test_too_many(void **state)
{
        g_autoptr(machine_t) m = machine_new();
        json_auto_t *drivers = NULL;

        (void) state;
        for (int i = 0; i < 1100; i++) {
                g_autofree char *path = g_strdup_printf("sys/bus/virtio/devices/virtio%d", i);

                machine_write(m, path, "");
        }
        drivers = tn_hardware_drivers(&m->env);
        assert_int_equal(json_array_size(drivers), 1024);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_nothing),  cmocka_unit_test(test_drivers),
                cmocka_unit_test(test_time),     cmocka_unit_test(test_hostile_names),
                cmocka_unit_test(test_too_many),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
