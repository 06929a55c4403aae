/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* Names of disks in fstab, crypttab and command lines: what is replaced, and what must not be. */
#define _GNU_SOURCE
#include "detect/test-folder.h"
#include "pvdrivers/lvmdevices.h"
#include "pvdrivers/rename.h"

static struct tn_env env;
static struct tn_rename_map *map;

static int setup(void **state)
{
        char *root = folder_new();

        folder_link(root, "../../sda1", "dev/disk/by-uuid/1111-aaaa");
        folder_link(root, "../../sda2", "dev/disk/by-uuid/2222-bbbb");
        folder_link(root, "../../nvme0n1p3", "dev/disk/by-uuid/3333-cccc");
        folder_link(root, "../../sda1", "dev/disk/by-partuuid/77-01");
        folder_link(root, "../../sda4", "dev/disk/by-partuuid/77-04");
        folder_link(root, "../../sda2", "dev/disk/by-path/pci-0000:00:1f.2-ata-1-part2");
        assert_true(tn_env_init_root(&env, root, NULL));
        map = tn_rename_map_new(&env);
        *state = root;
        return 0;
}

static int teardown(void **state)
{
        tn_rename_map_free(map);
        tn_env_deinit(&env);
        folder_free(*state);
        return 0;
}

/* Compares the new text (NULL: nothing to do) and the two lists, joined by ", ". */
static void check(enum tn_rename_kind kind, const char *text, const char *wanted, const char *wanted_changes,
                  const char *wanted_unknown)
{
        g_autoptr(GPtrArray) changes = g_ptr_array_new_with_free_func(g_free);
        g_autoptr(GPtrArray) unknown = g_ptr_array_new_with_free_func(g_free);
        g_autofree char *got = tn_rename_text(map, kind, text, changes, unknown);
        g_autofree char *got_changes = NULL, *got_unknown = NULL;

        if (wanted)
                assert_string_equal(got, wanted);
        else
                assert_null(got);
        g_ptr_array_add(changes, NULL);
        g_ptr_array_add(unknown, NULL);
        got_changes = g_strjoinv(", ", (char **) changes->pdata);
        got_unknown = g_strjoinv(", ", (char **) unknown->pdata);
        assert_string_equal(got_changes, wanted_changes);
        assert_string_equal(got_unknown, wanted_unknown);
}

static void test_fstab(void **state)
{
        (void) state;
        check(TN_RENAME_FSTAB,
              "# /dev/sda1 was root\n/dev/sda1\t/ ext4 errors=remount-ro 0\t1 # /dev/sda2\n\n"
              "  /dev/sda2 none swap sw 0 0\nUUID=9 /x ext4\n/dev/mapper/vg-x /y ext4\nserver:/dev/sda1 /n "
              "nfs",
              "# /dev/sda1 was root\nUUID=1111-aaaa\t/ ext4 errors=remount-ro 0\t1 # /dev/sda2\n\n"
              "  UUID=2222-bbbb none swap sw 0 0\nUUID=9 /x ext4\n/dev/mapper/vg-x /y ext4\n"
              "server:/dev/sda1 /n nfs",
              "/dev/sda1 → UUID=1111-aaaa, /dev/sda2 → UUID=2222-bbbb", "");
        check(TN_RENAME_FSTAB, "/dev/nvme0n1p3 /data xfs", "UUID=3333-cccc /data xfs",
              "/dev/nvme0n1p3 → UUID=3333-cccc", "");
        check(TN_RENAME_FSTAB, "/dev/disk/by-path/pci-0000:00:1f.2-ata-1-part2 none swap\r\n",
              "UUID=2222-bbbb none swap\r\n",
              "/dev/disk/by-path/pci-0000:00:1f.2-ata-1-part2 → UUID=2222-bbbb", "");
        check(TN_RENAME_FSTAB, "/dev/sdz9 /old ext4 noauto\n", NULL, "", "/dev/sdz9");
        check(TN_RENAME_FSTAB, "", NULL, "", "");
        check(TN_RENAME_FSTAB, "/dev/sr0 /cd iso9660\n/dev/md0 /m ext4\n/dev/sda1x /q ext4\n", NULL, "", "");
}

static void test_crypttab(void **state)
{
        (void) state;
        check(TN_RENAME_CRYPTTAB,
              "# name device key\nhome\t/dev/sda1 none luks\ncswap /dev/sda4 /dev/urandom swap\n",
              "# name device key\nhome\tUUID=1111-aaaa none luks\ncswap PARTUUID=77-04 /dev/urandom swap\n",
              "/dev/sda1 → UUID=1111-aaaa, /dev/sda4 → PARTUUID=77-04", "");
        check(TN_RENAME_CRYPTTAB, "alone\n", NULL, "", "");
}

static void test_command_line(void **state)
{
        (void) state;
        check(TN_RENAME_CMDLINE, "GRUB_CMDLINE_LINUX=\"root=/dev/sda1 resume=/dev/sda2 quiet\"\n",
              "GRUB_CMDLINE_LINUX=\"root=UUID=1111-aaaa resume=UUID=2222-bbbb quiet\"\n",
              "/dev/sda1 → UUID=1111-aaaa, /dev/sda2 → UUID=2222-bbbb", "");
        check(TN_RENAME_CMDLINE, "\tlinux\t/boot/vmlinuz root=/dev/sda1 ro\n\tinitrd /boot/initrd\n",
              "\tlinux\t/boot/vmlinuz root=UUID=1111-aaaa ro\n\tinitrd /boot/initrd\n",
              "/dev/sda1 → UUID=1111-aaaa", "");
        check(TN_RENAME_CMDLINE,
              "# root=/dev/sda1\nset root='hd0,msdos1'\nnfsroot=/dev/sda1 x.root=/dev/sda1\n", NULL, "", "");
        check(TN_RENAME_CMDLINE, "kernelopts=root=/dev/sda1 ro\n", "kernelopts=root=UUID=1111-aaaa ro\n",
              "/dev/sda1 → UUID=1111-aaaa", "");
        check(TN_RENAME_CMDLINE, "RESUME=/dev/sda2\n", "RESUME=UUID=2222-bbbb\n",
              "/dev/sda2 → UUID=2222-bbbb", "");
        check(TN_RENAME_PARTITION, "root=/dev/sda1 ro", "root=PARTUUID=77-01 ro",
              "/dev/sda1 → PARTUUID=77-01", "");
}

static void test_lvm_devices(void **state)
{
        g_autoptr(GPtrArray) changes = g_ptr_array_new_with_free_func(g_free);
        g_autofree char *text = NULL;

        (void) state;
        text = tn_lvmdevices_rewrite(
                "# LVM uses devices listed in this file.\nHASH=12\nVERSION=1.1.2\n"
                "IDTYPE=sys_wwid IDNAME=t10.ATA_QEMU DEVNAME=/dev/sda3 PVID=abc PART=3\n"
                "IDTYPE=md_uuid IDNAME=x DEVNAME=/dev/md0 PVID=def\n"
                "IDTYPE=devname IDNAME=/dev/sdb DEVNAME=/dev/sdb PVID=ghi\n",
                changes);
        assert_string_equal(text, "# LVM uses devices listed in this file.\nVERSION=1.1.2\n"
                                  "IDTYPE=devname IDNAME=/dev/sda3 DEVNAME=/dev/sda3 PVID=abc PART=3\n"
                                  "IDTYPE=md_uuid IDNAME=x DEVNAME=/dev/md0 PVID=def\n"
                                  "IDTYPE=devname IDNAME=/dev/sdb DEVNAME=/dev/sdb PVID=ghi\n");
        assert_int_equal(changes->len, 1);
        assert_null(tn_lvmdevices_rewrite("VERSION=1.1.2\n", changes));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_fstab),
                cmocka_unit_test(test_crypttab),
                cmocka_unit_test(test_command_line),
                cmocka_unit_test(test_lvm_devices),
        };

        return cmocka_run_group_tests(tests, setup, teardown);
}
