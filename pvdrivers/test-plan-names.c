/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* Names of disks: fstab, crypttab, the command line, LVM, RAID, units; and the order of several disks. */
#define _GNU_SOURCE
#include "pvdrivers/test-guest.h"

#define ROOT_LINE "UUID=0a1b2c3d-0000-4000-8000-000000000001 / ext4 defaults 0 1\n"

static void test_fstab(void **state)
{
        g_autoptr(guest_t) guest = guest_debian();
        const struct tn_check *check;

        guest_put(guest, "etc/fstab",
                  "# comment\n/dev/sda1\t/\text4 defaults 0 1\n/dev/sda5 none swap sw 0 0\n/dev/sr0 "
                  "/media/cdrom iso9660 noauto 0 0\n"
                  "/dev/sdb1 /srv ext4 nofail 0 2\n/dev/sdc1 /backup ext4 noauto 0 2\n/dev/mapper/vg-home "
                  "/home ext4 defaults 0 2\n");
        guest_put(guest, "dev/sda1", "");
        folder_link(guest->root, "../../sda1", "dev/disk/by-uuid/11111111-2222-3333-4444-555555555555");
        assert_int_equal(guest_exit(guest, "kvm"), TN_PLAN_EXIT_FATAL);
        assert_int_equal(guest_findings(guest, "root-device"), 3);
        check = assert_found(guest, "root-device", TN_VERDICT_FATAL,
                             "/etc/fstab line 2: /dev/sda1 is not that disk's name");
        assert_string_equal(check->remedy,
                            "write UUID=11111111-2222-3333-4444-555555555555 in place of /dev/sda1");
        assert_true(check->fixable);
        assert_string_equal(json_string_value(json_object_get(check->data, "replacement")),
                            "UUID=11111111-2222-3333-4444-555555555555");
        assert_found(guest, "root-device", TN_VERDICT_LOSS, "/etc/fstab line 3: /dev/sda5");
        assert_found(guest, "root-device", TN_VERDICT_LOSS, "/etc/fstab line 5: /dev/sdb1");
        /* sda stays sda on a target whose disks are called so */
        assert_int_equal(guest_exit(guest, "vmware"), TN_PLAN_EXIT_READY);
        assert_int_equal(guest_exit(guest, "xen"), TN_PLAN_EXIT_FATAL);
        assert_int_equal(guest_exit(guest, "aws"), TN_PLAN_EXIT_FATAL);
}

static void test_paths_and_ids(void **state)
{
        g_autoptr(guest_t) guest = guest_debian();

        guest_put(guest, "etc/fstab",
                  ROOT_LINE "/dev/disk/by-path/pci-0000:03:00.0-scsi-0:0:1:0 /srv xfs defaults 0 0\n"
                            "/dev/disk/by-id/dm-name-vg-x /x xfs defaults 0 0\n");
        assert_int_equal(guest_exit(guest, "vmware"), TN_PLAN_EXIT_FATAL);
        assert_int_equal(guest_findings(guest, "root-device"), 1);
        guest_put(guest, "etc/fstab", ROOT_LINE "/dev/disk/by-id/wwn-0x6000c29 /srv xfs nofail 0 0\n");
        assert_int_equal(guest_exit(guest, "vmware"), TN_PLAN_EXIT_LOSS);
}

static void test_crypttab(void **state)
{
        g_autoptr(guest_t) guest = guest_debian();

        guest_put(guest, "etc/crypttab", "data /dev/sdb2 none luks\nswap /dev/sda3 /dev/urandom swap\n");
        assert_int_equal(guest_exit(guest, "kvm"), TN_PLAN_EXIT_FATAL);
        assert_true(assert_found(guest, "root-device", TN_VERDICT_FATAL, "/etc/crypttab line 1: /dev/sdb2")
                            ->fixable);
        assert_found(guest, "root-device", TN_VERDICT_LOSS, "/etc/crypttab line 2: /dev/sda3");
}

static void test_options(void **state)
{
        g_autoptr(guest_t) guest = guest_debian();

        guest_put(guest, "boot/grub/grub.cfg",
                  "menuentry 'x' {\n linux /boot/vmlinuz-6.1.0-37-amd64 root=/dev/sda1 resume=/dev/sda5 ro\n"
                  " initrd /boot/initrd.img-6.1.0-37-amd64\n}\n");
        guest_put(guest, "etc/default/grub", "GRUB_CMDLINE_LINUX=\"resume=/dev/sda5\"\n");
        guest_put(guest, "etc/initramfs-tools/conf.d/resume", "RESUME=/dev/sda5\n");
        assert_int_equal(guest_exit(guest, "kvm"), TN_PLAN_EXIT_FATAL);
        assert_found(guest, "root-device", TN_VERDICT_FATAL, "/boot/grub/grub.cfg line 1: /dev/sda1");
        assert_found(guest, "root-device", TN_VERDICT_LOSS, "/boot/grub/grub.cfg line 1: /dev/sda5");
        assert_found(guest, "root-device", TN_VERDICT_LOSS, "/etc/default/grub line 1: /dev/sda5");
        assert_found(guest, "root-device", TN_VERDICT_LOSS,
                     "/etc/initramfs-tools/conf.d/resume line 1: /dev/sda5");
}

static void test_lvm_devices(void **state)
{
        g_autoptr(guest_t) guest = guest_rhel();
        const struct tn_check *check;

        guest_put(guest, "etc/lvm/devices/system.devices",
                  "# LVM uses devices listed in this file.\nVERSION=1.1.2\n"
                  "IDTYPE=sys_wwid IDNAME=naa.6000c29f00 DEVNAME=/dev/sda2 PVID=abc PART=2\n");
        assert_int_equal(guest_exit(guest, "kvm"), TN_PLAN_EXIT_LOSS);
        guest_put(guest, "etc/fstab", "/dev/mapper/rl-root / xfs defaults 0 0\n");
        assert_int_equal(guest_exit(guest, "kvm"), TN_PLAN_EXIT_FATAL);
        check = assert_found(guest, "root-device", TN_VERDICT_FATAL,
                             "/etc/lvm/devices/system.devices names disks by what this "
                             "hypervisor gives them (IDNAME=naa.6000c29f00)");
        assert_true(check->fixable);
        /* prepare has no other name for a disk of multipath, and does not say that it had */
        guest_put(guest, "etc/lvm/devices/system.devices",
                  "IDTYPE=mpath_uuid IDNAME=mpath-36000c29f00 DEVNAME=/dev/dm-0 PVID=abc PART=2\n");
        assert_int_equal(guest_exit(guest, "kvm"), TN_PLAN_EXIT_FATAL);
        check = assert_found(guest, "root-device", TN_VERDICT_FATAL, "IDNAME=mpath-36000c29f00");
        assert_false(check->fixable);
        guest_put(guest, "etc/lvm/lvmlocal.conf", "devices {\n\tuse_devicesfile = 0\n}\n");
        assert_int_equal(guest_exit(guest, "kvm"), TN_PLAN_EXIT_READY);
}

static void test_lvm_filter(void **state)
{
        g_autoptr(guest_t) guest = guest_debian();

        guest_put(guest, "etc/lvm/lvm.conf",
                  "devices {\n  # filter = [ \"a|.*|\" ]\n  filter = [ \"a|/dev/sda.*|\", \"r|.*|\" ]\n}\n");
        assert_int_equal(guest_exit(guest, "kvm"), TN_PLAN_EXIT_LOSS);
        assert_found(guest, "root-device", TN_VERDICT_LOSS, "/etc/lvm/lvm.conf line 3: filter");
        guest_put(guest, "etc/fstab", "/dev/mapper/vg-root / ext4 defaults 0 1\n");
        assert_int_equal(guest_exit(guest, "kvm"), TN_PLAN_EXIT_FATAL);
        guest_put(guest, "etc/lvm/lvm.conf", "devices {\n  filter = [ \"r|/dev/cdrom|\", \"a|.*|\" ]\n}\n");
        assert_int_equal(guest_exit(guest, "kvm"), TN_PLAN_EXIT_READY);
}

static void test_raid_and_units(void **state)
{
        g_autoptr(guest_t) guest = guest_debian();

        guest_put(guest, "etc/mdadm/mdadm.conf",
                  "DEVICE /dev/sda1 /dev/sdb1\nARRAY /dev/md0 UUID=1:2:3:4\n");
        guest_put(guest, "etc/systemd/system/srv.mount",
                  "[Mount]\nWhat=/dev/disk/by-path/pci-0000:00:10.0-scsi-0:0:1:0\nWhere=/srv\n");
        guest_put(guest, "etc/udev/rules.d/90-db.rules",
                  "ENV{ID_PATH}==\"pci-0000:03:00.0\", SYMLINK+=\"db\"\n");
        assert_int_equal(guest_exit(guest, "kvm"), TN_PLAN_EXIT_LOSS);
        assert_found(guest, "root-device", TN_VERDICT_LOSS, "/etc/mdadm/mdadm.conf line 1");
        assert_found(guest, "root-device", TN_VERDICT_LOSS,
                     "/etc/systemd/system/srv.mount line 2: /dev/disk/by-path/");
        assert_found(guest, "root-device", TN_VERDICT_LOSS,
                     "/etc/udev/rules.d/90-db.rules line 1 matches the slot");
}

/* A running machine: LVM on LUKS on the second of two disks. */
static void test_stack(void **state)
{
        g_autoptr(guest_t) guest = guest_debian();

        guest_put(guest, "proc/1/mountinfo",
                  "22 1 254:1 / / rw,relatime shared:1 - ext4 /dev/mapper/vg-root rw\n30 22 0:25 / /sys rw "
                  "- sysfs sysfs rw\n");
        folder_link(guest->root, "../../devices/virtual/block/dm-1", "sys/dev/block/254:1");
        guest_put(guest, "sys/devices/virtual/block/dm-1/dm/uuid", "LVM-abc\n");
        guest_put(guest, "sys/devices/virtual/block/dm-1/slaves/dm-0/uevent", "");
        guest_put(guest, "sys/devices/virtual/block/dm-0/dm/uuid", "CRYPT-LUKS2-abc\n");
        guest_put(guest, "sys/devices/virtual/block/dm-0/slaves/sdb2/uevent", "");
        guest_put(guest, "sys/devices/pci/host0/block/sdb/sdb2/partition", "2\n");
        folder_link(guest->root, "../../devices/virtual/block/dm-1", "sys/class/block/dm-1");
        folder_link(guest->root, "../../devices/virtual/block/dm-0", "sys/class/block/dm-0");
        folder_link(guest->root, "../../devices/pci/host0/block/sdb/sdb2", "sys/class/block/sdb2");
        guest_put(guest, "sys/block/sda/size", "1000\n");
        guest_put(guest, "sys/block/sdb/size", "6000000000\n");
        guest_put(guest, "sys/block/loop0/size", "0\n");
        assert_int_equal(guest_exit(guest, "kvm"), TN_PLAN_EXIT_READY);
        assert_found(guest, "disk-order", TN_VERDICT_READY, "2 disks (sda, sdb), on the target vd… or sd…");
        assert_found(guest, "disk-order", TN_VERDICT_READY, "sdb has more than 2 TiB");
        guest_image(guest, "boot/initrd.img-6.1.0-37-amd64", "6.1.0-37-amd64",
                    "virtio_ring virtio virtio_pci virtio_blk scsi_mod sd_mod virtio_scsi ext4 jbd2 mbcache "
                    "dm-mod",
                    "conf/initramfs.conf");
        assert_int_equal(guest_exit(guest, "kvm"), TN_PLAN_EXIT_FATAL);
        assert_found(guest, "initramfs", TN_VERDICT_FATAL, "lacks dm_crypt");
        /* two disks: the kernel's names are not certain, even where they are of the same kind */
        guest_put(guest, "etc/fstab", ROOT_LINE "/dev/sdb1 /boot ext4 defaults 0 2\n");
        assert_int_equal(guest_exit(guest, "vmware"), TN_PLAN_EXIT_FATAL);
        assert_found(guest, "disk-order", TN_VERDICT_LOSS, "some are named by what changes");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_fstab),          cmocka_unit_test(test_paths_and_ids),
                cmocka_unit_test(test_crypttab),       cmocka_unit_test(test_options),
                cmocka_unit_test(test_lvm_devices),    cmocka_unit_test(test_lvm_filter),
                cmocka_unit_test(test_raid_and_units), cmocka_unit_test(test_stack),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
