/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * Would it boot: the checks of kernels, images and boot loaders on the guests of six distributions, for all
 * targets; and what a plan says of images that are damaged, foreign or not there.
 */
#define _GNU_SOURCE
#include "lib/error.h"
#include "pvdrivers/test-guest.h"

static const char *const targets[] = {"kvm", "vmware", "xen", "hyperv", "virtualbox", "aws", "gcp", "azure"};

static void test_ready(void **state)
{
        struct guest *(*const distributions[])(void) = {guest_debian, guest_ubuntu, guest_rhel,
                                                        guest_suse,   guest_arch,   guest_alpine};

        for (size_t i = 0; i < G_N_ELEMENTS(distributions); i++) {
                g_autoptr(guest_t) guest = distributions[i]();

                for (size_t j = 0; j < G_N_ELEMENTS(targets); j++) {
                        int status = guest_exit(guest, targets[j]);

                        if (status != TN_PLAN_EXIT_READY) {
                                json_t *json = tn_plan_to_json(guest->plan);

                                print_error("distribution %zu on %s: %s\n", i, targets[j],
                                            json_dumps(json, JSON_INDENT(1)));
                                fail();
                        }
                        assert_found(guest, "boot-entry", TN_VERDICT_READY, "boots");
                }
        }
}

/* Debian with MODULES=dep on AHCI: the image has what this machine needs. */
static void test_modules_dep(void **state)
{
        g_autoptr(guest_t) guest = guest_debian();
        const struct tn_check *check;

        guest_image(guest, "boot/initrd.img-6.1.0-37-amd64", "6.1.0-37-amd64", guest_ahci_modules,
                    "conf/initramfs.conf");
        assert_int_equal(guest_exit(guest, "kvm"), TN_PLAN_EXIT_FATAL);
        check = assert_found(guest, "initramfs", TN_VERDICT_FATAL,
                             "/boot/initrd.img-6.1.0-37-amd64 lacks virtio_ring, virtio, virtio_pci, "
                             "virtio_blk, virtio_scsi");
        assert_string_equal(check->kernel, "6.1.0-37-amd64");
        assert_string_equal(check->remedy,
                            "put the lines virtio_pci virtio_blk virtio_scsi into "
                            "/etc/initramfs-tools/modules, then run: update-initramfs -u -k 6.1.0-37-amd64");
        assert_true(check->fixable);
        assert_int_equal(json_array_size(json_object_get(check->data, "missing")), 5);
        assert_string_equal(json_string_value(json_object_get(check->data, "generator")), "initramfs-tools");
        guest_put(guest, "etc/initramfs-tools/initramfs.conf", "# comment\nMODULES=most\n");
        guest_put(guest, "etc/initramfs-tools/conf.d/small", "MODULES=dep\n");
        assert_int_equal(guest_exit(guest, "vmware"), TN_PLAN_EXIT_FATAL);
        assert_found(guest, "initramfs", TN_VERDICT_FATAL,
                     "lacks vmw_pvscsi; it was made for this machine alone (MODULES=dep in "
                     "/etc/initramfs-tools/conf.d/small)");
        assert_int_equal(guest_exit(guest, "xen"), TN_PLAN_EXIT_FATAL);
        assert_found(guest, "initramfs", TN_VERDICT_FATAL, "lacks xen_blkfront");
        assert_int_equal(guest_exit(guest, "virtualbox"), TN_PLAN_EXIT_READY);
}

static void test_hostonly(void **state)
{
        g_autoptr(guest_t) guest = guest_rhel();
        const struct tn_check *check;

        guest_image(guest, "boot/initramfs-5.14.0-427.el9.x86_64.img", "5.14.0-427.el9.x86_64",
                    "scsi_mod sd_mod vmw_pvscsi xfs", "usr/lib/dracut-lib.sh");
        assert_int_equal(guest_exit(guest, "vmware"), TN_PLAN_EXIT_READY);
        guest_put(guest, "usr/lib/dracut/dracut.conf.d/01-dist.conf", "hostonly=\"yes\"\n");
        assert_int_equal(guest_exit(guest, "kvm"), TN_PLAN_EXIT_FATAL);
        assert_found(guest, "initramfs", TN_VERDICT_FATAL,
                     "(hostonly=yes in /usr/lib/dracut/dracut.conf.d/01-dist.conf)");
        check = assert_found(guest, "initramfs", TN_VERDICT_FATAL, "lacks virtio_ring");
        assert_non_null(strstr(
                check->remedy,
                "/etc/dracut.conf.d/50-tenon.conf, then run: dracut --force --kver 5.14.0-427.el9.x86_64"));
}

/* Half a chain does not carry. */
static void test_chain(void **state)
{
        g_autoptr(guest_t) guest = guest_debian();

        guest_image(guest, "boot/initrd.img-6.1.0-37-amd64", "6.1.0-37-amd64",
                    "virtio virtio_ring virtio_blk virtio_scsi scsi_mod sd_mod ext4 jbd2 mbcache",
                    "conf/initramfs.conf");
        assert_int_equal(guest_exit(guest, "kvm"), TN_PLAN_EXIT_FATAL);
        assert_found(guest, "initramfs", TN_VERDICT_FATAL, "lacks virtio_pci");
        /* virtio-scsi finds its controller without sd_mod, but no disk */
        guest_image(guest, "boot/initrd.img-6.1.0-37-amd64", "6.1.0-37-amd64",
                    "virtio virtio_ring virtio_pci virtio_scsi virtio_blk scsi_mod ext4 jbd2 mbcache",
                    "conf/initramfs.conf");
        assert_int_equal(guest_exit(guest, "kvm"), TN_PLAN_EXIT_FATAL);
        assert_found(guest, "initramfs", TN_VERDICT_FATAL, "lacks sd_mod");
        /* the root's own file system */
        guest_image(guest, "boot/initrd.img-6.1.0-37-amd64", "6.1.0-37-amd64",
                    "virtio virtio_ring virtio_pci virtio_scsi virtio_blk scsi_mod sd_mod",
                    "conf/initramfs.conf");
        assert_int_equal(guest_exit(guest, "kvm"), TN_PLAN_EXIT_FATAL);
        assert_found(guest, "initramfs", TN_VERDICT_FATAL, "lacks mbcache, jbd2, ext4");
}

static void test_devices(void **state)
{
        g_autoptr(guest_t) guest = guest_debian();

        guest_image(guest, "boot/initrd.img-6.1.0-37-amd64", "6.1.0-37-amd64",
                    "virtio virtio_ring virtio_pci virtio_blk ext4 jbd2 mbcache", "conf/initramfs.conf");
        assert_int_equal(guest_exit(guest, "kvm"), TN_PLAN_EXIT_FATAL);
        guest_plan(guest, "kvm", "virtio-blk,virtio-net");
        assert_int_equal(tn_plan_exit_status(guest->plan), TN_PLAN_EXIT_READY);
        assert_int_equal(guest->plan->devices->len, 2);
        guest_plan(guest, "kvm", "ahci");
        assert_int_equal(tn_plan_exit_status(guest->plan), TN_PLAN_EXIT_FATAL);
        guest_plan(guest, "kvm", "floppy");
        assert_true(g_str_has_prefix(guest->error->message,
                                     "the catalogue has no device \"floppy\" on kvm; it has: "));
        guest_plan(guest, "kvm", "virtio_net");
        assert_non_null(strstr(guest->error->message, "no disk is among the devices"));
        guest_plan(guest, "kvm", ",");
        assert_non_null(strstr(guest->error->message, "no disk is among the devices"));
        guest_plan(guest, "mars", NULL);
        assert_string_equal(guest->error->message,
                            "no target is called \"mars\"; there are kvm, vmware, xen, hyperv, "
                            "virtualbox, aws, gcp, azure");
        guest_plan(guest, NULL, NULL);
        assert_non_null(strstr(guest->error->message, "name the target"));
}

static void test_kernel_lacks(void **state)
{
        g_autoptr(guest_t) guest = guest_debian();
        const struct tn_check *check;

        guest_put(guest, "lib/modules/6.1.0-37-amd64/modules.dep",
                  "kernel/ext4.ko: kernel/jbd2.ko kernel/mbcache.ko\n"
                  "kernel/virtio.ko:\nkernel/virtio_pci.ko: kernel/virtio.ko\n"
                  "kernel/virtio_net.ko: kernel/virtio.ko\n");
        assert_int_equal(guest_exit(guest, "kvm"), TN_PLAN_EXIT_FATAL);
        check = assert_found(guest, "kernel-modules", TN_VERDICT_FATAL,
                             "virtio_blk: the kernel has no virtio_blk; no disk");
        assert_string_equal(check->remedy,
                            "tenonctl drivers install storage; the package is linux-image-6.1.0-37-amd64");
        assert_found(guest, "kernel-modules", TN_VERDICT_LOSS,
                     "virtio_console: the kernel has no virtio_console");
        assert_found(guest, "kernel-modules", TN_VERDICT_READY, "virtio_net: on-disk");
        check = assert_found(guest, "initramfs", TN_VERDICT_FATAL, "lacks virtio_blk");
        assert_false(check->fixable);
}

static void test_builtin(void **state)
{
        g_autoptr(guest_t) guest = guest_debian();

        guest_put(guest, "lib/modules/6.1.0-37-amd64/modules.dep",
                  "kernel/virtio_net.ko:\nkernel/virtio_console.ko:\n");
        guest_put(guest, "lib/modules/6.1.0-37-amd64/modules.builtin",
                  "kernel/virtio_pci.ko\nkernel/virtio_blk.ko\nkernel/virtio_scsi.ko\nkernel/"
                  "sd_mod.ko\nkernel/ext4.ko\n");
        guest_image(guest, "boot/initrd.img-6.1.0-37-amd64", "6.1.0-37-amd64", "", "conf/initramfs.conf");
        assert_int_equal(guest_exit(guest, "kvm"), TN_PLAN_EXIT_READY);
        /* the same without any image */
        guest_put(guest, "boot/grub/grub.cfg",
                  "menuentry 'x' {\n linux /boot/vmlinuz-6.1.0-37-amd64 root=UUID=1\n}\n");
        assert_int_equal(guest_exit(guest, "kvm"), TN_PLAN_EXIT_READY);
        assert_found(guest, "initramfs", TN_VERDICT_READY,
                     "there is no initramfs, and all that is needed is built in");
}

static void test_blacklisted(void **state)
{
        g_autoptr(guest_t) guest = guest_debian();
        const struct tn_check *check;

        guest_put(guest, "etc/modprobe.d/no.conf", "blacklist virtio_blk\n");
        assert_int_equal(guest_exit(guest, "kvm"), TN_PLAN_EXIT_FATAL);
        check = assert_found(guest, "kernel-modules", TN_VERDICT_FATAL,
                             "blacklisted: virtio_blk (by /etc/modprobe.d/no.conf");
        assert_non_null(strstr(check->remedy, "take the line out"));
        /* the line is gone, but the image still has it */
        guest_remove(guest, "etc/modprobe.d/no.conf");
        guest_image_with(guest, "boot/initrd.img-6.1.0-37-amd64", "6.1.0-37-amd64", guest_all_modules,
                         "etc/modprobe.d/no.conf", "# a comment\nblacklist virtio-blk\n");
        assert_int_equal(guest_exit(guest, "kvm"), TN_PLAN_EXIT_FATAL);
        assert_found(guest, "initramfs", TN_VERDICT_FATAL, "forbids virtio_blk (by etc/modprobe.d/no.conf)");
        assert_int_equal(guest_exit(guest, "vmware"), TN_PLAN_EXIT_READY);
}

/* A kernel whose folder of modules is gone. */
static void test_no_modules_folder(void **state)
{
        g_autoptr(guest_t) guest = guest_debian();

        guest_put(guest, "boot/vmlinuz-6.5.0-own", "kernel");
        guest_put(guest, "boot/grub/grub.cfg",
                  "menuentry 'own' {\n linux /boot/vmlinuz-6.5.0-own root=UUID=1\n}\n");
        assert_int_equal(guest_exit(guest, "kvm"), TN_PLAN_EXIT_NO_VERDICT);
        assert_found(guest, "kernel-modules", TN_VERDICT_UNKNOWN,
                     "virtio_blk: /lib/modules/6.5.0-own and /boot/config-6.5.0-own are missing");
        guest_put(
                guest, "boot/config-6.5.0-own",
                "CONFIG_VIRTIO_BLK=y\nCONFIG_SCSI_VIRTIO=y\nCONFIG_VIRTIO_NET=y\nCONFIG_VIRTIO_CONSOLE=y\n");
        assert_int_equal(guest_exit(guest, "kvm"), TN_PLAN_EXIT_READY);
        guest_put(guest, "boot/config-6.5.0-own", "CONFIG_VIRTIO_BLK=m\n");
        assert_int_equal(guest_exit(guest, "kvm"), TN_PLAN_EXIT_FATAL);
}

/* The default boots, an older one would not: that costs the fallback, not the boot. */
static void test_fallback(void **state)
{
        g_autoptr(guest_t) guest = guest_debian();

        guest_kernel(guest, "5.10.0-9-amd64", "boot/vmlinuz-5.10.0-9-amd64");
        guest_image(guest, "boot/initrd.img-5.10.0-9-amd64", "5.10.0-9-amd64", guest_ahci_modules,
                    "conf/initramfs.conf");
        assert_int_equal(guest_exit(guest, "kvm"), TN_PLAN_EXIT_LOSS);
        assert_true(assert_found(guest, "initramfs", TN_VERDICT_FATAL, "initrd.img-5.10.0-9-amd64 lacks")
                            ->fallback);
        assert_false(
                assert_found(guest, "initramfs", TN_VERDICT_READY, "initrd.img-6.1.0-37-amd64")->fallback);
        /* the other way round: the menu says the old one */
        guest_put(guest, "boot/grub/grub.cfg",
                  "set default=\"old>entry\"\nmenuentry 'new' {\n linux /boot/vmlinuz-6.1.0-37-amd64\n "
                  "initrd /boot/initrd.img-6.1.0-37-amd64\n}\n"
                  "submenu 'Advanced' --id old {\n menuentry 'old one' --id entry {\n  linux "
                  "/boot/vmlinuz-5.10.0-9-amd64\n"
                  "  initrd /boot/initrd.img-5.10.0-9-amd64\n }\n}\n");
        assert_int_equal(guest_exit(guest, "kvm"), TN_PLAN_EXIT_FATAL);
        assert_found(guest, "boot-entry", TN_VERDICT_READY,
                     "5.10.0-9-amd64 boots: /boot/grub/grub.cfg line 1: default=old>entry");
        assert_found(guest, "boot-entry", TN_VERDICT_READY,
                     "another kernel to choose: 6.1.0-37-amd64, and no rescue entry");
}

static void test_bad_images(void **state)
{
        g_autoptr(guest_t) guest = guest_debian();
        const struct tn_check *check;

        guest_put(guest, "boot/initrd.img-6.1.0-37-amd64", "this is no image");
        assert_int_equal(guest_exit(guest, "kvm"), TN_PLAN_EXIT_FATAL);
        check = assert_found(guest, "initramfs", TN_VERDICT_FATAL,
                             "neither a cpio archive nor a known compressor begins here");
        assert_string_equal(check->remedy, "update-initramfs -u -k 6.1.0-37-amd64");
        assert_true(check->fixable);
        guest_put(guest, "boot/initrd.img-6.1.0-37-amd64", "");
        assert_int_equal(guest_exit(guest, "kvm"), TN_PLAN_EXIT_FATAL);
        assert_found(guest, "initramfs", TN_VERDICT_FATAL, "the image is empty");
        folder_write(guest->root, "boot/initrd.img-6.1.0-37-amd64", "\x89LZO\0\r\n\x1a\n.", 10);
        assert_int_equal(guest_exit(guest, "kvm"), TN_PLAN_EXIT_NO_VERDICT);
        assert_found(guest, "initramfs", TN_VERDICT_UNKNOWN, "compressed with lzop");
        guest_remove(guest, "boot/initrd.img-6.1.0-37-amd64");
        assert_int_equal(guest_exit(guest, "kvm"), TN_PLAN_EXIT_FATAL);
        assert_found(guest, "initramfs", TN_VERDICT_FATAL, "open /boot/initrd.img-6.1.0-37-amd64");
        /* of another kernel */
        guest_image(guest, "boot/initrd.img-6.1.0-37-amd64", "6.1.0-30-amd64", guest_all_modules,
                    "conf/initramfs.conf");
        assert_int_equal(guest_exit(guest, "kvm"), TN_PLAN_EXIT_FATAL);
        assert_found(guest, "initramfs", TN_VERDICT_FATAL, "it has no module of this kernel at all");
        /* modules in an image within the image */
        guest_image(guest, "boot/initrd.img-6.1.0-37-amd64", "6.1.0-37-amd64", "", "squash-root.img");
        assert_int_equal(guest_exit(guest, "kvm"), TN_PLAN_EXIT_NO_VERDICT);
        assert_found(guest, "initramfs", TN_VERDICT_UNKNOWN, "squash-root.img");
}

static void test_no_kernel(void **state)
{
        g_autoptr(guest_t) guest = guest_new();

        guest_plan(guest, "kvm", NULL);
        assert_true(g_error_matches(guest->error, TN_ERROR, TN_ERROR_NOT_FOUND));
}

static void test_json(void **state)
{
        g_autoptr(guest_t) guest = guest_debian();
        json_auto_t *value = NULL;
        json_t *check;
        size_t i;

        guest_plan(guest, "kvm", NULL);
        value = tn_plan_to_json(guest->plan);
        assert_string_equal(json_string_value(json_object_get(value, "verdict")), "ready");
        assert_int_equal(json_integer_value(json_object_get(value, "exit-status")), 0);
        assert_int_equal(json_array_size(json_object_get(value, "kernels")), 1);
        json_array_foreach(json_object_get(value, "checks"), i, check)
        {
                assert_true(json_is_string(json_object_get(check, "id")));
                assert_true(json_is_string(json_object_get(check, "verdict")));
                assert_true(json_is_string(json_object_get(check, "evidence")));
                assert_true(json_is_boolean(json_object_get(check, "fixable")));
                assert_non_null(json_object_get(check, "remedy"));
                assert_non_null(json_object_get(check, "data"));
        }
        /* fifteen checks, each with a word */
        static const char *const ids[] = {"kernel-modules",  "initramfs", "boot-entry", "root-device",
                                          "interface-names", "leftovers", "clock",      "console",
                                          "disk-order",      "cpu-level", "disk-keys",  "freeze-hooks",
                                          "access-control",  "agent",     "boot-space"};

        for (i = 0; i < G_N_ELEMENTS(ids); i++)
                assert_true(guest_findings(guest, ids[i]) > 0);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_ready),
                cmocka_unit_test(test_modules_dep),
                cmocka_unit_test(test_hostonly),
                cmocka_unit_test(test_chain),
                cmocka_unit_test(test_devices),
                cmocka_unit_test(test_kernel_lacks),
                cmocka_unit_test(test_builtin),
                cmocka_unit_test(test_blacklisted),
                cmocka_unit_test(test_no_modules_folder),
                cmocka_unit_test(test_fallback),
                cmocka_unit_test(test_bad_images),
                cmocka_unit_test(test_no_kernel),
                cmocka_unit_test(test_json),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
