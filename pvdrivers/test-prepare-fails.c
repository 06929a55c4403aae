/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* What comes between while prepare or undo works: programs that fail, and others that write. */
#define _GNU_SOURCE
#include "pvdrivers/test-prepare.h"

#include "lib/error.h"
#include "pvdrivers/undo.h"

static const struct tn_undo_options undo_options = {.run = machine_run};

/* What boots is what stands in /boot. */
static void assert_copied(void)
{
        g_autofree char *image = NULL, *copy = NULL;
        size_t image_len, copy_len;

        assert_true(tn_env_read(&machine.env, IMAGE, &image, &image_len, NULL));
        assert_true(tn_env_read(&machine.env, COPY, &copy, &copy_len, NULL));
        assert_int_equal(copy_len, image_len);
        assert_memory_equal(copy, image, image_len);
}

static void prepare(void)
{
        json_auto_t *result = machine_prepare(false, NULL);

        assert_non_null(result);
        assert_true(machine_image_has("virtio_blk"));
}

static void undo(void)
{
        json_auto_t *result = tn_undo_run(&machine.env, &undo_options, NULL, NULL);

        assert_int_equal(json_array_size(json_object_get(result, "undone")), 1);
        assert_untouched();
}

static void test_copies_follow(void **state)
{
        (void) state;
        machine_put_hook();
        prepare();
        assert_copied();
        undo();
        assert_copied();
}

static void test_copies_are_recovered(void **state)
{
        g_auto(GStrv) ids = NULL;
        g_autoptr(tn_transaction_t) transaction = NULL;

        (void) state;
        machine_put_hook();
        prepare();
        ids = tn_transaction_list(&machine.env);
        transaction = tn_transaction_open(&machine.env, ids[0], NULL);
        assert_true(tn_transaction_mark_undo(transaction, false, NULL));
        assert_true(tn_undo_recover(&machine.env, machine_run, NULL, NULL));
        assert_untouched();
        assert_copied();
}

static void test_hook_fails(void **state)
{
        (void) state;
        machine_put_hook();
        machine.hook_fails = 1;
        assert_refused("nothing was changed: the image of " RELEASE ": /usr/bin/run-parts ");
        assert_untouched();
        assert_copied();
}

/* The copy cannot be taken back: nobody says that nothing was changed, and the next undo finishes it. */
static void test_hook_fails_on_the_way_back(void **state)
{
        GError *error = NULL;

        (void) state;
        machine_put_hook();
        machine.hook_fails = 2;
        assert_refused("not all could be taken back (the files are restored, but not what programs made");
        assert_false(machine_image_has("virtio_blk"));
        undo();
        assert_copied();
        prepare();
        machine.hook_fails = 1;
        assert_null(tn_undo_run(&machine.env, &undo_options, NULL, &error));
        assert_non_null(strstr(error->message, "not all is undone"));
        g_clear_error(&error);
        undo();
        assert_copied();
}

/* A file without contents stands for one that is too large for all of this machine. */
static void test_room_for_copies(void **state)
{
        g_autofree char *loader = folder_path(machine.root, "efi/EFI/debian/grubx64.efi");
        g_autofree char *grub = g_build_filename(machine.root, "boot/grub/grub.cfg", NULL);

        (void) state;
        machine_put_hook();
        assert_int_equal(remove(grub), 0);
        folder_put(machine.root, "sys/firmware/efi/fw_platform_size", "64\n");
        folder_write(machine.root, "efi/EFI/debian/grubx64.efi", "MZ", 3);
        folder_put(machine.root, "efi/loader/entries/debian.conf",
                   "version " RELEASE "\nlinux /" RELEASE "/linux\ninitrd /" RELEASE "/initrd\n");
        assert_int_equal(truncate(loader, 1LL << 40), 0);
        assert_refused("the boot loader's copies of the images");
}

/* Somebody else writes a file between the step @when and its replacement: that stays, and all else is
 * undone. */
static void check_intrusion(const char *when, const char *path)
{
        g_autofree char *words = g_strdup_printf("nothing was changed: /%s was changed by another program",
                                                 path);
        g_autofree char *there = g_build_filename(machine.root, path, NULL), *before = NULL;
        gsize len;

        assert_true(g_file_get_contents(there, &before, &len, NULL));
        machine.intrusion = when;
        machine.intruded = path;
        assert_refused(words);
        assert_contents(path, "intruder");
        folder_write(machine.root, path, before, len);
        assert_untouched();
}

static void test_others_write(void **state)
{
        (void) state;
        check_intrusion("check", "etc/fstab"); /* read, but not kept */
        check_intrusion("file", "etc/initramfs-tools/modules");
}

/* Its message begins with the kernel. */
static void test_others_build(void **state)
{
        (void) state;
        machine.intrusion = "verify";
        machine.intruded = IMAGE;
        assert_refused(RELEASE ": /" IMAGE " was changed by another program meanwhile; run this again");
        assert_contents(IMAGE, "intruder");
        assert_contents("etc/fstab", "/dev/sda1 / ext4 defaults 0 1\n");
}

static void test_package_manager(void **state)
{
        GError *error = NULL;
        pid_t pid;

        (void) state;
        folder_put(machine.root, "usr/bin/apt-get", "stand-in");
        pid = folder_lock(machine.root, "var/lib/dpkg/lock-frontend");
        assert_refused("the package database is in use");
        assert_untouched();
        folder_release(pid);
        prepare();
        pid = folder_lock(machine.root, "var/lib/dpkg/lock-frontend");
        assert_null(tn_undo_run(&machine.env, &undo_options, NULL, &error));
        assert_int_equal(error->code, TN_ERROR_BUSY);
        g_clear_error(&error);
        assert_true(machine_image_has("virtio_blk"));
        folder_release(pid);
        undo();
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_copies_follow, machine_setup, machine_teardown),
                cmocka_unit_test_setup_teardown(test_copies_are_recovered, machine_setup, machine_teardown),
                cmocka_unit_test_setup_teardown(test_hook_fails, machine_setup, machine_teardown),
                cmocka_unit_test_setup_teardown(test_hook_fails_on_the_way_back, machine_setup,
                                                machine_teardown),
                cmocka_unit_test_setup_teardown(test_room_for_copies, machine_setup, machine_teardown),
                cmocka_unit_test_setup_teardown(test_others_write, machine_setup, machine_teardown),
                cmocka_unit_test_setup_teardown(test_others_build, machine_setup, machine_teardown),
                cmocka_unit_test_setup_teardown(test_package_manager, machine_setup, machine_teardown),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
