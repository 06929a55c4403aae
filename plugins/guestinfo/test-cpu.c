/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* The readers of numbers: processors, load, memory blocks, disk statistics, routes. */
#include "plugins/guestinfo/test-support.h"

#include <string.h>
#include <unistd.h>

#include "lib/error.h"

static void assert_reply(struct machine *machine, const char *command, const char *expected)
{
        json_t *reply = machine_run(machine, command);

        assert_reply_type(command, reply);
        assert_json(reply, expected);
        json_decref(reply);
}

static void test_vcpus(void **state)
{
        g_autoptr(machine_t) machine = machine_new();

        (void) state;
        assert_int_equal(machine_run_failing(machine, "guest-get-vcpus"), TN_ERROR_UNSUPPORTED);
        machine_add(machine, "sys/devices/system/cpu/cpu0/\nsys/devices/system/cpu/cpu10/online = 1\n"
                             "sys/devices/system/cpu/cpu2/online = 0\nsys/devices/system/cpu/cpufreq/\n"
                             "sys/devices/system/cpu/cpu/\nsys/devices/system/cpu/cpu1x/\n"
                             "sys/devices/system/cpu/online = 0,10");
        assert_reply(machine, "guest-get-vcpus",
                     "[{\"logical-id\": 0, \"online\": true, \"can-offline\": false},"
                     " {\"logical-id\": 2, \"online\": false, \"can-offline\": true},"
                     " {\"logical-id\": 10, \"online\": true, \"can-offline\": true}]");
}

static void test_load(void **state)
{
        g_autoptr(machine_t) machine = machine_new(), broken = machine_new();

        (void) state;
        assert_int_equal(machine_run_failing(machine, "guest-get-load"), TN_ERROR_NOT_FOUND);
        machine_add(machine, "proc/loadavg = 0.25 1.50 12.00 2/345 6789");
        assert_reply(machine, "guest-get-load", "{\"load1m\": 0.25, \"load5m\": 1.5, \"load15m\": 12.0}");
        machine_add(broken, "proc/loadavg = 0.25 1.50");
        assert_int_equal(machine_run_failing(broken, "guest-get-load"), TN_ERROR_INVALID);
}

static void test_cpustats(void **state)
{
        g_autoptr(machine_t) machine = machine_new();

        (void) state;
        if (sysconf(_SC_CLK_TCK) != 100)
                fail_msg("the expected numbers are for 100 ticks a second");
        machine_add(machine, "proc/stat = cpu  9 9 9 9 9 9 9 9 9 9\n"
                             "proc/stat = cpu0 1 2 3 4 5 6 7 8 9 10\n"
                             "proc/stat = cpu1 1 2 3 4\n" /* Linux 2.4 */
                             "proc/stat = cpu12 184467440737095516 0 0 0\n"
                             "proc/stat = intr 1 2 3\n"
                             "proc/stat = cpufoo 1 2");
        assert_reply(machine, "guest-get-cpustats",
                     "[{\"type\": \"linux\", \"cpu\": 0, \"user\": 10, \"nice\": 20, \"system\": 30, "
                     "\"idle\": 40,"
                     "  \"iowait\": 50, \"irq\": 60, \"softirq\": 70, \"steal\": 80, \"guest\": 90,"
                     "  \"guestnice\": 100},"
                     " {\"type\": \"linux\", \"cpu\": 1, \"user\": 10, \"nice\": 20, \"system\": 30, "
                     "\"idle\": 40}]");
}

static void test_memory(void **state)
{
        g_autoptr(machine_t) machine = machine_new();

        (void) state;
        assert_reply(machine, "guest-get-memory-blocks", "[]");
        assert_int_equal(machine_run_failing(machine, "guest-get-memory-block-info"), TN_ERROR_UNSUPPORTED);
        machine_add(machine, "sys/devices/system/memory/block_size_bytes = 8000000\n"
                             "sys/devices/system/memory/memory0/state = online\n"
                             "sys/devices/system/memory/memory0/removable = 0\n"
                             "sys/devices/system/memory/memory32/state = offline\n"
                             "sys/devices/system/memory/memory32/removable = 1\n"
                             "sys/devices/system/memory/memory4/state = going-offline\n"
                             "sys/devices/system/memory/auto_online_blocks = online");
        assert_reply(machine, "guest-get-memory-block-info", "{\"size\": 134217728}");
        assert_reply(machine, "guest-get-memory-blocks",
                     "[{\"phys-index\": 0, \"online\": true, \"can-offline\": false},"
                     " {\"phys-index\": 4, \"online\": false},"
                     " {\"phys-index\": 32, \"online\": false, \"can-offline\": true}]");
}

static void test_diskstats(void **state)
{
        g_autoptr(machine_t) machine = machine_new();

        (void) state;
        assert_int_equal(machine_run_failing(machine, "guest-get-diskstats"), TN_ERROR_NOT_FOUND);
        machine_add(machine, "proc/diskstats =  254       0 vda 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17\n"
                             "proc/diskstats =    8       1 sda1 1 2 3 4 5 6 7 8 9 10 11\n"
                             "proc/diskstats = rubbish");
        assert_reply(
                machine, "guest-get-diskstats",
                "[{\"name\": \"vda\", \"major\": 254, \"minor\": 0, \"stats\": {\"read-ios\": 1,"
                "  \"read-merges\": 2, \"read-sectors\": 3, \"read-ticks\": 4, \"write-ios\": 5,"
                "  \"write-merges\": 6, \"write-sectors\": 7, \"write-ticks\": 8, \"ios-pgr\": 9,"
                "  \"total-ticks\": 10, \"weight-ticks\": 11, \"discard-ios\": 12, \"discard-merges\": 13,"
                "  \"discard-sectors\": 14, \"discard-ticks\": 15, \"flush-ios\": 16, \"flush-ticks\": 17}},"
                " {\"name\": \"sda1\", \"major\": 8, \"minor\": 1, \"stats\": {\"read-ios\": 1,"
                "  \"read-merges\": 2, \"read-sectors\": 3, \"read-ticks\": 4, \"write-ios\": 5,"
                "  \"write-merges\": 6, \"write-sectors\": 7, \"write-ticks\": 8, \"ios-pgr\": 9,"
                "  \"total-ticks\": 10, \"weight-ticks\": 11}}]");
}

/* The numbers of IPv4 are in the byte order of the machine that wrote them: here, of this one. */
static void test_routes(void **state)
{
        g_autoptr(machine_t) machine = machine_new();
        g_autofree char *ipv4 = g_strdup_printf(
                "proc/net/route = "
                "Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\tMTU\tWindow\tIRTT\n"
                "proc/net/route = eth0\t00000000\t%08X\t0003\t0\t0\t100\t00000000\t1400\t1\t2\n"
                "proc/net/route = eth0\t%08X\t00000000\t0001\t0\t0\t0\t%08X\t0\t0\t0  ",
                GUINT32_FROM_BE(0xc0000201U), GUINT32_FROM_BE(0xc0000200U), GUINT32_FROM_BE(0xffffff00U));

        (void) state;
        assert_int_equal(machine_run_failing(machine, "guest-network-get-route"), TN_ERROR_NOT_FOUND);
        machine_add(machine, ipv4);
        machine_add(machine,
                    "proc/net/ipv6_route = 20010db8000000000000000000000000 40 "
                    "00000000000000000000000000000000 00"
                    " fe800000000000000000000000000001 00000400 00000001 00000002 00450003     eth0\n"
                    "proc/net/ipv6_route = 2001 40 00000000000000000000000000000000 00"
                    " fe800000000000000000000000000001 00000400 00000001 00000002 00450003     eth0");
        assert_reply(machine, "guest-network-get-route",
                     "[{\"iface\": \"eth0\", \"destination\": \"0.0.0.0\", \"metric\": 100, \"gateway\": "
                     "\"192.0.2.1\","
                     "  \"mask\": \"0.0.0.0\", \"irtt\": 2, \"flags\": 3, \"refcnt\": 0, \"use\": 0, "
                     "\"window\": 1,"
                     "  \"mtu\": 1400, \"version\": 4},"
                     " {\"iface\": \"eth0\", \"destination\": \"192.0.2.0\", \"metric\": 0, \"gateway\": "
                     "\"0.0.0.0\","
                     "  \"mask\": \"255.255.255.0\", \"irtt\": 0, \"flags\": 1, \"refcnt\": 0, \"use\": 0,"
                     "  \"window\": 0, \"mtu\": 0, \"version\": 4},"
                     " {\"iface\": \"eth0\", \"destination\": \"2001:db8::\", \"metric\": 1024,"
                     "  \"desprefixlen\": \"64\", \"source\": \"::\", \"srcprefixlen\": \"0\", \"nexthop\": "
                     "\"fe80::1\","
                     "  \"flags\": 4521987, \"refcnt\": 1, \"use\": 2, \"version\": 6}]");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_vcpus),     cmocka_unit_test(test_load),
                cmocka_unit_test(test_cpustats),  cmocka_unit_test(test_memory),
                cmocka_unit_test(test_diskstats), cmocka_unit_test(test_routes),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
