/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* Boot loaders: which entry starts, with which kernel, images and command line. */
#define _GNU_SOURCE
#include "pvdrivers/boot.h"
#include "pvdrivers/test-guest.h"

static struct tn_kernels *kernels;

static struct tn_boot *read_boot(struct guest *guest)
{
        tn_kernels_free(kernels);
        kernels = tn_kernels_new(&guest->env);
        return tn_boot_read(&guest->env, kernels);
}

static struct guest *two_kernels(void)
{
        struct guest *guest = guest_new();

        guest_kernel(guest, "6.1.0-1", "boot/vmlinuz-6.1.0-1");
        guest_kernel(guest, "6.1.0-2", "boot/vmlinuz-6.1.0-2");
        return guest;
}

static const char menu[] =
        "submenu 'Advanced options' $menuentry_id_option 'adv' {\n"
        "\tmenuentry 'Linux 2' --class x $menuentry_id_option 'l2' {\n"
        "\t\tif [ x$feature = xy ]; then\n\t\t\tsearch --fs-uuid ${root}\n\t\tfi\n"
        "\t\tlinux /vmlinuz-6.1.0-2 root=UUID=2\n\t\tinitrd /a /b\n\t}\n"
        "\tmenuentry 'Linux 1' $menuentry_id_option 'l1' {\n\t\tlinux /vmlinuz-6.1.0-1 root=UUID=1\n\t}\n}\n"
        "menuentry 'Linux' {\n\tlinux /vmlinuz-6.1.0-2 root=UUID=0\n}\n";

static void choose(struct guest *guest, const char *value, const char *options)
{
        g_autofree char *text = g_strdup_printf("set default=\"%s\"\n%s", value, menu);
        g_autoptr(tn_boot_t) boot = NULL;

        guest_put(guest, "boot/grub/grub.cfg", text);
        boot = read_boot(guest);
        assert_int_equal(boot->entries->len, 3);
        assert_string_equal(boot->chosen->options, options);
}

static void test_grub(void **state)
{
        g_autoptr(guest_t) guest = two_kernels();
        g_autoptr(tn_boot_t) boot = NULL;

        choose(guest, "0", "root=UUID=2");
        choose(guest, "1", "root=UUID=0");
        choose(guest, "0>1", "root=UUID=1");
        choose(guest, "adv>l1", "root=UUID=1");
        choose(guest, "Advanced options>Linux 1", "root=UUID=1");
        choose(guest, "l1", "root=UUID=2"); /* not in the menu: GRUB takes the first */
        choose(guest, "adv", "root=UUID=2");
        choose(guest, "Linux", "root=UUID=0");
        choose(guest, "${saved_entry}", "root=UUID=2");
        guest_put(guest, "boot/grub/grubenv", "# GRUB Environment Block\nsaved_entry=adv>l1\n####\n");
        choose(guest, "${saved_entry}", "root=UUID=1");
        boot = read_boot(guest);
        assert_string_equal(boot->evidence, "/boot/grub/grubenv: saved_entry=adv>l1");
        assert_string_equal(boot->chosen->release, "6.1.0-1");
        assert_string_equal(boot->chosen->image, "boot/vmlinuz-6.1.0-1");
        assert_int_equal(tn_boot_find(boot, "6.1.0-2")->initrds->len, 2);
        assert_null(tn_boot_find(boot, "6.1.0-3"));
}

static void test_bls_grub(void **state)
{
        g_autoptr(guest_t) guest = guest_rhel();
        g_autoptr(tn_boot_t) boot = read_boot(guest);

        assert_string_equal(boot->loader, "grub");
        assert_string_equal(boot->chosen->options,
                            "root=UUID=0a1b2c3d-0000-4000-8000-000000000001 ro crashkernel=auto");
        assert_string_equal(boot->chosen->release, "5.14.0-427.el9.x86_64");
        assert_int_equal(boot->chosen->initrds->len, 1);
        assert_string_equal(boot->chosen->initrds->pdata[0], "boot/initramfs-5.14.0-427.el9.x86_64.img");
}

static void test_systemd_boot(void **state)
{
        g_autoptr(guest_t) guest = two_kernels();
        g_autoptr(tn_boot_t) boot = NULL, second = NULL;

        guest_put(guest, "efi/loader/entries/id-6.1.0-1.conf",
                  "title One\nversion 6.1.0-1\nlinux /id/6.1.0-1/linux\ninitrd /id/6.1.0-1/initrd\noptions "
                  "a\noptions b\n");
        guest_put(guest, "efi/loader/entries/id-6.1.0-2.conf", "title Two\nlinux /id/6.1.0-2/linux\n");
        guest_put(guest, "efi/id/6.1.0-1/linux", "");
        boot = read_boot(guest);
        assert_string_equal(boot->loader, "systemd-boot");
        assert_string_equal(boot->chosen->title, "Two");
        assert_string_equal(boot->chosen->release, "6.1.0-2");
        guest_put(guest, "efi/loader/loader.conf", "timeout 3\ndefault id-6.1.0-1*\n");
        second = read_boot(guest);
        assert_string_equal(second->chosen->title, "One");
        assert_string_equal(second->chosen->options, "a b");
        assert_string_equal(second->chosen->image, "efi/id/6.1.0-1/linux");
        assert_string_equal(second->evidence, "/efi/loader/loader.conf line 2: default id-6.1.0-1*");
}

/* A PE program with .uname, .cmdline and an (empty) .initrd. */
static void put_unified(struct guest *guest, const char *path)
{
        static const struct {
                const char *name, *text;
        } sections[] = {{".uname", "6.1.0-2\n"}, {".cmdline", "root=UUID=7 ro\n"}};
        g_autofree uint8_t *image = g_malloc0(1024);

        memcpy(image, "MZ", 2);
        image[60] = 64;
        memcpy(image + 64, "PE\0\0", 4);
        image[70] = G_N_ELEMENTS(sections);
        for (size_t i = 0; i < G_N_ELEMENTS(sections); i++) {
                uint8_t *row = image + 88 + 40 * i;

                memcpy(row, sections[i].name, strlen(sections[i].name));
                row[8] = row[16] = (uint8_t) strlen(sections[i].text);
                row[21] = (uint8_t) (2 + i);
                memcpy(image + 512 + 256 * i, sections[i].text, strlen(sections[i].text));
        }
        folder_write(guest->root, path, (const char *) image, 1024);
}

static void test_unified(void **state)
{
        g_autoptr(guest_t) guest = two_kernels();
        g_autoptr(tn_boot_t) boot = NULL;

        put_unified(guest, "boot/efi/EFI/Linux/linux-6.1.0-2.efi");
        boot = read_boot(guest);
        assert_string_equal(boot->chosen->release, "6.1.0-2");
        assert_string_equal(boot->chosen->options, "root=UUID=7 ro");
        assert_string_equal(boot->chosen->initrds->pdata[0], "boot/efi/EFI/Linux/linux-6.1.0-2.efi");
}

static void test_extlinux(void **state)
{
        g_autoptr(guest_t) guest = guest_alpine();
        g_autoptr(tn_boot_t) boot = read_boot(guest);

        assert_string_equal(boot->loader, "extlinux");
        assert_string_equal(boot->chosen->release, "6.6.41-0-lts");
        assert_string_equal(boot->chosen->initrds->pdata[0], "boot/initramfs-lts");
        assert_string_equal(boot->evidence, "/boot/extlinux.conf: default lts");
}

static void test_none(void **state)
{
        g_autoptr(guest_t) guest = two_kernels();
        g_autoptr(tn_boot_t) boot = NULL, empty = read_boot(guest);

        assert_null(empty->chosen);
        assert_null(empty->loader);
        guest_put(guest, "boot/grub/grub.cfg",
                  "}}}}\nsubmenu {\nsubmenu {\nmenuentry\nset default=\nlinux\n{{{\n");
        boot = read_boot(guest);
        assert_null(boot->chosen);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_grub),         cmocka_unit_test(test_bls_grub),
                cmocka_unit_test(test_systemd_boot), cmocka_unit_test(test_unified),
                cmocka_unit_test(test_extlinux),     cmocka_unit_test(test_none),
        };
        int failed = cmocka_run_group_tests(tests, NULL, NULL);

        tn_kernels_free(kernels);
        return failed;
}
