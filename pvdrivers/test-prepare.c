/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* The whole of prepare in a folder that stands for a machine. */
#define _GNU_SOURCE
#include "pvdrivers/test-prepare.h"

#include "lib/names.h"
#include "pvdrivers/room.h"
#include "pvdrivers/undo.h"

#define ROWS TN_PATH_DRIVERS_D "/acme.conf"

static void test_prepares_and_undoes(void **state)
{
        const struct tn_undo_options options = {0};
        GError *error = NULL;
        json_auto_t *result = machine_prepare(false, &error), *again = NULL, *undone = NULL;

        (void) state;
        if (error)
                fail_msg("%s", error->message);
        assert_contents("etc/fstab", "UUID=11-aa / ext4 defaults 0 1\n");
        assert_contents("boot/grub/grub.cfg", "linux /boot/vmlinuz-" RELEASE " root=UUID=11-aa ro\n");
        assert_true(machine_image_has("virtio_blk") && machine_image_has("virtio_pci") &&
                    machine_image_has("sd_mod"));
        assert_int_equal(machine.built, 1);
        assert_string_equal(machine.events->str, "check backup file file file image verify plan ");
        assert_int_equal(json_array_size(json_object_get(result, "changes")), 3);
        /* There is nothing left to do, and nothing is done. */
        again = machine_prepare(false, &error);
        assert_int_equal(json_array_size(json_object_get(again, "changes")), 0);
        assert_int_equal(machine.built, 1);
        assert_null(json_object_get(again, "transaction"));
        undone = tn_undo_run(&machine.env, &options, NULL, &error);
        assert_non_null(undone);
        assert_untouched();
}

static void test_dry_run(void **state)
{
        json_auto_t *result = machine_prepare(true, NULL);

        (void) state;
        assert_int_equal(json_array_size(json_object_get(result, "changes")), 3);
        assert_int_equal(json_array_size(json_object_get(result, "images")), 1);
        assert_int_equal(machine.built, 0);
        assert_untouched();
        assert_false(tn_env_exists(&machine.env, TN_PATH_PREPARED + 1));
}

static void test_builder_fails(void **state)
{
        (void) state;
        machine.fails = true;
        assert_refused("nothing was changed: the image of " RELEASE ": ");
        assert_untouched();
}

static void test_builder_forgets(void **state)
{
        (void) state;
        machine.forgets = true;
        assert_refused("the new image of " RELEASE " lacks the module virtio_blk");
        assert_untouched();
}

static void test_no_builder(void **state)
{
        g_autofree char *path = g_build_filename(machine.root, "usr/sbin/mkinitramfs", NULL);

        (void) state;
        assert_int_equal(unlink(path), 0);
        assert_refused("no program that builds initramfs images");
        assert_untouched();
}

/* An image of which nothing can be read is replaced like one that lacks a driver. */
static void test_damaged_image(void **state)
{
        json_auto_t *result = NULL;

        (void) state;
        folder_put(machine.root, IMAGE, "this is no archive");
        result = machine_prepare(false, NULL);
        assert_non_null(result);
        assert_true(machine_image_has("virtio_blk"));
}

/* The row is left out and told, in the progress before anything is done and in the answer. */
static void test_bad_catalogue(void **state)
{
        json_auto_t *result = NULL;
        const json_t *mistakes;

        (void) state;
        folder_put(machine.root, ROWS + 1, "[acme]\nrole=storage\nboot=yes\nmatch=pci:*\n");
        tn_catalogue_free(machine.catalogue);
        machine.catalogue = tn_catalogue_new(&machine.env, NULL);
        result = machine_prepare(false, NULL);
        assert_non_null(result);
        mistakes = json_object_get(result, "mistakes");
        assert_int_equal(json_array_size(mistakes), 1);
        assert_non_null(strstr(json_string_value(json_array_get(mistakes, 0)),
                               "group [acme], key 'match': the pattern 'pci:*' matches every device"));
        assert_true(g_str_has_prefix(machine.events->str, "note check "));
        assert_true(machine_image_has("virtio_blk"));
}

static void test_blacklisted_module(void **state)
{
        json_auto_t *result = NULL;
        char *notes;

        (void) state;
        folder_put(machine.root, "etc/modprobe.d/mine.conf", "blacklist virtio_blk\n");
        result = machine_prepare(false, NULL);
        notes = json_dumps(json_object_get(result, "notes"), 0);
        assert_non_null(strstr(notes, "virtio_blk stays out of the image"));
        assert_false(machine_image_has("virtio_blk"));
        assert_true(machine_image_has("virtio_pci"));
        free(notes);
}

static void test_kernel_without_modules(void **state)
{
        json_auto_t *result = NULL;
        char *notes;

        (void) state;
        folder_put(machine.root, "boot/vmlinuz-5.0.0-1-amd64", "x");
        folder_put(machine.root, "boot/initrd.img-5.0.0-1-amd64", "x");
        result = machine_prepare(false, NULL);
        assert_non_null(result);
        notes = json_dumps(json_object_get(result, "notes"), 0);
        assert_non_null(strstr(notes, "5.0.0-1-amd64: it has no modules folder"));
        free(notes);
        assert_contents("boot/initrd.img-5.0.0-1-amd64", "x");
}

static void put_card(const char *name, const char *how)
{
        static const char *const files[] = {"type", "address", "addr_assign_type"};
        const char *const texts[] = {"1\n", "52:54:00:12:34:56\n", how};
        g_autofree char *device = g_strdup_printf("sys/class/net/%s/device/vendor", name);

        folder_put(machine.root, device, "0x8086\n");
        for (size_t i = 0; i < G_N_ELEMENTS(files); i++) {
                g_autofree char *path = g_strdup_printf("sys/class/net/%s/%s", name, files[i]);

                folder_put(machine.root, path, texts[i]);
        }
}

/* The answer's member as one text. */
static char *told(const json_t *result, const char *member)
{
        char *text = json_dumps(json_object_get(result, member), JSON_COMPACT);
        char *copy = g_strdup(text);

        free(text);
        return copy;
}

/* A card is pinned by its own address; one in a bond has another one, and is told. */
static void test_cards(void **state)
{
        json_auto_t *result = NULL;
        g_autofree char *notes = NULL, *changes = NULL;

        (void) state;
        put_card("ens3", "0\n");
        put_card("ens4", "3\n");
        folder_put(machine.root, "sys/class/net/lo/type", "772\n");
        result = machine_prepare(false, NULL);
        notes = told(result, "notes");
        changes = told(result, "changes");
        assert_non_null(strstr(notes, "ens4 is not pinned to its name"));
        assert_non_null(strstr(changes, "/etc/systemd/network/10-tenon-ens3.link"));
        assert_null(strstr(changes, "tenon-ens4"));
        assert_null(strstr(changes, "tenon-lo"));
}

/* Through a link its target is replaced, and the link stays; the size of GRUB's block stays, too. */
static void test_links_and_blocks(void **state)
{
        g_autofree char *link = g_build_filename(machine.root, "boot/grub2/grubenv", NULL), *target = NULL;
        json_auto_t *result = NULL;
        g_autofree char *notes = NULL;

        (void) state;
        folder_put(machine.root, "boot/efi/EFI/x/grubenv",
                   "# GRUB Environment Block\nkernelopts=root=/dev/sda1 ro\n####");
        folder_link(machine.root, "../efi/EFI/x/grubenv", "boot/grub2/grubenv");
        folder_write(machine.root, "etc/kernel/cmdline", "root=/dev/sda1\0", 15);
        folder_put(machine.root, "etc/default/grub",
                   "GRUB_DISABLE_LINUX_UUID=true\nGRUB_CMDLINE_LINUX=\"quiet\"\n");
        result = machine_prepare(false, NULL);
        assert_non_null(result);
        assert_contents("boot/efi/EFI/x/grubenv",
                        "# GRUB Environment Block\nkernelopts=root=UUID=11-aa ro\n###");
        assert_contents("etc/default/grub", "#GRUB_DISABLE_LINUX_UUID=true\nGRUB_CMDLINE_LINUX=\"quiet\"\n");
        target = g_file_read_link(link, NULL);
        assert_string_equal(target, "../efi/EFI/x/grubenv");
        notes = told(result, "notes");
        assert_non_null(strstr(notes, "/etc/kernel/cmdline is left alone"));
}

/* The loader is copied to where the target's firmware looks, with what it wants beside itself; not fbx64. */
static void test_boot_loader(void **state)
{
        const struct tn_undo_options options = {0};
        json_auto_t *result = NULL, *undone = NULL;
        g_autofree char *changes = NULL, *notes = NULL;
        g_auto(GStrv) left = NULL, made = NULL;

        (void) state;
        folder_put(machine.root, "sys/firmware/efi/fw_platform_size", "64\n");
        folder_put(machine.root, "boot/efi/EFI/debian/shimx64.efi", "shim");
        folder_write(machine.root, "boot/efi/EFI/debian/grubx64.efi", "MZ\0grub", 7);
        folder_put(machine.root, "boot/efi/EFI/debian/fbx64.efi", "fallback");
        folder_put(machine.root, "boot/efi/EFI/Microsoft/Boot/bootmgfw.efi", "other");
        result = machine_prepare(false, NULL);
        assert_non_null(result);
        changes = told(result, "changes");
        assert_non_null(strstr(changes, "\"copy-of\":\"/boot/efi/EFI/debian/shimx64.efi\""));
        assert_contents("boot/efi/EFI/BOOT/BOOTX64.EFI", "shim");
        assert_int_equal(tn_room_size(&machine.env, "boot/efi/EFI/BOOT/grubx64.efi"), 7);
        made = tn_env_list(&machine.env, "boot/efi/EFI/BOOT");
        assert_int_equal(g_strv_length(made), 2);
        notes = told(result, "notes");
        assert_non_null(strstr(notes, "updates do not reach the copy"));
        undone = tn_undo_run(&machine.env, &options, NULL, NULL);
        assert_non_null(undone);
        left = tn_env_list(&machine.env, "boot/efi/EFI");
        assert_int_equal(g_strv_length(left), 2);
}

static void test_two_boot_loaders(void **state)
{
        json_auto_t *result = NULL;
        g_autofree char *notes = NULL;

        (void) state;
        folder_put(machine.root, "sys/firmware/efi/fw_platform_size", "64\n");
        folder_put(machine.root, "efi/EFI/one/grubx64.efi", "one");
        folder_put(machine.root, "efi/EFI/two/shimx64.efi", "two");
        result = machine_prepare(false, NULL);
        notes = told(result, "notes");
        assert_non_null(strstr(notes, "there is more than one boot loader"));
        assert_false(tn_env_exists(&machine.env, "efi/EFI/BOOT"));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_prepares_and_undoes, machine_setup, machine_teardown),
                cmocka_unit_test_setup_teardown(test_dry_run, machine_setup, machine_teardown),
                cmocka_unit_test_setup_teardown(test_builder_fails, machine_setup, machine_teardown),
                cmocka_unit_test_setup_teardown(test_builder_forgets, machine_setup, machine_teardown),
                cmocka_unit_test_setup_teardown(test_no_builder, machine_setup, machine_teardown),
                cmocka_unit_test_setup_teardown(test_damaged_image, machine_setup, machine_teardown),
                cmocka_unit_test_setup_teardown(test_bad_catalogue, machine_setup, machine_teardown),
                cmocka_unit_test_setup_teardown(test_blacklisted_module, machine_setup, machine_teardown),
                cmocka_unit_test_setup_teardown(test_kernel_without_modules, machine_setup,
                                                machine_teardown),
                cmocka_unit_test_setup_teardown(test_cards, machine_setup, machine_teardown),
                cmocka_unit_test_setup_teardown(test_links_and_blocks, machine_setup, machine_teardown),
                cmocka_unit_test_setup_teardown(test_boot_loader, machine_setup, machine_teardown),
                cmocka_unit_test_setup_teardown(test_two_boot_loaders, machine_setup, machine_teardown),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
