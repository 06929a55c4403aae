/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* Why the machine was reset, and when the brake is pulled. */
#include "support.h"

#include "plugins/watchdog/cause.h"

#define STARVED "{'boot-id': 'old', 'reason': 'the disk is full', 'since': 5, 'test': false}"
#define ARMED   "{'boot-id': 'old', 'device': 'watchdog0', 'identity': 'i6300ESB timer', 'since': 5}"

static void assert_cause(bool card_reset, const char *starved, const char *armed, const char *panic,
                         const char *wanted, bool counts)
{
        json_auto_t *starved_member = starved ? json_of(starved) : NULL,
                    *armed_member = armed ? json_of(armed) : NULL;
        struct watchdog_evidence evidence = {.card_reset = card_reset,
                                             .starved = starved_member,
                                             .armed = armed_member,
                                             .panic = panic,
                                             .now = 9};
        json_auto_t *cause = watchdog_cause_find(&evidence);

        if (!wanted) {
                assert_null(cause);
                return;
        }
        assert_string_equal(json_string_value(json_object_get(cause, "cause")), wanted);
        assert_true(json_is_true(json_object_get(cause, "counts")) == counts);
        assert_int_equal(json_integer_value(json_object_get(cause, "time")), 9);
}

static void test_causes(void **state)
{
        assert_cause(false, NULL, NULL, NULL, NULL, false);
        assert_cause(true, STARVED, ARMED, NULL, "starved", true);
        assert_cause(false, STARVED, ARMED, NULL, "starved", true); /* softdog does not tell */
        assert_cause(false, STARVED, NULL, NULL, "starved", true);  /* systemd's chain, action=reboot */
        assert_cause(true, "{'reason': 'x', 'test': true}", ARMED, NULL, "test", false);
        assert_cause(true, NULL, ARMED, "Kernel panic - not syncing: x", "panic", true);
        assert_cause(false, NULL, ARMED, "Kernel panic - not syncing: x", "panic",
                     false); /* kernel.panic= rebooted */
        assert_cause(true, NULL, ARMED, NULL, "hang", true);
        assert_cause(true, NULL, NULL, NULL, "hang", true); /* in somebody else's hands */
        assert_cause(false, NULL, ARMED, NULL, "unknown", false);
}

static void test_brake(void **state)
{
        json_auto_t *members = json_object();

        watchdog_cause_count(members, 1000, 3, 60);
        watchdog_cause_count(members, 1000 + 3601, 3, 60); /* the first one is too old now */
        watchdog_cause_count(members, 1000 + 3700, 3, 60);
        assert_null(json_object_get(members, "brake"));
        watchdog_cause_count(members, 1000 + 3800, 3, 60);
        assert_json(json_incref(json_object_get(members, "brake")),
                    "{'since': 4800, 'resets': 3, 'minutes': 60}");
        for (int i = 0; i < 100; i++)
                watchdog_cause_count(members, 5000 + i, 3, 60);
        assert_int_equal(json_array_size(json_object_get(members, "resets")), 32);
        assert_int_equal(json_integer_value(json_object_get(json_object_get(members, "brake"), "since")),
                         4800);
}

static void test_no_brake(void **state)
{
        json_auto_t *members = json_of("{'resets': 'nonsense'}");

        for (int i = 0; i < 10; i++)
                watchdog_cause_count(members, i, 0, 60);
        assert_null(json_object_get(members, "brake"));
}

static bool examine(struct machine *m)
{
        g_autoptr(GPtrArray) devices = watchdog_devices_read(&m->env);
        struct watchdog_record *record = watchdog_record_new(&m->env, "/state");
        bool found = watchdog_cause_examine(record, &m->env, devices, 3, 60);

        watchdog_record_flush(record);
        watchdog_record_free(record);
        return found;
}

static json_t *written(struct machine *m, const char *key)
{
        g_autofree char *path = machine_path(m, "state/watchdog.json");
        json_auto_t *members = json_load_file(path, 0, NULL);

        return json_incref(json_object_get(members, key));
}

static void test_once_in_each_boot(void **state)
{
        g_autoptr(machine_t) m = machine_new();
        json_auto_t *last = NULL;

        m->realtime_usec = 7 * (uint64_t) G_USEC_PER_SEC;
        machine_write(m, "proc/sys/kernel/random/boot_id", "new");
        machine_write(m, "sys/class/watchdog/watchdog0/identity", "i6300ESB timer");
        machine_write(m, "sys/class/watchdog/watchdog0/bootstatus", "32");
        machine_write(
                m, "state/watchdog.json",
                "{\"armed\": {\"boot-id\": \"old\", \"since\": 5}, \"starved\": {\"reason\": \"full\"}}");
        assert_true(examine(m));
        last = written(m, "last");
        assert_string_equal(json_string_value(json_object_get(last, "cause")), "starved");
        assert_string_equal(json_string_value(json_object_get(last, "reason")), "full");
        assert_string_equal(json_string_value(json_object_get(last, "device")), "i6300ESB timer");
        assert_json(written(m, "total"), "1");
        assert_json(written(m, "resets"), "[7]");
        assert_null(written(m, "armed"));
        assert_false(examine(m)); /* the agent was only restarted */
        assert_json(written(m, "total"), "1");
        machine_write(m, "proc/sys/kernel/random/boot_id", "newer");
        machine_write(m, "sys/class/watchdog/watchdog0/bootstatus", "0");
        assert_false(examine(m)); /* an orderly reboot */
        assert_json(written(m, "total"), "1");
}

static void test_waits_for_the_device(void **state)
{
        g_autoptr(machine_t) m = machine_new();
        g_autoptr(GPtrArray) none = watchdog_devices_read(&m->env), there = NULL;
        struct watchdog_record *record;

        machine_write(m, "proc/sys/kernel/random/boot_id", "new");
        machine_write(m, "state/watchdog.json",
                      "{\"armed\": {\"boot-id\": \"old\", \"identity\": \"i6300ESB timer\", \"since\": 5}}");
        record = watchdog_record_new(&m->env, "/state");
        assert_false(watchdog_cause_is_due(record, none)); /* its module is still loading */
        machine_write(m, "sys/class/watchdog/watchdog0/identity", "i6300ESB timer");
        there = watchdog_devices_read(&m->env);
        assert_true(watchdog_cause_is_due(record, there));
        json_object_clear(watchdog_record_get(record));
        assert_true(watchdog_cause_is_due(record, none));
        watchdog_record_free(record);
}

static void test_record_that_is_broken_is_empty(void **state)
{
        g_autoptr(machine_t) m = machine_new();

        machine_write(m, "proc/sys/kernel/random/boot_id", "new");
        machine_write(m, "state/watchdog.json", "{\"armed\": {\"boot-");
        assert_false(examine(m));
        assert_json(written(m, "examined"), "'new'");
        machine_write(m, "state/watchdog.json", "[1]");
        assert_false(examine(m));
}

static void test_last_words_of_the_kernel(void **state)
{
        g_autoptr(machine_t) m = machine_new();
        g_autofree char *none = watchdog_cause_read_panic(&m->env, 0), *found = NULL, *old = NULL;

        assert_null(none);
        machine_write(m, "sys/fs/pstore/dmesg-erst-1", "Oops#1 Part1\nsomething else\n");
        machine_write(
                m, "var/lib/systemd/pstore/17/001/dmesg.txt",
                "<6>[1.0] a\n<0>[2.0] Kernel panic - not syncing: sysrq triggered crash\n<0>[2.1] b\n");
        found = watchdog_cause_read_panic(&m->env, 0);
        assert_string_equal(found, "Kernel panic - not syncing: sysrq triggered crash");
        old = watchdog_cause_read_panic(&m->env, INT64_MAX / 2); /* armed after that one */
        assert_null(old);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_causes),
                cmocka_unit_test(test_brake),
                cmocka_unit_test(test_no_brake),
                cmocka_unit_test(test_once_in_each_boot),
                cmocka_unit_test(test_waits_for_the_device),
                cmocka_unit_test(test_record_that_is_broken_is_empty),
                cmocka_unit_test(test_last_words_of_the_kernel),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
