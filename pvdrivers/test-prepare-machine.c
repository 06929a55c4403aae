/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* A machine to prepare, and the builder of its images. */
#define _GNU_SOURCE
#include "pvdrivers/test-prepare.h"

#include "pvdrivers/initramfs.h"
#include "pvdrivers/prepare.h"
#include "pvdrivers/transaction.h"

struct machine machine;

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
        folder_write(machine.root, path, out->str, out->len);
}

static void build(const struct tn_env *env, const char *const *argv, struct tn_tool_result *ret)
{
        g_autofree char *text = NULL;
        g_auto(GStrv) lines = NULL;

        assert_string_equal(argv[3], RELEASE);
        *ret = (struct tn_tool_result){
                .output = g_string_new(machine.fails ? "mkinitramfs: no such thing\n" : "")};
        machine.built++;
        ret->exit_status = machine.fails ? 1 : 0;
        assert_true(tn_env_read(env, "etc/initramfs-tools/modules", &text, NULL, NULL));
        lines = g_strsplit(text, "\n", -1);
        for (char **line = lines; *line; line++)
                if (**line == '#' || (machine.forgets && g_str_equal(*line, "virtio_blk")))
                        **line = '\0';
        write_image(argv[2] + 1, lines);
}

static void copy_image(const struct tn_env *env, const char *const *argv, struct tn_tool_result *ret)
{
        g_autofree char *bytes = NULL;
        bool fails = machine.hook_fails > 0;
        size_t len;

        assert_string_equal(argv[1], "--arg=" RELEASE);
        assert_string_equal(argv[2], "--arg=/" IMAGE);
        assert_true(tn_env_read(env, IMAGE, &bytes, &len, NULL));
        folder_write(machine.root, COPY, bytes, fails ? len / 2 : len);
        machine.hook_fails -= fails ? 1 : 0;
        *ret = (struct tn_tool_result){.output = g_string_new("No space left on device\n"),
                                       .exit_status = fails ? 1 : 0};
}

bool machine_run(const struct tn_env *env, const char *const *argv, unsigned deadline_s,
                 struct tn_progress *progress, struct tn_tool_result *ret, GError **error)
{
        (void) deadline_s;
        (void) progress;
        (void) error;
        if (g_str_has_suffix(argv[0], "/run-parts"))
                copy_image(env, argv, ret);
        else if (g_str_has_suffix(argv[0], "/mkinitramfs"))
                build(env, argv, ret);
        else
                fail_msg("%s is not expected", argv[0]);
        return true;
}

void machine_put_hook(void)
{
        folder_put(machine.root, "usr/bin/run-parts", "stand-in");
        folder_put(machine.root, "etc/initramfs/post-update.d/systemd-boot", "stand-in");
        folder_put(machine.root, COPY, "");
}

static void tell(const json_t *event, void *data)
{
        const char *step = json_string_value(json_object_get(event, "step"));

        (void) data;
        if (machine.intrusion && g_strcmp0(step, machine.intrusion) == 0)
                folder_put(machine.root, machine.intruded, "intruder");
        g_string_append_printf(machine.events, "%s ",
                               step ? step : json_string_value(json_object_get(event, "event")));
}

int machine_setup(void **state)
{
        (void) state;
        machine = (struct machine){.root = folder_new(), .events = g_string_new(NULL)};
        folder_put(machine.root, "usr/sbin/mkinitramfs", "stand-in");
        folder_put(machine.root, "usr/lib/systemd/network/99-default.link", "");
        folder_put(machine.root, "etc/initramfs-tools/modules", "# mine\n");
        folder_put(machine.root, "etc/fstab", "/dev/sda1 / ext4 defaults 0 1\n");
        folder_link(machine.root, "../../sda1", "dev/disk/by-uuid/11-aa");
        folder_put(machine.root, "boot/vmlinuz-" RELEASE, "x");
        folder_put(machine.root, "boot/grub/grub.cfg",
                   "linux /boot/vmlinuz-" RELEASE " root=/dev/sda1 ro\n");
        folder_put(machine.root, "lib/modules/" RELEASE "/modules.dep",
                   "kernel/virtio_blk.ko: kernel/virtio.ko\nkernel/virtio.ko:\nkernel/virtio_pci.ko: "
                   "kernel/virtio.ko\nkernel/sd_mod.ko:\n");
        for (const char *const *name =
                     (const char *const[]){"virtio_blk", "virtio", "virtio_pci", "sd_mod", NULL};
             *name; name++) {
                g_autofree char *path = g_strdup_printf("lib/modules/" RELEASE "/kernel/%s.ko", *name);

                folder_put(machine.root, path, "module");
        }
        folder_mkdir(machine.root, "var/tmp");
        write_image(IMAGE, NULL);
        assert_true(tn_env_init_root(&machine.env, machine.root, NULL));
        machine.catalogue = tn_catalogue_new(&machine.env, NULL);
        return 0;
}

int machine_teardown(void **state)
{
        (void) state;
        g_string_free(machine.events, TRUE);
        tn_catalogue_free(machine.catalogue);
        tn_env_deinit(&machine.env);
        folder_free(machine.root);
        return 0;
}

json_t *machine_prepare(bool dry_run, GError **error)
{
        const struct tn_prepare_options options = {
                .target = TN_PV_KVM, .dry_run = dry_run, .run = machine_run};
        struct tn_progress progress = {.tell = tell};
        int status;

        return tn_prepare_run(&machine.env, machine.catalogue, &options, &progress, &status, error);
}

void assert_contents(const char *path, const char *wanted)
{
        g_autofree char *whole = g_build_filename(machine.root, path, NULL), *text = NULL;

        assert_true(g_file_get_contents(whole, &text, NULL, NULL));
        assert_string_equal(text, wanted);
}

bool machine_image_has(const char *module)
{
        g_autoptr(tn_initramfs_t) image = tn_initramfs_read(&machine.env, IMAGE, NULL);

        assert_non_null(image);
        return tn_initramfs_find_module(image, RELEASE, module) != NULL;
}

void assert_untouched(void)
{
        g_auto(GStrv) left = tn_transaction_list(&machine.env), boot = tn_env_list(&machine.env, "boot");

        assert_contents("etc/fstab", "/dev/sda1 / ext4 defaults 0 1\n");
        assert_contents("etc/initramfs-tools/modules", "# mine\n");
        assert_false(machine_image_has("virtio_blk"));
        assert_int_equal(g_strv_length(left), 0);
        assert_int_equal(g_strv_length(boot), 3);
}

void assert_refused(const char *words)
{
        GError *error = NULL;

        assert_null(machine_prepare(false, &error));
        if (!strstr(error->message, words))
                fail_msg("'%s' is not in '%s'", words, error->message);
        g_clear_error(&error);
}
