/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* The filters: what stays, what goes, and that filtering twice is filtering once. */
#define _GNU_SOURCE /* nftw */
#include "detect/filter.h"
#include "detect/test-folder.h"

static void expect(tn_filter filter, const char *data, size_t len, const char *expected)
{
        g_autofree char *once = filter(data, len), *twice = NULL;

        if (!expected) {
                assert_null(once);
                return;
        }
        assert_non_null(once);
        assert_string_equal(once, expected);
        twice = filter(once, strlen(once));
        assert_non_null(twice);
        assert_string_equal(twice, once);
}

static void expect_text(tn_filter filter, const char *text, const char *expected)
{
        expect(filter, text, strlen(text), expected);
}

static void test_line(void **state)
{
        (void) state;
        expect_text(tn_filter_line, "  QEMU \nmore\n", "QEMU");
        expect_text(tn_filter_line, "\n", NULL);
        expect_text(tn_filter_line, "", NULL);
        expect(tn_filter_line, "a\0b", 3, "a");
}

static void test_cpuinfo(void **state)
{
        (void) state;
        expect_text(
                tn_filter_cpuinfo,
                "processor\t: 0\nvendor_id\t: GenuineIntel\nmodel\t\t: 142\nflags\t\t: fpu hypervisor lm\n\n"
                "processor\t: 1\nvendor_id\t: GenuineIntel\nflags\t\t: fpu hypervisor lm\n",
                "vendor_id\t: GenuineIntel\nflags\t: hypervisor");
        expect_text(tn_filter_cpuinfo, "platform\t: pSeries\nmodel\t\t: IBM pSeries (emulated by qemu)\n",
                    "platform\t: pSeries\nmodel\t: IBM pSeries (emulated by qemu)");
        expect_text(tn_filter_cpuinfo, "flags : fpu xhypervisor hypervisors\nno colon here\n:\n", NULL);
}

static void test_cmdline(void **state)
{
        (void) state;
        expect_text(tn_filter_cmdline,
                    "root=/dev/sda1 pci=off  virtio_mmio.device=4K@0xd0000000:5 xpci=off\n",
                    "pci=off virtio_mmio.device=4K@0xd0000000:5");
        expect_text(tn_filter_cmdline, "password=pci=off\n", NULL);
}

static void test_environ(void **state)
{
        static const char block[] = "A=container=no\0container=docker\0B=1";

        (void) state;
        expect(tn_filter_environ, block, sizeof block, "container=docker");
        expect(tn_filter_environ, block, 10, NULL);
        expect(tn_filter_environ, block, 25, "container="); /* cut in the middle of the value */
        expect_text(tn_filter_environ, "A=1\ncontainer=lxc\n", "container=lxc");
        expect(tn_filter_environ, "container", 9, NULL);
        expect(tn_filter_environ, "", 0, NULL);
}

static void test_cgroup(void **state)
{
        (void) state;
        expect_text(tn_filter_cgroup, "3:cpu:/docker/abcdef\n2:mem:/docker/abcdef\n", "/docker/");
        expect_text(tn_filter_cgroup, "0::/init.scope\n", NULL);
}

static void test_names(void **state)
{
        (void) state;
        expect_text(tn_filter_asset_tag, "7783-7084-3265-9085-8269-3286-77\n",
                    "7783-7084-3265-9085-8269-3286-77");
        expect_text(tn_filter_asset_tag, "vm17.zstack.io\n", ".zstack.io");
        expect_text(tn_filter_asset_tag, "INV-2024-0007\n", NULL);
        expect_text(tn_filter_serial, "GoogleCloud-ABCDEF0123\n", "GoogleCloud-");
        expect_text(tn_filter_serial, "0123456789\n", NULL);
        expect_text(tn_filter_uuid, "EC2AE145-D1DC-13B2-94ED-012345ABCDEF\n", "ec2");
        expect_text(tn_filter_uuid, "4c4c4544-0051\n", NULL);
        expect_text(tn_filter_status, "Name:\tx\nTracerPid:\t12\nVxID: 3\n", "TracerPid:\t12\nVxID: 3");
        expect_text(tn_filter_sysinfo, "LPAR Name: A\nVM00 Control Program: z/VM 7.3.0\n",
                    "VM00 Control Program: z/VM 7.3.0");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_line),    cmocka_unit_test(test_cpuinfo),
                cmocka_unit_test(test_cmdline), cmocka_unit_test(test_environ),
                cmocka_unit_test(test_cgroup),  cmocka_unit_test(test_names),
        };

        return cmocka_run_group_tests_name("filter", tests, NULL, NULL);
}
