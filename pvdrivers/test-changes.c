/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * What prepare writes for each initramfs builder and for names of interfaces, in folders that stand for
 * machines. mkinitcpio and mkinitfs are no Debian packages: their files here are made after their manuals.
 */
#define _GNU_SOURCE
#include "detect/test-folder.h"
#include "lib/error.h"
#include "pvdrivers/pin.h"
#include "pvdrivers/rebuild-config.h"

#define RELEASE "6.12.1-lts"

struct machine {
        char *root;
        struct tn_env env;
        struct tn_kernels *kernels;
};

static int setup(void **state)
{
        struct machine *machine = g_new0(struct machine, 1);

        machine->root = folder_new();
        folder_put(machine->root, "lib/modules/" RELEASE "/modules.dep",
                   "kernel/drivers/block/virtio_blk.ko.gz: kernel/drivers/virtio/virtio.ko.gz\n"
                   "kernel/drivers/virtio/virtio.ko.gz:\n");
        folder_put(machine->root, "lib/modules/" RELEASE "/kernel/drivers/block/virtio_blk.ko.gz", "x");
        folder_put(machine->root, "lib/modules/" RELEASE "/kernel/drivers/virtio/virtio.ko.gz", "x");
        folder_put(machine->root, "boot/vmlinuz-" RELEASE, "x");
        assert_true(tn_env_init_root(&machine->env, machine->root, NULL));
        machine->kernels = tn_kernels_new(&machine->env);
        *state = machine;
        return 0;
}

static int teardown(void **state)
{
        struct machine *machine = *state;

        tn_kernels_free(machine->kernels);
        tn_env_deinit(&machine->env);
        folder_free(machine->root);
        g_free(machine);
        return 0;
}

/* Configures, compares the text of change @index, and writes all changes as prepare would. */
static void check(struct machine *machine, const char *builder, const char *modules, guint index,
                  const char *path, const char *wanted)
{
        g_autoptr(GPtrArray) changes = tn_changes_new();
        g_auto(GStrv) names = g_strsplit(modules, " ", -1);
        g_autofree char *program = g_strdup_printf("usr/sbin/%s", builder);
        const struct tn_rebuild_tool *tool;
        const struct tn_change *change;
        GError *error = NULL;

        folder_put(machine->root, program, "a stand-in, only to be found");
        tool = tn_rebuild_find(&machine->env, NULL, &error);
        assert_non_null(tool);
        assert_string_equal(tool->program, builder);
        assert_true(tool->configure(&machine->env, machine->kernels, names, changes, &error));
        if (!wanted) {
                assert_int_equal(changes->len, 0);
                return;
        }
        assert_true(changes->len > index);
        change = g_ptr_array_index(changes, index);
        assert_string_equal(change->path, path);
        assert_string_equal(change->text, wanted);
        for (guint i = 0; i < changes->len; i++) {
                change = g_ptr_array_index(changes, i);
                folder_put(machine->root, change->path, change->text);
        }
}

#define BEGIN "# Begin: added by `tenonctl drivers prepare`; `tenonctl drivers undo` takes it out.\n"
#define END   "# End: added by `tenonctl drivers prepare`.\n"
#define HEAD  "# Written by `tenonctl drivers prepare`; `tenonctl drivers undo` removes this file.\n"

static void test_initramfs_tools(void **state)
{
        const char *path = "etc/initramfs-tools/modules";
        struct machine *machine = *state;

        folder_put(machine->root, path, "# mine\next4");
        check(machine, "mkinitramfs", "virtio_pci virtio_blk", 0, path,
              "# mine\next4\n" BEGIN "virtio_pci\nvirtio_blk\n" END);
        check(machine, "mkinitramfs", "virtio_blk vmw_pvscsi", 0, path,
              "# mine\next4\n" BEGIN "virtio_pci\nvirtio_blk\nvmw_pvscsi\n" END);
        check(machine, "mkinitramfs", "vmw_pvscsi", 0, path, NULL);
}

static void test_dracut(void **state)
{
        const char *path = "etc/dracut.conf.d/50-tenon.conf";
        struct machine *machine = *state;

        check(machine, "dracut", "virtio_blk", 0, path, HEAD "add_drivers+=\" virtio_blk \"\n");
        check(machine, "dracut", "vmw_pvscsi", 0, path, HEAD "add_drivers+=\" virtio_blk vmw_pvscsi \"\n");
        check(machine, "dracut", "virtio_blk", 0, path, NULL);
}

static void test_mkinitcpio(void **state)
{
        struct machine *machine = *state;

        folder_put(machine->root, "etc/mkinitcpio.conf", "MODULES=(btrfs)\nHOOKS=(base)\n");
        check(machine, "mkinitcpio", "virtio_blk", 0, "etc/mkinitcpio.conf",
              "MODULES=(btrfs)\nHOOKS=(base)\n" BEGIN "MODULES+=(virtio_blk)\n" END);
        check(machine, "mkinitcpio", "xen_blkfront", 0, "etc/mkinitcpio.conf",
              "MODULES=(btrfs)\nHOOKS=(base)\n" BEGIN "MODULES+=(virtio_blk xen_blkfront)\n" END);
        folder_mkdir(machine->root, "etc/mkinitcpio.conf.d");
        check(machine, "mkinitcpio", "virtio_blk", 0, "etc/mkinitcpio.conf.d/50-tenon.conf",
              HEAD "MODULES+=(virtio_blk)\n");
        check(machine, "mkinitcpio", "xen_blkfront", 0, "etc/mkinitcpio.conf.d/50-tenon.conf",
              HEAD "MODULES+=(virtio_blk xen_blkfront)\n");
}

static void test_mkinitfs(void **state)
{
        struct machine *machine = *state;

        folder_put(machine->root, "etc/mkinitfs/mkinitfs.conf", "features=\"ata base\"\n# end\n");
        check(machine, "mkinitfs", "virtio_blk virtio no_such", 1, "etc/mkinitfs/mkinitfs.conf",
              "features=\"ata base tenon\"\n# end\n");
        check(machine, "mkinitfs", "virtio_blk virtio", 0, "", NULL);
        folder_put(machine->root, "etc/mkinitfs/features.d/tenon.modules", "kernel/fs/xfs*\n");
        check(machine, "mkinitfs", "virtio_blk", 0, "etc/mkinitfs/features.d/tenon.modules",
              "kernel/fs/xfs*\nkernel/drivers/block/virtio_blk.ko*\n");
}

static void test_none_installed(void **state)
{
        struct machine *machine = *state;
        GError *error = NULL;

        assert_null(tn_rebuild_find(&machine->env, NULL, &error));
        assert_int_equal(error->code, TN_ERROR_UNSUPPORTED);
        g_clear_error(&error);
}

static void test_pins(void **state)
{
        struct machine *machine = *state;
        g_autofree char *path = NULL, *text = NULL;
        GError *error = NULL;

        assert_false(tn_pin_make(&machine->env, "eth0", "52:54:00:12:34:56", &path, &text, &error));
        assert_int_equal(error->code, TN_ERROR_UNSUPPORTED);
        g_clear_error(&error);
        folder_mkdir(machine->root, "usr/sbin/udevd");
        assert_true(tn_pin_make(&machine->env, "eth0", "52:54:00:12:34:56", &path, &text, &error));
        assert_string_equal(path, "etc/udev/rules.d/70-tenon-eth0.rules");
        g_clear_pointer(&path, g_free);
        g_clear_pointer(&text, g_free);
        folder_put(machine->root, "usr/lib/systemd/network/99-default.link", "");
        folder_put(machine->root, "usr/lib/systemd/libsystemd-shared-252.so", "");
        assert_true(tn_pin_make(&machine->env, "ens192", "52:54:00:AB:34:56", &path, &text, &error));
        assert_string_equal(path, "etc/systemd/network/10-tenon-ens192.link");
        assert_non_null(
                strstr(text, "[Match]\nPermanentMACAddress=52:54:00:ab:34:56\n\n[Link]\nName=ens192\n"));
        g_clear_pointer(&path, g_free);
        g_clear_pointer(&text, g_free);
        assert_false(tn_pin_make(&machine->env, "../x", "52:54:00:12:34:56", &path, &text, &error));
        g_clear_error(&error);
        assert_false(tn_pin_make(&machine->env, "eth0", "52:54:00:12:34", &path, &text, &error));
        assert_int_equal(error->code, TN_ERROR_INVALID);
        g_clear_error(&error);
        assert_null(path);
}

/* The names that udev knows the card by stay, too; not its own, and none twice. */
static void test_alternative_names(void **state)
{
        struct machine *machine = *state;
        g_autofree char *path = NULL, *text = NULL;

        folder_put(machine->root, "usr/lib/systemd/network/99-default.link", "");
        folder_put(machine->root, "sys/class/net/ens192/ifindex", "2\n");
        folder_put(machine->root, "run/udev/data/n2",
                   "I:12345\nE:ID_NET_NAME_MAC=enx525400ab3456\nE:ID_NET_NAME_ONBOARD=eno1\n"
                   "E:ID_NET_NAME_PATH=enp11s0\nE:ID_NET_NAME_SLOT=ens192\nE:ID_NET_LABEL_ONBOARD=x\n");
        assert_true(tn_pin_make(&machine->env, "ens192", "52:54:00:ab:34:56", &path, &text, NULL));
        assert_non_null(
                strstr(text, "\n[Link]\nName=ens192\nAlternativeName=eno1\nAlternativeName=enp11s0\n"));
        assert_null(strstr(text, "=enx"));
}

static void test_pin_of_old_systemd(void **state)
{
        struct machine *machine = *state;
        g_autofree char *path = NULL, *text = NULL;

        folder_put(machine->root, "lib/systemd/network/99-default.link", "");
        folder_put(machine->root, "lib/systemd/libsystemd-shared-239.so", "");
        folder_put(machine->root, "sys/class/net/ens3/ifindex", "2\n");
        folder_put(machine->root, "run/udev/data/n2", "E:ID_NET_NAME_PATH=enp0s3\n");
        assert_true(tn_pin_make(&machine->env, "ens3", "52:54:00:12:34:56", &path, &text, NULL));
        assert_non_null(strstr(text, "[Match]\nType=ether\nMACAddress=52:54:00:12:34:56\n"));
        assert_null(strstr(text, "AlternativeName"));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_initramfs_tools, setup, teardown),
                cmocka_unit_test_setup_teardown(test_dracut, setup, teardown),
                cmocka_unit_test_setup_teardown(test_mkinitcpio, setup, teardown),
                cmocka_unit_test_setup_teardown(test_mkinitfs, setup, teardown),
                cmocka_unit_test_setup_teardown(test_none_installed, setup, teardown),
                cmocka_unit_test_setup_teardown(test_pins, setup, teardown),
                cmocka_unit_test_setup_teardown(test_alternative_names, setup, teardown),
                cmocka_unit_test_setup_teardown(test_pin_of_old_systemd, setup, teardown),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
