/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* Watchdog devices from sysfs, which of them is armed, and with which timeout. */
#include "support.h"

#include "plugins/watchdog/device.h"
#include "plugins/watchdog/panic.h"

/* One device of the class, as the drivers of Linux 6.1 show it. */
static void add(struct machine *m, const char *name, const char *identity, const char *max)
{
        const char *files[][2] = {{"identity", identity}, {"state", "inactive"}, {"nowayout", "0"},
                                  {"timeout", "30"},      {"bootstatus", "0"},   {"min_timeout", "1"},
                                  {"max_timeout", max}};

        for (size_t i = 0; i < G_N_ELEMENTS(files); i++) {
                g_autofree char *path = g_strdup_printf("sys/class/watchdog/%s/%s", name, files[i][0]);

                machine_write(m, path, files[i][1]);
        }
}

static char *chosen(struct machine *m, const char *wanted, bool on_purpose)
{
        g_autoptr(GPtrArray) devices = watchdog_devices_read(&m->env);
        char *why = NULL;
        const struct watchdog_device *device = watchdog_devices_choose(devices, wanted, on_purpose, &why);

        assert_true(!device != !why);
        return device ? g_strdup(device->name) : why;
}

#define assert_chosen(m, wanted, on_purpose, text)                                                          \
        do {                                                                                                \
                g_autofree char *got = chosen(m, wanted, on_purpose);                                       \
                assert_contains(got, text);                                                                 \
        } while (false)

static void test_nothing(void **state)
{
        g_autoptr(machine_t) m = machine_new();
        g_autoptr(GPtrArray) devices = watchdog_devices_read(&m->env);

        assert_int_equal(devices->len, 0);
        assert_json(watchdog_devices_to_json(devices, true), "[]");
        assert_chosen(m, NULL, false, "no watchdog device; its module may not be loaded");
        assert_chosen(m, "i6300esb", true, "device=i6300esb: there is no such watchdog");
}

static void test_json(void **state)
{
        g_autoptr(machine_t) m = machine_new();
        g_autoptr(GPtrArray) devices = NULL;
        json_auto_t *list = NULL, *wanted = NULL;

        add(m, "watchdog0", "i6300ESB timer", "2046");
        machine_write(m, "sys/class/watchdog/watchdog0/timeleft", "7");
        machine_write(m, "sys/class/watchdog/watchdog0/state", "active");
        machine_write(m, "sys/class/watchdog/watchdog0/bootstatus", "32");
        machine_write(m, "sys/class/watchdog/watchdog1/timeout", "many");
        machine_write(m, "sys/class/watchdog/watchdog1/identity", "\xc0\x80");
        devices = watchdog_devices_read(&m->env);
        list = watchdog_devices_to_json(devices, true);
        json_object_del(json_array_get(list, 0), "why");
        wanted = json_of("{'device': 'watchdog0', 'driver': 'i6300esb', 'identity': 'i6300ESB timer',"
                         " 'state': 'active', 'timeout': 30, 'min-timeout': 1, 'max-timeout': 2046,"
                         " 'bootstatus': 32, 'timeleft': 7}");
        assert_true(json_equal(json_array_get(list, 0), wanted));
        assert_string_equal(json_string_value(json_object_get(json_array_get(list, 1), "identity")),
                            "\xef\xbf\xbd\xef\xbf\xbd");
        assert_null(json_object_get(json_array_get(list, 1), "timeout"));
}

static void test_best_is_chosen(void **state)
{
        g_autoptr(machine_t) m = machine_new();

        add(m, "watchdog0", "Software Watchdog", "65535");
        assert_chosen(m, NULL, true, "last resort");
        assert_chosen(m, NULL, false, "watchdog0");
        add(m, "watchdog1", "something new", "100");
        assert_chosen(m, NULL, false, "watchdog1");
        assert_chosen(m, NULL, true, "a driver that Tenon does not know");
        add(m, "watchdog2", "iTCO_wdt", "0");
        assert_chosen(m, NULL, false, "watchdog2");
        add(m, "watchdog3", "i6300ESB timer", "2046");
        assert_chosen(m, NULL, false, "watchdog3");
        assert_chosen(m, NULL, true, "watchdog3");
        assert_chosen(m, "softdog", true, "watchdog0");
        assert_chosen(m, "/dev/watchdog1", true, "watchdog1");
        assert_chosen(m, "iTCO_wdt", true, "watchdog2");
}

static void test_strap_of_tco(void **state)
{
        g_autoptr(machine_t) m = machine_new();

        add(m, "watchdog0", "iTCO_wdt", "0");
        machine_write(m, "sys/class/dmi/id/product_version", "pc-q35-7.2");
        assert_chosen(m, NULL, false, "the host's strap disables it unless");
        assert_chosen(m, "iTCO_wdt", false, "watchdog0"); /* whoever names it knows better */
        machine_write(m, "sys/class/dmi/id/product_version", "pc-q35-8.0");
        assert_chosen(m, NULL, false, "watchdog0");
        machine_write(m, "sys/class/dmi/id/product_version", "pc-q35-10.1");
        assert_chosen(m, NULL, false, "watchdog0");
}

static void test_tco_that_the_driver_refused(void **state)
{
        g_autoptr(machine_t) m = machine_new();

        machine_write(m, "sys/bus/platform/devices/iTCO_wdt.1.auto/modalias", "platform:iTCO_wdt");
        assert_chosen(m, NULL, false, "its module may not be loaded");
        machine_write(m, "sys/module/iTCO_wdt/refcnt", "0");
        assert_chosen(m, NULL, false, "present, but the host's strap disables it");
        assert_chosen(m, "iTCO_wdt", false, "present, but the host's strap disables it");
}

static void test_ib700_only_by_name(void **state)
{
        g_autoptr(machine_t) m = machine_new();

        machine_write(m, "sys/bus/platform/drivers/ib700wdt/ib700wdt/uevent", "");
        machine_write(m, "dev/watchdog", "");
        assert_chosen(m, NULL, false, "cannot be probed for");
        assert_chosen(m, "ib700wdt", false, "watchdog");
}

static void assert_timeout(struct machine *m, unsigned wanted, unsigned got, const char *refused)
{
        g_autoptr(GPtrArray) devices = watchdog_devices_read(&m->env);
        g_autoptr(GError) error = NULL;
        unsigned seconds = 0;
        bool ok = watchdog_device_timeout(g_ptr_array_index(devices, 0), wanted, &seconds, &error);

        assert_int_equal(seconds, got);
        assert_true(ok == !refused);
        if (refused)
                assert_contains(error->message, refused);
}

static void test_timeout_of_the_class(void **state)
{
        g_autoptr(machine_t) m = machine_new();

        add(m, "watchdog0", "i6300ESB timer", "2046");
        assert_timeout(m, 0, 60, NULL);
        assert_timeout(m, 1, 1, NULL);
        assert_timeout(m, 2046, 2046, NULL);
        assert_timeout(m, 2047, 0,
                       "timeout-seconds=2047 in [watchdog]: watchdog0 (i6300ESB timer) takes 1 to 2046");
        machine_write(m, "sys/class/watchdog/watchdog0/min_timeout", "90");
        assert_timeout(m, 0, 90, NULL);
        assert_timeout(m, 89, 0, "takes 90 to 2046 seconds");
}

static void test_timeout_of_the_table(void **state)
{
        g_autoptr(machine_t) m = machine_new();

        machine_write(m, "sys/bus/platform/drivers/ib700wdt/ib700wdt/uevent", "");
        machine_write(m, "dev/watchdog", "");
        assert_timeout(m, 0, 30, NULL);
        assert_timeout(m, 31, 0, "takes 1 to 30 seconds");
}

static void test_panic_devices(void **state)
{
        g_autoptr(machine_t) m = machine_new();

        assert_json(watchdog_panic_to_json(&m->env), "[]");
        machine_write(m, "sys/bus/pci/devices/0000:00:02.0/vendor", "0x1b36");
        machine_write(m, "sys/bus/pci/devices/0000:00:02.0/device", "0x0011");
        machine_write(m, "sys/bus/pci/devices/0000:00:02.0/capability", "3");
        machine_write(m, "sys/bus/pci/devices/0000:00:02.0/events", "1");
        machine_link(m, "sys/bus/pci/devices/0000:00:02.0/driver", "../../../bus/pci/drivers/pvpanic-pci");
        machine_write(m, "sys/bus/pci/devices/0000:00:03.0/vendor", "0x8086");
        machine_write(m, "sys/bus/platform/devices/QEMU0001:00/modalias", "acpi:QEMU0001:");
        assert_json(watchdog_panic_to_json(&m->env),
                    "[{'device': '0000:00:02.0', 'driver': 'pvpanic-pci', 'capability': ['panicked', "
                    "'crash-loaded'],"
                    " 'events': ['panicked']}, {'device': 'QEMU0001:00', 'driver': null}]");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_nothing),
                cmocka_unit_test(test_json),
                cmocka_unit_test(test_best_is_chosen),
                cmocka_unit_test(test_strap_of_tco),
                cmocka_unit_test(test_tco_that_the_driver_refused),
                cmocka_unit_test(test_ib700_only_by_name),
                cmocka_unit_test(test_timeout_of_the_class),
                cmocka_unit_test(test_timeout_of_the_table),
                cmocka_unit_test(test_panic_devices),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
