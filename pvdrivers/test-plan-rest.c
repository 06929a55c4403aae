/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* Firmware, leftovers, clock, console, processor, keys, hooks, access control, agent and room in /boot. */
#define _GNU_SOURCE
#include "pvdrivers/test-guest.h"

#define KERNEL(options)                                                                                     \
        "menuentry 'x' {\n linux /boot/vmlinuz-6.1.0-37-amd64 root=UUID=1 " options "\n"                    \
        " initrd /boot/initrd.img-6.1.0-37-amd64\n}\n"

static void test_uefi(void **state)
{
        g_autoptr(guest_t) guest = guest_debian();

        guest_put(guest, "sys/firmware/efi/fw_platform_size", "64\n");
        assert_int_equal(guest_exit(guest, "kvm"), TN_PLAN_EXIT_NO_VERDICT);
        assert_found(guest, "boot-entry", TN_VERDICT_UNKNOWN, "no EFI system partition is mounted");
        guest_put(guest, "boot/efi/EFI/debian/shimx64.efi", "MZ");
        assert_int_equal(guest_exit(guest, "kvm"), TN_PLAN_EXIT_FATAL);
        assert_true(assert_found(guest, "boot-entry", TN_VERDICT_FATAL,
                                 "/boot/efi/EFI/BOOT/BOOTX64.EFI is missing")
                            ->fixable);
        guest_put(guest, "boot/efi/EFI/other/grubx64.efi", "MZ");
        assert_int_equal(guest_exit(guest, "kvm"), TN_PLAN_EXIT_FATAL);
        assert_false(assert_found(guest, "boot-entry", TN_VERDICT_FATAL, "is missing")->fixable);
        guest_put(guest, "boot/efi/EFI/Boot/bootx64.efi", "MZ");
        assert_int_equal(guest_exit(guest, "kvm"), TN_PLAN_EXIT_READY);
        assert_found(guest, "boot-entry", TN_VERDICT_READY,
                     "boots by UEFI; the target's firmware finds /boot/efi/EFI/Boot/bootx64.efi");
        folder_write(guest->root, "sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c",
                     "\6\0\0\0\1", 5);
        assert_int_equal(guest_exit(guest, "kvm"), TN_PLAN_EXIT_READY);
        assert_found(guest, "boot-entry", TN_VERDICT_READY, "with Secure Boot");
}

static void test_bios(void **state)
{
        g_autoptr(guest_t) guest = guest_debian();

        guest_put(guest, "sys/firmware/acpi/tables/APIC", "");
        assert_int_equal(guest_exit(guest, "kvm"), TN_PLAN_EXIT_READY);
        assert_found(guest, "boot-entry", TN_VERDICT_READY, "boots by BIOS");
        guest_put(guest, "boot/grub/grub.cfg", KERNEL(""));
        assert_int_equal(guest_exit(guest, "kvm"), TN_PLAN_EXIT_READY);
        assert_string_equal(assert_found(guest, "boot-entry", TN_VERDICT_READY,
                                         "no other kernel to choose, and no rescue entry")
                                    ->remedy,
                            "keep a second kernel until the guest has started there");
        guest_put(guest, "boot/grub/grub.cfg",
                  KERNEL("") "menuentry 'y (recovery mode)' {\n linux /boot/vmlinuz-6.1.0-37-amd64 "
                             "single\n}\n");
        assert_int_equal(guest_exit(guest, "kvm"), TN_PLAN_EXIT_READY);
        assert_found(guest, "boot-entry", TN_VERDICT_READY, "and a rescue entry: y (recovery mode)");
        guest_put(guest, "boot/grub/grub.cfg", "set default='gone'\n" KERNEL(""));
        assert_int_equal(guest_exit(guest, "hyperv"), TN_PLAN_EXIT_READY);
        assert_found(guest, "boot-entry", TN_VERDICT_READY,
                     "there is no entry \"gone\", which is the default");
        guest_put(guest, "boot/grub/grub.cfg", "menuentry 'Windows' {\n chainloader +1\n}\n" KERNEL(""));
        assert_int_equal(guest_exit(guest, "kvm"), TN_PLAN_EXIT_LOSS);
        assert_found(guest, "boot-entry", TN_VERDICT_LOSS, "the default entry \"Windows\"");
}

static void test_leftovers(void **state)
{
        g_autoptr(guest_t) guest = guest_debian();

        guest_put(guest, "usr/bin/vmtoolsd", "");
        guest_put(guest, "etc/udev/rules.d/99-vmware-scsi-udev.rules",
                  "ATTRS{vendor}==\"VMware*\", RUN+=\"echo 180 >timeout\"\n");
        guest_put(guest, "var/lib/dkms/vmhgfs/1/source", "");
        guest_put(guest, "etc/cloud/cloud.cfg.d/90.cfg", "datasource_list: [ VMware, OVF ]\n");
        assert_int_equal(guest_exit(guest, "kvm"), TN_PLAN_EXIT_READY);
        assert_found(guest, "leftovers", TN_VERDICT_READY, "open-vm-tools is installed (/usr/bin/vmtoolsd)");
        assert_found(guest, "leftovers", TN_VERDICT_READY, "99-vmware-scsi-udev.rules line 1");
        assert_found(guest, "leftovers", TN_VERDICT_READY, "/var/lib/dkms/vmhgfs");
        assert_found(guest, "leftovers", TN_VERDICT_READY,
                     "cloud-init looks for its settings at the old host");
        guest_put(guest, "etc/X11/xorg.conf", "Section \"Device\"\n  Driver \"vmware\"\nEndSection\n");
        assert_int_equal(guest_exit(guest, "kvm"), TN_PLAN_EXIT_LOSS);
        assert_found(guest, "leftovers", TN_VERDICT_LOSS, "/etc/X11/xorg.conf line 2");
        assert_int_equal(guest_exit(guest, "vmware"), TN_PLAN_EXIT_READY);
}

static void test_clock(void **state)
{
        g_autoptr(guest_t) guest = guest_debian();

        guest_put(guest, "etc/chrony/chrony.conf",
                  "pool pool.ntp.org\nrefclock PHC /dev/ptp_hyperv poll 3 dpoll -2\n");
        assert_int_equal(guest_exit(guest, "kvm"), TN_PLAN_EXIT_LOSS);
        assert_found(guest, "clock", TN_VERDICT_LOSS,
                     "/etc/chrony/chrony.conf line 2: refclock PHC /dev/ptp_hyperv");
        assert_int_equal(guest_exit(guest, "azure"), TN_PLAN_EXIT_READY);
        guest_put(guest, "etc/chrony/chrony.conf", "pool pool.ntp.org\n");
        guest_put(guest, "boot/grub/grub.cfg", KERNEL("clocksource=hyperv_clocksource_tsc_page"));
        assert_int_equal(guest_exit(guest, "kvm"), TN_PLAN_EXIT_LOSS);
        guest_put(guest, "boot/grub/grub.cfg", KERNEL("clocksource=tsc"));
        assert_int_equal(guest_exit(guest, "kvm"), TN_PLAN_EXIT_READY);
        guest_put(guest, "etc/adjtime", "0.0 0 0.0\n0\nLOCAL\n");
        assert_int_equal(guest_exit(guest, "kvm"), TN_PLAN_EXIT_LOSS);
        assert_found(guest, "clock", TN_VERDICT_LOSS, "/etc/adjtime line 3");
}

static void test_console(void **state)
{
        g_autoptr(guest_t) guest = guest_debian();

        guest_put(guest, "boot/grub/grub.cfg", KERNEL("console=hvc0"));
        assert_int_equal(guest_exit(guest, "vmware"), TN_PLAN_EXIT_LOSS);
        assert_found(guest, "console", TN_VERDICT_LOSS,
                     "/boot/grub/grub.cfg line 1: console=hvc0 is not there on the target");
        assert_int_equal(guest_exit(guest, "xen"), TN_PLAN_EXIT_READY);
        guest_put(guest, "boot/grub/grub.cfg", KERNEL("console=hvc0 console=tty0"));
        assert_int_equal(guest_exit(guest, "vmware"), TN_PLAN_EXIT_READY);
        guest_put(guest, "etc/inittab", "hvc0:2345:respawn:/sbin/getty 38400 hvc0\n");
        assert_int_equal(guest_exit(guest, "vmware"), TN_PLAN_EXIT_LOSS);
        assert_found(guest, "console", TN_VERDICT_LOSS, "/etc/inittab line 1");
}

static void test_cpu_level(void **state)
{
        g_autoptr(guest_t) guest = guest_rhel();
        const struct tn_check *check;

        guest_plan(guest, "kvm", NULL);
        check = assert_found(guest, "cpu-level", TN_VERDICT_READY,
                             "Rocky Linux 9.4 wants a processor of x86-64-v2");
        assert_non_null(strstr(check->remedy, "Nehalem or newer"));
        guest_put(guest, "etc/os-release", "ID=rhel\nVERSION_ID=10.0\n");
        guest_plan(guest, "kvm", NULL);
        assert_non_null(
                strstr(assert_found(guest, "cpu-level", TN_VERDICT_READY, "x86-64-v3")->remedy, "Haswell"));
        guest_put(guest, "etc/os-release", "ID=rhel\nVERSION_ID=8.9\n");
        guest_plan(guest, "kvm", NULL);
        assert_found(guest, "cpu-level", TN_VERDICT_READY, "x86-64-v1, which all are");
}

static void put_luks(struct guest *guest, const char *json)
{
        g_autofree char *header = g_malloc0(16384);

        memcpy(header, "LUKS\xba\xbe\0\2\0\0\0\0\0\0\x40\0", 16);
        memcpy(header + 4096, json, strlen(json));
        folder_write(guest->root, "dev/disk/by-uuid/77", header, 16384);
}

static void test_disk_keys(void **state)
{
        g_autoptr(guest_t) guest = guest_debian();

        guest_put(guest, "etc/crypttab", "root UUID=77 none luks,discard\n");
        assert_int_equal(guest_exit(guest, "kvm"), TN_PLAN_EXIT_READY);
        put_luks(guest, "{\"keyslots\": {\"0\": {}, \"1\": {}}, \"tokens\": {\"0\": {\"type\": "
                        "\"systemd-tpm2\", \"keyslots\": [\"1\"]}}}");
        assert_int_equal(guest_exit(guest, "kvm"), TN_PLAN_EXIT_LOSS);
        assert_found(guest, "disk-keys", TN_VERDICT_LOSS, "the target will ask for the passphrase");
        put_luks(guest, "{\"keyslots\": {\"1\": {}}, \"tokens\": {\"0\": {\"type\": \"clevis\", "
                        "\"keyslots\": [\"1\"]}}}");
        assert_int_equal(guest_exit(guest, "kvm"), TN_PLAN_EXIT_FATAL);
        assert_found(guest, "disk-keys", TN_VERDICT_FATAL, "has a key for clevis");
        put_luks(guest, "{\"keyslots\": {\"0\": {}}, \"tokens\": {}}");
        assert_int_equal(guest_exit(guest, "kvm"), TN_PLAN_EXIT_READY);
        put_luks(guest, "[1, {");
        guest_put(guest, "etc/crypttab", "root UUID=77 none tpm2-device=auto\n");
        assert_int_equal(guest_exit(guest, "kvm"), TN_PLAN_EXIT_LOSS);
}

/* To bear in mind: none of it hinders the boot. */
static void test_identity(void **state)
{
        g_autoptr(guest_t) guest = guest_rhel();

        guest_put(guest, "etc/cloud/cloud.cfg", "users: []\n");
        guest_put(guest, "etc/pki/consumer/cert.pem", "");
        guest_put(guest, "sys/class/tpm/tpm0/tpm_version_major", "2\n");
        assert_int_equal(guest_exit(guest, "kvm"), TN_PLAN_EXIT_READY);
        assert_found(guest, "disk-keys", TN_VERDICT_READY, "this machine has a TPM");
        assert_non_null(strstr(
                assert_found(guest, "disk-keys", TN_VERDICT_READY, "registered this machine by its UUID")
                        ->remedy,
                "subscription-manager facts --update"));
        assert_non_null(strstr(assert_found(guest, "disk-keys", TN_VERDICT_READY,
                                            "cloud-init takes the target for a new instance")
                                       ->remedy,
                               "touch /etc/cloud/cloud-init.disabled"));
        assert_int_equal(guest_findings(guest, "disk-keys"), 4);
        guest_put(guest, "etc/cloud/cloud-init.disabled", "");
        guest_plan(guest, "kvm", NULL);
        assert_int_equal(guest_findings(guest, "disk-keys"), 3);
}

static void test_hooks(void **state)
{
        g_autoptr(guest_t) guest = guest_debian();

        guest_put(guest, "etc/vmware-tools/backupScripts.d/10-db.sh", "#!/bin/sh\n");
        assert_int_equal(guest_exit(guest, "kvm"), TN_PLAN_EXIT_LOSS);
        assert_found(guest, "freeze-hooks", TN_VERDICT_LOSS,
                     "/etc/vmware-tools/backupScripts.d: hooks of open-vm-tools");
        assert_int_equal(guest_exit(guest, "vmware"), TN_PLAN_EXIT_READY);
        guest_put(guest, "etc/tenon/freeze.d/10-db", "#!/bin/sh\n");
        assert_int_equal(guest_exit(guest, "kvm"), TN_PLAN_EXIT_READY);
}

static void test_access_control(void **state)
{
        g_autoptr(guest_t) guest = guest_rhel();

        guest_put(guest, "etc/selinux/config", "SELINUX=enforcing\n");
        guest_put(guest, "etc/systemd/system/multi-user.target.wants/fapolicyd.service", "");
        assert_int_equal(guest_exit(guest, "kvm"), TN_PLAN_EXIT_READY);
        assert_found(guest, "access-control", TN_VERDICT_READY, "SELINUX=enforcing");
        assert_found(guest, "access-control", TN_VERDICT_READY, "fapolicyd is enabled");
}

static void test_agent(void **state)
{
        g_autoptr(guest_t) guest = guest_debian();

        guest_plan(guest, "kvm", NULL);
        assert_found(guest, "agent", TN_VERDICT_READY, "tenon is installed (/usr/sbin/tenond) and enabled");
        guest_remove(guest, "usr/sbin/tenond");
        guest_plan(guest, "kvm", NULL);
        assert_non_null(
                strstr(assert_found(guest, "agent", TN_VERDICT_READY, "no agent for the target")->remedy,
                       "org.qemu.guest_agent.0"));
        guest_put(guest, "usr/bin/qemu-ga", "");
        guest_plan(guest, "kvm", NULL);
        assert_found(guest, "agent", TN_VERDICT_READY,
                     "qemu-guest-agent is installed (/usr/bin/qemu-ga); that it is enabled");
        guest_plan(guest, "vmware", NULL);
        assert_found(guest, "agent", TN_VERDICT_READY, "no agent for the target");
}

static void test_boot_space(void **state)
{
        g_autoptr(guest_t) guest = guest_debian();

        guest_plan(guest, "kvm", NULL);
        assert_true(json_integer_value(
                            json_object_get(guest_finding(guest, "boot-space", 0)->data, "needed")) > 0);
        assert_found(guest, "boot-space", TN_VERDICT_READY,
                     "1 images made anew beside the old ones need 1 MiB");
        guest_put(guest, "boot/initrd.img-6.1.0-37-amd64", "this is no image");
        guest_plan(guest, "kvm", NULL);
        assert_found(guest, "boot-space", TN_VERDICT_READY,
                     "1 images made anew beside the old ones need 1 MiB");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_uefi),           cmocka_unit_test(test_bios),
                cmocka_unit_test(test_leftovers),      cmocka_unit_test(test_clock),
                cmocka_unit_test(test_console),        cmocka_unit_test(test_cpu_level),
                cmocka_unit_test(test_disk_keys),      cmocka_unit_test(test_hooks),
                cmocka_unit_test(test_access_control), cmocka_unit_test(test_agent),
                cmocka_unit_test(test_boot_space),     cmocka_unit_test(test_identity),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
