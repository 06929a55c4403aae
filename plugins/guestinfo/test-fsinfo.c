/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * guest-get-fsinfo and guest-get-disks against recorded machines: fixtures/NAME.tree is the machine,
 * fixtures/NAME.expected what has to be said of it. The mount table and the choice of mounts by themselves.
 */
#include "plugins/guestinfo/test-support.h"

#include <string.h>

#include "lib/error.h"
#include "plugins/guestinfo/block.h"
#include "plugins/guestinfo/mounts.h"

static const char *const recorded[] = {
        "ahci", "anonymous",      "buses", "ccw",    "ide",         "lvm", "md-raid1",
        "nvme", "nvme-multipath", "usb",   "virtio", "virtio-scsi", "xen",
};

static void test_recorded_machines(void **state)
{
        (void) state;
        for (size_t i = 0; i < G_N_ELEMENTS(recorded); i++) {
                g_autoptr(machine_t) machine = machine_new();
                g_autofree char *tree = g_strconcat(recorded[i], ".tree", NULL);
                g_autofree char *expected = g_strconcat(recorded[i], ".expected", NULL);
                json_t *filesystems, *disks, *both;

                machine_add_fixture(machine, tree);
                filesystems = machine_run(machine, "guest-get-fsinfo");
                disks = machine_run(machine, "guest-get-disks");
                assert_reply_type("guest-get-fsinfo", filesystems);
                assert_reply_type("guest-get-disks", disks);
                both = json_pack("{s:o, s:o}", "guest-get-fsinfo", filesystems, "guest-get-disks", disks);
                assert_json_fixture(both, expected);
                json_decref(both);
        }
}

/* Also what the fixtures of the build machine cannot say: real sizes of the real root. */
static void test_running_machine(void **state)
{
        g_autoptr(machine_t) machine = machine_running();
        json_t *reply = machine_run(machine, "guest-get-fsinfo");

        (void) state;
        assert_reply_type("guest-get-fsinfo", reply);
        for (size_t i = 0; i < json_array_size(reply); i++) {
                json_t *entry = json_array_get(reply, i);
                json_t *used = json_object_get(entry, "used-bytes");
                json_t *total = json_object_get(entry, "total-bytes");
                json_t *all = json_object_get(entry, "total-bytes-privileged");

                assert_true(!used == !total && !used == !all);
                assert_true(json_integer_value(used) <= json_integer_value(total));
                assert_true(json_integer_value(total) <= json_integer_value(all));
        }
        json_decref(reply);
}

static GPtrArray *parse(const char *text)
{
        FILE *file = fmemopen((char *) text, strlen(text), "r");
        GPtrArray *mounts = tn_mounts_parse(file, NULL);

        assert_non_null(mounts);
        assert_int_equal(fclose(file), 0);
        return mounts;
}

static const struct tn_mount *mount_at(GPtrArray *mounts, const char *target)
{
        for (guint i = 0; i < mounts->len; i++) {
                const struct tn_mount *mount = g_ptr_array_index(mounts, i);

                if (strcmp(mount->target, target) == 0)
                        return mount;
        }
        fail_msg("no mount at %s", target);
        return NULL;
}

/* A size must never be asked where somebody else has to answer, at the mount or above it. */
static void test_what_may_hang(void **state)
{
        static const struct {
                const char *target;
                bool may_hang;
        } expected[] = {
                {"/", false},       {"/ntfs", true}, {"/net", true},    {"/net/inner/deep", true},
                {"/cluster", true}, {"/loop", true}, {"/plain", false},
        };
        g_autoptr(GPtrArray) mounts = parse("1 0 8:1 / / rw - ext4 /dev/sda1 rw\n"
                                            "2 1 8:2 / /ntfs rw - fuseblk /dev/sda2 rw\n"
                                            "3 1 0:40 / /net rw - nfs4 server:/x rw\n"
                                            "4 3 8:3 / /net/inner rw - ext4 /dev/sda3 rw\n"
                                            "5 4 8:4 / /net/inner/deep rw - ext4 /dev/sda4 rw\n"
                                            "6 1 8:5 / /cluster rw - gfs2 /dev/sda5 rw\n"
                                            "7 7 8:6 / /plain rw - ext4 /dev/sda6 rw\n"
                                            "8 2 7:0 / /loop rw - squashfs /dev/loop0 rw\n");

        (void) state;
        for (size_t i = 0; i < G_N_ELEMENTS(expected); i++)
                assert_int_equal(mount_at(mounts, expected[i].target)->may_hang, expected[i].may_hang);
}

static void assert_selection(const char *text, bool with_network, const char *targets)
{
        g_autoptr(GPtrArray) mounts = parse(text);
        g_autoptr(GPtrArray) selected = tn_mounts_select(mounts, with_network);
        g_autoptr(GString) found = g_string_new(NULL);

        for (guint i = 0; i < selected->len; i++)
                g_string_append_printf(found, "%s%s", i ? " " : "",
                                       ((struct tn_mount *) g_ptr_array_index(selected, i))->target);
        assert_string_equal(found->str, targets);
}

static void assert_selected(const char *text, const char *targets)
{
        assert_selection(text, false, targets);
}

static void test_subvolumes(void **state)
{
        (void) state;
        /* each subvolume once; a part of one is not one */
        assert_selected("1 0 0:30 /@ / rw - btrfs /dev/vda rw,subvolid=256,subvol=/@\n"
                        "2 1 0:30 /@home /home rw - btrfs /dev/vda rw,subvolid=257,subvol=/@home\n"
                        "3 1 0:30 /@home/me /me rw - btrfs /dev/vda rw,subvolid=257,subvol=/@home\n"
                        "4 1 0:30 /@home /also/home rw - btrfs /dev/vda rw,subvolid=257,subvol=/@home\n"
                        "5 1 0:31 / /other rw - btrfs /dev/vdb rw,subvolid=5,subvol=/\n",
                        "/ /home /other");
        /* the whole subvolume before a part of it that comes first and is shorter */
        assert_selected("1 0 0:30 /@home/me /me rw - btrfs /dev/vda rw,subvol=/@home\n"
                        "2 0 0:30 /@home /home rw - btrfs /dev/vda rw,subvol=/@home\n",
                        "/home");
        /* a kernel that does not say */
        assert_selected("1 0 0:30 /x /a rw - btrfs /dev/vda rw\n2 0 0:30 /y /b rw - btrfs /dev/vda rw\n",
                        "/a /b");
}

static void test_overlays_and_networks(void **state)
{
        static const char table[] =
                "1 0 0:40 / / rw - overlay overlay rw,lowerdir=/ro,upperdir=/rw/up,workdir=/rw/work\n"
                "2 1 0:41 / /var/lib/docker/overlay2/0123/merged rw - overlay overlay rw,lowerdir=/l\n"
                "3 1 0:42 / /run/containerd/x/rootfs rw - overlay overlay rw,lowerdir=/l\n"
                "4 1 0:43 / /nfs rw - nfs4 server:/export rw\n"
                "5 1 0:44 / /ssh rw - fuse.sshfs host: rw\n"
                "6 1 0:45 / /share rw - virtiofs tag rw\n"
                "7 1 0:46 / /fuse rw - fuse.lxcfs lxcfs rw\n"
                "8 1 0:47 / /auto rw - autofs systemd-1 rw\n"
                "9 1 0:48 / /over rw - overlay overlay rw,lowerdir=/a,upperdir=/nfs/up,workdir=/nfs/w\n"
                "10 1 0:49 / /ro rw - overlay overlay ro,lowerdir=/a:/ssh/b\n"
                "11 1 0:50 / /near rw - overlay overlay rw,lowerdir=/nfsx,upperdir=/nfsx/up\n";
        g_autoptr(GPtrArray) mounts = parse(table);

        (void) state;
        assert_selection(table, false, "/ /over /ro /near");
        assert_selection(table, true, "/ /nfs /ssh /share /over /ro /near");
        assert_false(mount_at(mounts, "/")->may_hang);
        assert_true(mount_at(mounts, "/over")->may_hang);
        assert_true(mount_at(mounts, "/ro")->may_hang);
        assert_false(mount_at(mounts, "/near")->may_hang);
}

static void test_one_mount_of_each(void **state)
{
        (void) state;
        /* the whole before a part of it, though the part is shorter and first */
        assert_selected("1 0 8:1 /x /a rw - ext4 /dev/sda1 rw\n2 0 8:1 / /data rw - ext4 /dev/sda1 rw\n",
                        "/data");
        /* the root before all, though only a part is mounted there */
        assert_selected(
                "1 0 8:1 / /sysroot rw - xfs /dev/sda1 rw\n2 0 8:1 /deploy / rw - xfs /dev/sda1 rw\n", "/");
        /* the shorter of two equals, then the first */
        assert_selected("1 0 8:1 / /bbb rw - xfs /dev/sda1 rw\n2 0 8:1 / /aa rw - xfs /dev/sda1 rw\n"
                        "3 0 8:1 / /cc rw - xfs /dev/sda1 rw\n",
                        "/aa");
        /* nothing without a device */
        assert_selected("1 0 0:3 / /proc rw - proc proc rw\n2 0 0:9 / /x rw - virtiofs tag rw\n", "");
        /* places of the first mounts are kept */
        assert_selected("1 0 8:2 / /b rw - xfs /dev/sda2 rw\n2 0 8:1 / / rw - xfs /dev/sda1 rw\n"
                        "3 0 8:2 / /a rw - xfs /dev/sda2 rw\n",
                        "/b /");
}

static void test_mount_without_sysfs(void **state)
{
        g_autoptr(machine_t) machine = machine_new();
        json_t *reply;

        (void) state;
        assert_int_equal(machine_run_failing(machine, "guest-get-fsinfo"), TN_ERROR_NOT_FOUND);
        machine_add(machine, "proc/self/mountinfo = 1 0 8:1 / / rw - ext4 /dev/sda1 rw");
        reply = machine_run(machine, "guest-get-fsinfo");
        assert_json(reply,
                    "[{\"name\": \"sda1\", \"mountpoint\": \"/\", \"type\": \"ext4\", \"disk\": []}]");
        json_decref(reply);
}

/* Slaves in a circle, which no kernel makes, end. */
static void test_circle_of_slaves(void **state)
{
        g_autoptr(machine_t) machine = machine_new();
        json_t *list = json_array();

        (void) state;
        machine_add(machine, "sys/devices/virtual/block/dm-0/slaves/dm-1 -> ../../dm-1\n"
                             "sys/devices/virtual/block/dm-1/slaves/dm-0 -> ../../dm-0");
        tn_block_append_addresses(&machine->env, "sys/devices/virtual/block/dm-0", list);
        assert_int_equal(json_array_size(list), 0);
        json_decref(list);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_recorded_machines),   cmocka_unit_test(test_running_machine),
                cmocka_unit_test(test_what_may_hang),       cmocka_unit_test(test_one_mount_of_each),
                cmocka_unit_test(test_subvolumes),          cmocka_unit_test(test_overlays_and_networks),
                cmocka_unit_test(test_mount_without_sysfs), cmocka_unit_test(test_circle_of_slaves),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
