/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* The pure parts: the state machine, the judges of the kernel's texts, messages of programs. */
#include "plugins/health/test-support.h"

#include <stdio.h>
#include <string.h>

#include "lib/mountinfo.h"
#include "lib/names.h"
#include "plugins/health/measures.h"
#include "plugins/health/notify.h"
#include "plugins/health/state.h"

/* o, w, c, u: results, and the states that they make. */
static const struct {
        unsigned in_a_row;
        const char *results, *states;
} rows[] = {
        {1, "owcuo", "owcuo"},
        {3, "ooo", "ooo"},
        {3, "cccc", "oocc"},
        {3, "www", "oow"},
        {3, "wcc", "oow"},   /* three were at least a warning */
        {3, "wccc", "oowc"}, /* and now three were critical */
        {3, "cccw",
         "ooc"
         "w"},                       /* one that is less bad is believed at once */
        {3, "ccco", "ooco"},         /* recovery */
        {3, "ccoccocc", "oooooooo"}, /* flapping is no state */
        {3, "cccococococ", "oocoooooooo"},
        {3, "u", "u"},
        {3, "cuccc", "ouuuc"}, /* a row begins anew after unknown */
        {3, "cccuo", "oocuo"}, /* what is not known closes nothing any more */
        {2, "uwwo", "uuwo"},
        {2, "ccuccu", "ocuucu"},
};

static char letter(enum health_severity severity)
{
        return *health_severity_name(severity);
}

static enum health_severity result_of(char c)
{
        for (int i = 0; i < _HEALTH_SEVERITY_MAX; i++)
                if (letter((enum health_severity) i) == c)
                        return (enum health_severity) i;
        fail();
        return HEALTH_OK;
}

static void test_state_machine(void **state)
{
        (void) state;
        for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
                struct health_state machine = {.in_a_row = rows[i].in_a_row};

                assert_int_equal(strlen(rows[i].results), strlen(rows[i].states));
                for (size_t k = 0; rows[i].results[k]; k++) {
                        enum health_severity before = machine.severity;
                        bool changed = health_state_feed(&machine, result_of(rows[i].results[k]));

                        if (letter(machine.severity) != rows[i].states[k])
                                fail_msg("%s: '%c' at %zu, not '%c'", rows[i].results,
                                         letter(machine.severity), k, rows[i].states[k]);
                        assert_int_equal(changed, machine.severity != before);
                }
        }
}

static void test_judge(void **state)
{
        (void) state;
        assert_int_equal(health_judge(89.9, 90, 98, false), HEALTH_OK);
        assert_int_equal(health_judge(90, 90, 98, false), HEALTH_WARNING);
        assert_int_equal(health_judge(98, 90, 98, false), HEALTH_CRITICAL);
        assert_int_equal(health_judge(100, 90, 0, false), HEALTH_WARNING);
        assert_int_equal(health_judge(100, 0, 98, false), HEALTH_CRITICAL);
        assert_int_equal(health_judge(100, 0, 0, false), HEALTH_OK);
        assert_int_equal(health_judge(10.1, 10, 3, true), HEALTH_OK);
        assert_int_equal(health_judge(10, 10, 3, true), HEALTH_WARNING);
        assert_int_equal(health_judge(0, 10, 3, true), HEALTH_CRITICAL);
        assert_int_equal(health_judge(0, 0, 0, true), HEALTH_OK);
}

static void test_pressure(void **state)
{
        static const char text[] = "some avg10=12.34 avg60=1.00 avg300=0.10 total=1\n"
                                   "full avg10=5.00 avg60=0.00 avg300=0.00 total=0\n";
        double percent = -1;

        (void) state;
        assert_true(health_parse_pressure(text, "some", &percent));
        assert_true(percent > 12.33 && percent < 12.35);
        assert_true(health_parse_pressure(text, "full", &percent));
        assert_true(percent > 4.99 && percent < 5.01);
        percent = -1;
        assert_false(health_parse_pressure("", "some", &percent));
        assert_false(health_parse_pressure("some", "some", &percent));
        assert_false(health_parse_pressure("some avg10=x", "some", &percent));
        assert_true(percent == -1); /* untouched */
}

static void test_memory(void **state)
{
        uint64_t available = 7, total = 7;

        (void) state;
        assert_true(health_parse_memory("MemTotal:  1000 kB\nMemFree: 1 kB\nMemAvailable:  250 kB\n",
                                        &available, &total));
        assert_int_equal(available, 250);
        assert_int_equal(total, 1000);
        assert_false(health_parse_memory("MemTotal:  1000 kB\nMemFree: 1 kB\n", &available, &total));
        assert_false(health_parse_memory("MemTotal: 0 kB\nMemAvailable: 0 kB\n", &available, &total));
        assert_int_equal(available, 250);
}

static void test_load_and_handles(void **state)
{
        uint64_t used, max;
        double load;

        (void) state;
        assert_true(health_parse_load("3.50 2.00 1.00 1/100 5\n", &load));
        assert_true(load == 3.5);
        assert_false(health_parse_load("x", &load));
        assert_int_equal(health_count_cpus("0"), 1);
        assert_int_equal(health_count_cpus("0-3,8"), 5);
        assert_int_equal(health_count_cpus("0-"), 1);
        assert_int_equal(health_count_cpus("3-0"), 0);
        assert_int_equal(health_count_cpus(""), 0);
        assert_true(health_parse_handles("1500\t500\t9223372036854775807\n", &used, &max));
        assert_int_equal(used, 1000);
        assert_false(health_parse_handles("1 2 3", &used, &max));
        assert_false(health_parse_handles("1 0 0", &used, &max));
        assert_false(health_parse_handles("1", &used, &max));
}

static enum health_mount find_mount(const char *text, const char *path)
{
        struct health_mount_search search = {.path = path};
        FILE *file = fmemopen((char *) text, strlen(text) + 1, "r");

        (void) tn_mountinfo_parse(file, health_consider_mount, &search, NULL);
        (void) fclose(file);
        return search.found;
}

static void test_mounts(void **state)
{
        static const char text[] =
                "22 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw,errors=remount-ro\n"
                "23 22 0:5 / /mnt/a\\040b ro,nosuid - ext4 /dev/vdb rw\n"
                "24 22 0:6 / /data rw - xfs /dev/vdc ro\n"
                "25 22 0:7 / /over ro - tmpfs tmpfs ro\n"
                "26 22 0:8 / /over rw - tmpfs tmpfs rw\n"
                "27 22 0:9 / /odd rw\n"
                "\n";

        (void) state;
        assert_int_equal(find_mount(text, "/"), HEALTH_MOUNT_WRITABLE);
        assert_int_equal(find_mount(text, "/mnt/a b"), HEALTH_MOUNT_READ_ONLY);
        assert_int_equal(find_mount(text, "/data"), HEALTH_MOUNT_READ_ONLY);
        assert_int_equal(find_mount(text, "/over"), HEALTH_MOUNT_WRITABLE);
        assert_int_equal(find_mount(text, "/mnt"), HEALTH_MOUNT_NONE);
        assert_int_equal(find_mount("", "/"), HEALTH_MOUNT_NONE);
}

static void test_space(void **state)
{
        const struct health_space blocks = {100, 20, 10, 1000, 900}, inodes = {100, 90, 90, 1000, 10},
                                  uncounted = {100, 50, 50, 0, 0}, nothing = {0};
        bool by_inodes;

        (void) state;
        /* As df has it: what is kept for root counts as neither used nor free. */
        assert_true((int) health_space_used(&blocks, &by_inodes) == 88 && !by_inodes);
        assert_true((int) health_space_used(&inodes, &by_inodes) == 99 && by_inodes);
        assert_true((int) health_space_used(&uncounted, &by_inodes) == 50 && !by_inodes);
        assert_true((int) health_space_used(&nothing, &by_inodes) == 0);
}

static bool parse(const char *text, struct health_notify *message)
{
        return health_notify_parse(text, strlen(text), message);
}

static void test_messages(void **state)
{
        struct health_notify m;

        (void) state;
        assert_true(parse("WATCHDOG=1", &m) && m.beat && !m.failed && !*m.name);
        assert_true(parse("READY=1\nSTATUS=up\nWATCHDOG=1\n", &m) && m.beat && m.ready);
        assert_string_equal(m.status, "up");
        assert_true(parse("WATCHDOG=trigger", &m) && m.failed && !m.beat);
        assert_true(parse("WATCHDOG_USEC=3000000", &m) && m.timeout_usec == 3000000);
        assert_true(parse("STOPPING=1", &m) && m.stopping);
        assert_true(parse("WATCHDOG=0", &m) && !m.beat);
        assert_true(parse("MAINPID=3\nFDSTORE=1\nX_ELSE=\n", &m) && !m.beat);
        assert_true(parse("", &m) && !m.beat);
        assert_true(parse(TN_BEAT_REGISTER "=db\n" TN_BEAT_REQUIRED "=1", &m) && m.required &&
                    !m.unregister);
        assert_string_equal(m.name, "db");
        assert_true(parse(TN_BEAT_UNREGISTER "=db", &m) && m.unregister);
        assert_true(health_notify_parse("WATCHDOG=1", sizeof "WATCHDOG=1", &m) && m.beat); /* with its NUL */
}

static void test_malformed_messages(void **state)
{
        static const char *const texts[] = {
                "WATCHDOG",           "=",
                "WATCHDOG_USEC=",     "WATCHDOG_USEC=-1",
                "WATCHDOG_USEC=0",    "WATCHDOG_USEC=99999999999999999999",
                "WATCHDOG_USEC=1s",   "\xff\xfe=1",
                "STATUS=\xc3",        "WATCHDOG=1\ngarbage",
                TN_BEAT_REGISTER "=",
        };
        g_autofree char *large = g_strnfill(HEALTH_NOTIFY_MAX + 1, 'x'), *status = g_strnfill(3000, 'y');
        g_autofree char *long_status = g_strdup_printf("STATUS=%s", status);
        g_autofree char *utf8 = g_strdup_printf("STATUS=%.199s\xc3\xa4\xc3\xa4", status);
        struct health_notify m = {.required = true};

        (void) state;
        for (size_t i = 0; i < G_N_ELEMENTS(texts); i++)
                if (!g_str_equal(texts[i], "=") && parse(texts[i], &m))
                        fail_msg("'%s' was taken", texts[i]);
        large[1] = '=';
        assert_false(parse(large, &m));
        assert_false(health_notify_parse("WATCHDOG=1\0STOPPING=1", 21, &m));
        assert_true(m.required); /* untouched */
        assert_true(parse(long_status, &m));
        assert_int_equal(strlen(m.status), HEALTH_STATUS_MAX);
        assert_true(parse(utf8, &m));
        assert_int_equal(strlen(m.status), HEALTH_STATUS_MAX - 1); /* no half a character */
}

/* Whatever bytes come, nothing falls over; a fixed seed, so that a failure comes again. */
static void test_random_messages(void **state)
{
        static const char alphabet[] = "WATCHDOG=1\nX_TENON_REGISTER=USEC\0\xff\xc3 trigger9";
        g_autoptr(GRand) random = g_rand_new_with_seed(20261126);
        char text[200];

        (void) state;
        for (unsigned i = 0; i < 50000; i++) {
                size_t len = (size_t) g_rand_int_range(random, 0, sizeof text);
                struct health_notify m;

                for (size_t k = 0; k < len; k++)
                        text[k] = alphabet[g_rand_int_range(random, 0, sizeof alphabet - 1)];
                if (health_notify_parse(text, len, &m))
                        assert_true(g_utf8_validate(m.name, -1, NULL) &&
                                    g_utf8_validate(m.status, -1, NULL));
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_state_machine),
                cmocka_unit_test(test_judge),
                cmocka_unit_test(test_pressure),
                cmocka_unit_test(test_memory),
                cmocka_unit_test(test_load_and_handles),
                cmocka_unit_test(test_mounts),
                cmocka_unit_test(test_space),
                cmocka_unit_test(test_messages),
                cmocka_unit_test(test_malformed_messages),
                cmocka_unit_test(test_random_messages),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
