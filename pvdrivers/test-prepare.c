/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * The whole of prepare in a folder that stands for a machine. The builder of images is a stand-in that
 * writes a small archive with the modules that its configuration names; the real ones are tested in guests.
 */
#define _GNU_SOURCE
#include "detect/test-folder.h"
#include "lib/error.h"
#include "lib/names.h"
#include "pvdrivers/initramfs.h"
#include "pvdrivers/prepare.h"
#include "pvdrivers/room.h"
#include "pvdrivers/transaction.h"
#include "pvdrivers/undo.h"

#define RELEASE "6.1.0-9-amd64"
#define IMAGE   "boot/initrd.img-" RELEASE
#define ROWS    TN_PATH_DRIVERS_D "/acme.conf"

static char *root;
static struct tn_env env;
static struct tn_catalogue *catalogue;
static unsigned built;      /* how often the stand-in was asked */
static bool fails, forgets; /* it ends with an error; it leaves a module out */
static GString *events;

/* One entry of a "newc" archive. */
static void add_file(GString *out, const char *name, const char *text)
{
        size_t name_len = strlen(name) + 1, len = strlen(text);

        g_string_append_printf(out, "070701%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X", 1, 0100644,
                               0, 0, 1, 0, (unsigned) len, 0, 0, 0, 0, (unsigned) name_len, 0);
        g_string_append_len(out, name, (gssize) name_len);
        while (out->len % 4)
                g_string_append_c(out, '\0');
        g_string_append(out, text);
        while (out->len % 4)
                g_string_append_c(out, '\0');
}

static void write_image(const char *path, char **modules)
{
        g_autoptr(GString) out = g_string_new(NULL);

        add_file(out, "init", "#!/bin/sh\n");
        add_file(out, "scripts/functions", "");
        if (modules) /* what they need comes with them */
                add_file(out, "lib/modules/" RELEASE "/kernel/virtio.ko", "module");
        for (; modules && *modules; modules++) {
                g_autofree char *name = g_strdup_printf("lib/modules/" RELEASE "/kernel/%s.ko", *modules);

                add_file(out, name, "module");
        }
        add_file(out, "TRAILER!!!", "");
        folder_write(root, path, out->str, out->len);
}

static bool stand_in(const struct tn_env *e, const char *const *argv, unsigned deadline_s,
                     struct tn_progress *progress, struct tn_tool_result *ret, GError **error)
{
        g_autofree char *text = NULL;
        g_auto(GStrv) lines = NULL;

        (void) deadline_s;
        (void) progress;
        assert_true(g_str_has_suffix(argv[0], "/mkinitramfs"));
        assert_string_equal(argv[3], RELEASE);
        *ret = (struct tn_tool_result){.output = g_string_new(fails ? "mkinitramfs: no such thing\n" : "")};
        built++;
        ret->exit_status = fails ? 1 : 0;
        assert_true(tn_env_read(e, "etc/initramfs-tools/modules", &text, NULL, error));
        lines = g_strsplit(text, "\n", -1);
        for (char **line = lines; *line; line++)
                if (**line == '#' || (forgets && g_str_equal(*line, "virtio_blk")))
                        **line = '\0';
        write_image(argv[2] + 1, lines);
        return true;
}

static void tell(const json_t *event, void *data)
{
        const char *step = json_string_value(json_object_get(event, "step"));

        (void) data;
        g_string_append_printf(events, "%s ",
                               step ? step : json_string_value(json_object_get(event, "event")));
}

static int setup(void **state)
{
        (void) state;
        root = folder_new();
        built = 0;
        fails = forgets = false;
        events = g_string_new(NULL);
        folder_put(root, "usr/sbin/mkinitramfs", "stand-in");
        folder_put(root, "usr/lib/systemd/network/99-default.link", "");
        folder_put(root, "etc/initramfs-tools/modules", "# mine\n");
        folder_put(root, "etc/fstab", "/dev/sda1 / ext4 defaults 0 1\n");
        folder_link(root, "../../sda1", "dev/disk/by-uuid/11-aa");
        folder_put(root, "boot/vmlinuz-" RELEASE, "x");
        folder_put(root, "boot/grub/grub.cfg", "linux /boot/vmlinuz-" RELEASE " root=/dev/sda1 ro\n");
        folder_put(root, "lib/modules/" RELEASE "/modules.dep",
                   "kernel/virtio_blk.ko: kernel/virtio.ko\nkernel/virtio.ko:\nkernel/virtio_pci.ko: "
                   "kernel/virtio.ko\nkernel/sd_mod.ko:\n");
        for (const char *const *name =
                     (const char *const[]){"virtio_blk", "virtio", "virtio_pci", "sd_mod", NULL};
             *name; name++) {
                g_autofree char *path = g_strdup_printf("lib/modules/" RELEASE "/kernel/%s.ko", *name);

                folder_put(root, path, "module");
        }
        folder_mkdir(root, "var/tmp");
        write_image(IMAGE, NULL);
        assert_true(tn_env_init_root(&env, root, NULL));
        catalogue = tn_catalogue_new(&env, NULL);
        return 0;
}

static int teardown(void **state)
{
        (void) state;
        g_string_free(events, TRUE);
        tn_catalogue_free(catalogue);
        tn_env_deinit(&env);
        folder_free(root);
        return 0;
}

static json_t *prepare(bool dry_run, GError **error)
{
        const struct tn_prepare_options options = {.target = TN_PV_KVM, .dry_run = dry_run, .run = stand_in};
        struct tn_progress progress = {.tell = tell};
        int status;

        return tn_prepare_run(&env, catalogue, &options, &progress, &status, error);
}

static void assert_contents(const char *path, const char *wanted)
{
        g_autofree char *whole = g_build_filename(root, path, NULL), *text = NULL;

        assert_true(g_file_get_contents(whole, &text, NULL, NULL));
        assert_string_equal(text, wanted);
}

static bool image_has(const char *module)
{
        g_autoptr(tn_initramfs_t) image = tn_initramfs_read(&env, IMAGE, NULL);

        assert_non_null(image);
        return tn_initramfs_find_module(image, RELEASE, module) != NULL;
}

static void assert_untouched(void)
{
        g_auto(GStrv) left = tn_transaction_list(&env), boot = tn_env_list(&env, "boot");

        assert_contents("etc/fstab", "/dev/sda1 / ext4 defaults 0 1\n");
        assert_contents("etc/initramfs-tools/modules", "# mine\n");
        assert_false(image_has("virtio_blk"));
        assert_int_equal(g_strv_length(left), 0);
        assert_int_equal(g_strv_length(boot), 3);
}

static void test_prepares_and_undoes(void **state)
{
        const struct tn_undo_options options = {0};
        GError *error = NULL;
        json_auto_t *result = prepare(false, &error), *again = NULL, *undone = NULL;

        (void) state;
        if (error)
                fail_msg("%s", error->message);
        assert_contents("etc/fstab", "UUID=11-aa / ext4 defaults 0 1\n");
        assert_contents("boot/grub/grub.cfg", "linux /boot/vmlinuz-" RELEASE " root=UUID=11-aa ro\n");
        assert_true(image_has("virtio_blk") && image_has("virtio_pci") && image_has("sd_mod"));
        assert_int_equal(built, 1);
        assert_string_equal(events->str, "check backup file file file image verify plan ");
        assert_int_equal(json_array_size(json_object_get(result, "changes")), 3);
        /* There is nothing left to do, and nothing is done. */
        again = prepare(false, &error);
        assert_int_equal(json_array_size(json_object_get(again, "changes")), 0);
        assert_int_equal(built, 1);
        assert_null(json_object_get(again, "transaction"));
        undone = tn_undo_run(&env, &options, NULL, &error);
        assert_non_null(undone);
        assert_untouched();
}

static void test_dry_run(void **state)
{
        json_auto_t *result = prepare(true, NULL);

        (void) state;
        assert_int_equal(json_array_size(json_object_get(result, "changes")), 3);
        assert_int_equal(json_array_size(json_object_get(result, "images")), 1);
        assert_int_equal(built, 0);
        assert_untouched();
        assert_false(tn_env_exists(&env, TN_PATH_PREPARED + 1));
}

static void check_refused(const char *words)
{
        GError *error = NULL;

        assert_null(prepare(false, &error));
        if (!strstr(error->message, words))
                fail_msg("'%s' is not in '%s'", words, error->message);
        g_clear_error(&error);
}

static void test_builder_fails(void **state)
{
        (void) state;
        fails = true;
        check_refused("nothing was changed: the image of " RELEASE ": ");
        assert_untouched();
}

static void test_builder_forgets(void **state)
{
        (void) state;
        forgets = true;
        check_refused("the new image of " RELEASE " lacks the module virtio_blk");
        assert_untouched();
}

static void test_no_builder(void **state)
{
        g_autofree char *path = g_build_filename(root, "usr/sbin/mkinitramfs", NULL);

        (void) state;
        assert_int_equal(unlink(path), 0);
        check_refused("no program that builds initramfs images");
        assert_untouched();
}

/* An image of which nothing can be read is replaced like one that lacks a driver. */
static void test_damaged_image(void **state)
{
        json_auto_t *result = NULL;

        (void) state;
        folder_put(root, IMAGE, "this is no archive");
        result = prepare(false, NULL);
        assert_non_null(result);
        assert_true(image_has("virtio_blk"));
}

/* The row is left out and told, in the progress before anything is done and in the answer. */
static void test_bad_catalogue(void **state)
{
        json_auto_t *result = NULL;
        const json_t *mistakes;

        (void) state;
        folder_put(root, ROWS + 1, "[acme]\nrole=storage\nboot=yes\nmatch=pci:*\n");
        tn_catalogue_free(catalogue);
        catalogue = tn_catalogue_new(&env, NULL);
        result = prepare(false, NULL);
        assert_non_null(result);
        mistakes = json_object_get(result, "mistakes");
        assert_int_equal(json_array_size(mistakes), 1);
        assert_non_null(strstr(json_string_value(json_array_get(mistakes, 0)),
                               "group [acme], key 'match': the pattern 'pci:*' matches every device"));
        assert_true(g_str_has_prefix(events->str, "note check "));
        assert_true(image_has("virtio_blk"));
}

static void test_blacklisted_module(void **state)
{
        json_auto_t *result = NULL;
        char *notes;

        (void) state;
        folder_put(root, "etc/modprobe.d/mine.conf", "blacklist virtio_blk\n");
        result = prepare(false, NULL);
        notes = json_dumps(json_object_get(result, "notes"), 0);
        assert_non_null(strstr(notes, "virtio_blk stays out of the image"));
        assert_false(image_has("virtio_blk"));
        assert_true(image_has("virtio_pci"));
        free(notes);
}

static void test_kernel_without_modules(void **state)
{
        json_auto_t *result = NULL;
        char *notes;

        (void) state;
        folder_put(root, "boot/vmlinuz-5.0.0-1-amd64", "x");
        folder_put(root, "boot/initrd.img-5.0.0-1-amd64", "x");
        result = prepare(false, NULL);
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

        folder_put(root, device, "0x8086\n");
        for (size_t i = 0; i < G_N_ELEMENTS(files); i++) {
                g_autofree char *path = g_strdup_printf("sys/class/net/%s/%s", name, files[i]);

                folder_put(root, path, texts[i]);
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
        folder_put(root, "sys/class/net/lo/type", "772\n");
        result = prepare(false, NULL);
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
        g_autofree char *link = g_build_filename(root, "boot/grub2/grubenv", NULL), *target = NULL;
        json_auto_t *result = NULL;
        g_autofree char *notes = NULL;

        (void) state;
        folder_put(root, "boot/efi/EFI/x/grubenv",
                   "# GRUB Environment Block\nkernelopts=root=/dev/sda1 ro\n####");
        folder_link(root, "../efi/EFI/x/grubenv", "boot/grub2/grubenv");
        folder_write(root, "etc/kernel/cmdline", "root=/dev/sda1\0", 15);
        folder_put(root, "etc/default/grub", "GRUB_DISABLE_LINUX_UUID=true\nGRUB_CMDLINE_LINUX=\"quiet\"\n");
        result = prepare(false, NULL);
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
        folder_put(root, "sys/firmware/efi/fw_platform_size", "64\n");
        folder_put(root, "boot/efi/EFI/debian/shimx64.efi", "shim");
        folder_write(root, "boot/efi/EFI/debian/grubx64.efi", "MZ\0grub", 7);
        folder_put(root, "boot/efi/EFI/debian/fbx64.efi", "fallback");
        folder_put(root, "boot/efi/EFI/Microsoft/Boot/bootmgfw.efi", "other");
        result = prepare(false, NULL);
        assert_non_null(result);
        changes = told(result, "changes");
        assert_non_null(strstr(changes, "\"copy-of\":\"/boot/efi/EFI/debian/shimx64.efi\""));
        assert_contents("boot/efi/EFI/BOOT/BOOTX64.EFI", "shim");
        assert_int_equal(tn_room_size(&env, "boot/efi/EFI/BOOT/grubx64.efi"), 7);
        made = tn_env_list(&env, "boot/efi/EFI/BOOT");
        assert_int_equal(g_strv_length(made), 2);
        notes = told(result, "notes");
        assert_non_null(strstr(notes, "updates do not reach the copy"));
        undone = tn_undo_run(&env, &options, NULL, NULL);
        assert_non_null(undone);
        left = tn_env_list(&env, "boot/efi/EFI");
        assert_int_equal(g_strv_length(left), 2);
}

static void test_two_boot_loaders(void **state)
{
        json_auto_t *result = NULL;
        g_autofree char *notes = NULL;

        (void) state;
        folder_put(root, "sys/firmware/efi/fw_platform_size", "64\n");
        folder_put(root, "efi/EFI/one/grubx64.efi", "one");
        folder_put(root, "efi/EFI/two/shimx64.efi", "two");
        result = prepare(false, NULL);
        notes = told(result, "notes");
        assert_non_null(strstr(notes, "there is more than one boot loader"));
        assert_false(tn_env_exists(&env, "efi/EFI/BOOT"));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_prepares_and_undoes, setup, teardown),
                cmocka_unit_test_setup_teardown(test_dry_run, setup, teardown),
                cmocka_unit_test_setup_teardown(test_builder_fails, setup, teardown),
                cmocka_unit_test_setup_teardown(test_builder_forgets, setup, teardown),
                cmocka_unit_test_setup_teardown(test_no_builder, setup, teardown),
                cmocka_unit_test_setup_teardown(test_damaged_image, setup, teardown),
                cmocka_unit_test_setup_teardown(test_bad_catalogue, setup, teardown),
                cmocka_unit_test_setup_teardown(test_blacklisted_module, setup, teardown),
                cmocka_unit_test_setup_teardown(test_kernel_without_modules, setup, teardown),
                cmocka_unit_test_setup_teardown(test_cards, setup, teardown),
                cmocka_unit_test_setup_teardown(test_links_and_blocks, setup, teardown),
                cmocka_unit_test_setup_teardown(test_boot_loader, setup, teardown),
                cmocka_unit_test_setup_teardown(test_two_boot_loaders, setup, teardown),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
