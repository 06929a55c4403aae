/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* Installed kernels, their modules and the boot loader's choice, in folders made for it. */
#define _GNU_SOURCE /* nftw */
#include "detect/test-folder.h"

#include "lib/env.h"
#include "pvdrivers/kernel.h"

#define MARK "~Module signature appended~\n"

struct bench {
        char *root;
        struct tn_env env;
        struct tn_kernels *kernels;
};

static int set_up(void **state)
{
        struct bench *bench = g_new0(struct bench, 1);

        bench->root = folder_new();
        assert_true(tn_env_init_root(&bench->env, bench->root, NULL));
        *state = bench;
        return 0;
}

static int tear_down(void **state)
{
        struct bench *bench = *state;

        tn_kernels_free(bench->kernels);
        tn_env_deinit(&bench->env);
        folder_free(bench->root);
        g_free(bench);
        return 0;
}

static void put(struct bench *bench, const char *path, const char *text)
{
        folder_put(bench->root, path, text);
}

/* A kernel as Debian installs it. */
static void put_kernel(struct bench *bench, const char *release)
{
        g_autofree char *order = g_strdup_printf("lib/modules/%s/modules.order", release);
        g_autofree char *image = g_strdup_printf("boot/vmlinuz-%s", release);
        g_autofree char *initrd = g_strdup_printf("boot/initrd.img-%s", release);

        put(bench, order, "");
        put(bench, image, "");
        put(bench, initrd, "");
}

static struct tn_kernels *look(struct bench *bench)
{
        tn_kernels_free(bench->kernels);
        bench->kernels = tn_kernels_new(&bench->env);
        return bench->kernels;
}

static void assert_default(struct bench *bench, const char *release)
{
        struct tn_kernel *kernel = tn_kernels_default(look(bench));

        if (release)
                assert_non_null(kernel);
        assert_string_equal(kernel ? kernel->release : "none", release ? release : "none");
}

static void test_nothing(void **state)
{
        assert_null(tn_kernels_at(look(*state), 0));
        assert_null(tn_kernels_running(look(*state)));
        assert_null(tn_kernels_default(look(*state)));
}

static void test_list(void **state)
{
        struct bench *bench = *state;
        struct tn_kernel *kernel;

        put_kernel(bench, "6.1.0-9-amd64");
        put_kernel(bench, "6.1.0-10-amd64");
        put(bench, "lib/modules/5.10.0-1-amd64/modules.dep", ""); /* left behind by a removed kernel */
        put(bench, "boot/vmlinuz-6.9.1", "");                     /* no modules */
        put(bench, "boot/vmlinuz-0-rescue-0123456789", "");
        put(bench, "proc/sys/kernel/osrelease", "6.1.0-9-amd64\n");
        kernel = tn_kernels_at(look(bench), 0);
        assert_string_equal(kernel->release, "6.9.1");
        assert_null(kernel->modules_dir);
        assert_string_equal(tn_kernels_at(bench->kernels, 1)->release, "6.1.0-10-amd64");
        kernel = tn_kernels_at(bench->kernels, 2);
        assert_string_equal(kernel->release, "6.1.0-9-amd64");
        assert_string_equal(kernel->modules_dir, "lib/modules/6.1.0-9-amd64");
        assert_string_equal(kernel->image, "boot/vmlinuz-6.1.0-9-amd64");
        assert_string_equal(kernel->initramfs, "boot/initrd.img-6.1.0-9-amd64");
        assert_ptr_equal(kernel, tn_kernels_running(bench->kernels));
        assert_null(tn_kernels_at(bench->kernels, 3));
}

static void test_other_distributions(void **state)
{
        struct bench *bench = *state;
        struct tn_kernel *kernel;

        put(bench, "usr/lib/modules/6.9.7-arch1-1/modules.order", "");
        put(bench, "usr/lib/modules/6.9.7-arch1-1/pkgbase", "linux\n");
        put(bench, "boot/vmlinuz-linux", "");
        put(bench, "boot/initramfs-linux.img", "");
        put(bench, "lib/modules/6.6.41-0-lts/modules.order", "");
        put(bench, "boot/vmlinuz-lts", "");
        put(bench, "boot/initramfs-lts", "");
        put(bench, "lib/modules/5.14.0-427.el9.x86_64/modules.order", "");
        put(bench, "lib/modules/5.14.0-427.el9.x86_64/vmlinuz", "");
        put(bench, "etc/machine-id", "abc\n");
        put(bench, "boot/abc/5.14.0-427.el9.x86_64/initrd", "");
        kernel = tn_kernels_find(look(bench), "6.9.7-arch1-1");
        assert_string_equal(kernel->image, "boot/vmlinuz-linux");
        assert_string_equal(kernel->initramfs, "boot/initramfs-linux.img");
        kernel = tn_kernels_find(bench->kernels, "6.6.41-0-lts");
        assert_string_equal(kernel->image, "boot/vmlinuz-lts");
        assert_string_equal(kernel->initramfs, "boot/initramfs-lts");
        kernel = tn_kernels_find(bench->kernels, "5.14.0-427.el9.x86_64");
        assert_string_equal(kernel->image, "lib/modules/5.14.0-427.el9.x86_64/vmlinuz");
        assert_string_equal(kernel->initramfs, "boot/abc/5.14.0-427.el9.x86_64/initrd");
}

/* One kernel "1" with a few modules that are in different states. */
static struct tn_kernel *modules(struct bench *bench)
{
        put(bench, "proc/sys/kernel/osrelease", "1\n");
        put(bench, "lib/modules/1/modules.dep",
            "kernel/virtio-rng.ko.xz: kernel/virtio.ko kernel/virtio_ring.ko\nkernel/virtio.ko:\n"
            "kernel/e1000.ko:\nkernel/floppy.ko:\nkernel/pcspkr.ko:\nkernel/nouveau.ko:\n");
        put(bench, "lib/modules/1/modules.builtin", "kernel/virtio-blk.ko\n");
        put(bench, "lib/modules/1/modules.alias",
            "# a comment\nalias pci:v00008086d0000100Esv*sd*bc*sc*i* e1000\n"
            "alias virtio:d00000004v* virtio-rng\n");
        folder_write(bench->root, "lib/modules/1/modules.builtin.modinfo",
                     "virtio_blk.alias=virtio:d00000002v*\0virtio_blk.license=GPL", 58);
        put(bench, "sys/module/e1000/initstate", "live\n");
        put(bench, "sys/module/floppy/initstate", "going\n");
        put(bench, "sys/module/xen_balloon/parameters/x", "");
        put(bench, "etc/modprobe.d/mine.conf",
            "# no\nblacklist pcspkr\n  install  nouveau   /bin/false\nblacklist e1000\noptions x y=z\n");
        put(bench, "proc/cmdline", "quiet module_blacklist=a,b modprobe.blacklist=virtio-rng\n");
        return tn_kernels_running(look(bench));
}

static void test_states(void **state)
{
        struct tn_kernel *kernel = modules(*state);

        assert_int_equal(tn_kernel_module_state(kernel, "virtio_blk"), TN_MODULE_BUILTIN);
        assert_int_equal(tn_kernel_module_state(kernel, "virtio-blk"), TN_MODULE_BUILTIN);
        assert_int_equal(tn_kernel_module_state(kernel, "e1000"), TN_MODULE_LOADED);
        assert_int_equal(tn_kernel_module_state(kernel, "virtio"), TN_MODULE_ON_DISK);
        assert_int_equal(tn_kernel_module_state(kernel, "floppy"), TN_MODULE_ON_DISK);
        assert_int_equal(tn_kernel_module_state(kernel, "vmxnet3"), TN_MODULE_MISSING);
        assert_int_equal(tn_kernel_module_state(kernel, "pcspkr"), TN_MODULE_BLACKLISTED);
        assert_int_equal(tn_kernel_module_state(kernel, "nouveau"), TN_MODULE_BLACKLISTED);
        assert_int_equal(tn_kernel_module_state(kernel, "virtio_rng"), TN_MODULE_BLACKLISTED);
        assert_int_equal(tn_kernel_module_state(kernel, "xen_balloon"), TN_MODULE_BUILTIN);
        assert_true(tn_kernel_module_usable(kernel, "e1000"));
        assert_false(tn_kernel_module_usable(kernel, "pcspkr"));
        assert_false(tn_kernel_module_usable(kernel, "vmxnet3"));
}

static void test_where_forbidden(void **state)
{
        struct tn_kernel *kernel = modules(*state);
        g_autoptr(tn_module_t) loaded = tn_kernel_module(kernel, "e1000");
        g_autoptr(tn_module_t) soft = tn_kernel_module(kernel, "pcspkr");
        g_autoptr(tn_module_t) hard = tn_kernel_module(kernel, "nouveau");
        g_autoptr(tn_module_t) line = tn_kernel_module(kernel, "b");

        assert_string_equal(loaded->blacklisted_by, "/etc/modprobe.d/mine.conf");
        assert_string_equal(loaded->path, "lib/modules/1/kernel/e1000.ko");
        assert_false(soft->blacklist_absolute);
        assert_true(hard->blacklist_absolute);
        assert_string_equal(line->blacklisted_by, "kernel command line");
        assert_true(line->blacklist_absolute);
}

/* modprobe.d(5): a file in /etc hides the one of the same name in /usr/lib. */
static void test_hidden_file(void **state)
{
        struct bench *bench = *state;

        put(bench, "etc/modprobe.d/a.conf", "");
        put(bench, "usr/lib/modprobe.d/a.conf", "blacklist virtio\n");
        put(bench, "usr/lib/modprobe.d/b.dist", "blacklist virtio\n");
        assert_int_equal(tn_kernel_module_state(modules(bench), "virtio"), TN_MODULE_ON_DISK);
}

static void test_dependencies(void **state)
{
        struct tn_kernel *kernel = modules(*state);
        g_auto(GStrv) needs = tn_kernel_module_dependencies(kernel, "virtio-rng");
        g_auto(GStrv) none = tn_kernel_module_dependencies(kernel, "nothing_of_it");

        assert_int_equal(g_strv_length(needs), 2);
        assert_string_equal(needs[0], "virtio");
        assert_string_equal(needs[1], "virtio_ring");
        assert_int_equal(g_strv_length(none), 0);
}

static void test_aliases(void **state)
{
        struct tn_kernel *kernel = modules(*state);
        g_auto(GStrv)
                card = tn_kernel_lookup_alias(kernel, "pci:v00008086d0000100Esv00001AF4sd1100bc02sc00i00");
        g_auto(GStrv) rng = tn_kernel_lookup_alias(kernel, "virtio:d00000004v00001AF4");
        g_auto(GStrv) disk = tn_kernel_lookup_alias(kernel, "virtio:d00000002v00001AF4");
        g_auto(GStrv) none = tn_kernel_lookup_alias(kernel, "virtio:d00000099v00001AF4");

        assert_string_equal(card[0], "e1000");
        assert_null(card[1]);
        assert_string_equal(rng[0], "virtio_rng");
        assert_string_equal(disk[0], "virtio_blk");
        assert_null(none[0]);
}

static void test_order_alone(void **state)
{
        struct bench *bench = *state;

        put(bench, "proc/sys/kernel/osrelease", "1\n");
        put(bench, "lib/modules/1/modules.order", "kernel/a/virtio-net.ko\n\n");
        assert_int_equal(tn_kernel_module_state(tn_kernels_running(look(bench)), "virtio_net"),
                         TN_MODULE_ON_DISK);
}

static void test_configuration(void **state)
{
        static const struct tn_pv_driver console = {.module = "hvc_xen", .config = "CONFIG_HVC_XEN"};
        struct bench *bench = *state;
        struct tn_kernel *kernel = modules(bench);

        assert_int_equal(tn_kernel_config(kernel, "CONFIG_HVC_XEN"), '\0');
        assert_int_equal(tn_kernel_driver_state(kernel, &console), TN_MODULE_MISSING);
        put(bench, "boot/config-1", "# CONFIG_A is not set\nCONFIG_HVC_XEN=y\nCONFIG_B=m\nCONFIG_C=\"x\"\n");
        kernel = tn_kernels_running(look(bench));
        assert_int_equal(tn_kernel_config(kernel, "CONFIG_HVC_XEN"), 'y');
        assert_int_equal(tn_kernel_config(kernel, "CONFIG_B"), 'm');
        assert_int_equal(tn_kernel_config(kernel, "CONFIG_A"), 'n');
        assert_int_equal(tn_kernel_driver_state(kernel, &console), TN_MODULE_BUILTIN);
}

static void test_signatures(void **state)
{
        struct bench *bench = *state;

        put(bench, "sys/kernel/security/lockdown", "none [integrity] confidentiality\n");
        put(bench, "lib/modules/1/kernel/virtio.ko", "code" MARK);
        put(bench, "lib/modules/1/kernel/floppy.ko", MARK "code");
        assert_int_equal(tn_kernel_module_state(modules(bench), "virtio"), TN_MODULE_ON_DISK);
        assert_int_equal(tn_kernel_module_state(modules(bench), "floppy"), TN_MODULE_UNSIGNED);
        put(bench, "sys/kernel/security/lockdown", "[none] integrity confidentiality\n");
        assert_int_equal(tn_kernel_module_state(modules(bench), "floppy"), TN_MODULE_ON_DISK);
        put(bench, "sys/module/module/parameters/sig_enforce", "Y\n");
        assert_int_equal(tn_kernel_module_state(modules(bench), "floppy"), TN_MODULE_UNSIGNED);
}

static void test_default_alone(void **state)
{
        struct bench *bench = *state;

        put_kernel(bench, "6.1.0-9-amd64");
        assert_default(bench, "6.1.0-9-amd64");
        put_kernel(bench, "6.1.0-10-amd64");
        assert_default(bench, NULL);
        folder_link(bench->root, "boot/vmlinuz-6.1.0-10-amd64", "vmlinuz");
        assert_default(bench, "6.1.0-10-amd64");
}

#define ENTRY(title, release)                                                                               \
        "menuentry '" title "' --class debian $menuentry_id_option 'gnulinux-" release "' {\n"              \
        "\tif [ x = x ]; then\n\tinsmod gzio\n\tfi\n\tlinux\t/boot/vmlinuz-" release " root=UUID=1 ro\n}\n"

#define MENU                                                                                                \
        ENTRY("Debian", "6.1.0-10-amd64")                                                                   \
        "submenu 'More' --id 'advanced' {\n" ENTRY("Debian, 10", "6.1.0-10-amd64")                          \
                ENTRY("Debian, 9", "6.1.0-9-amd64") "}\n"

static void test_default_grub(void **state)
{
        struct bench *bench = *state;

        put_kernel(bench, "6.1.0-9-amd64");
        put_kernel(bench, "6.1.0-10-amd64");
        put(bench, "boot/grub/grub.cfg", "set default=\"0\"\n" MENU);
        assert_default(bench, "6.1.0-10-amd64");
        put(bench, "boot/grub/grub.cfg", "set default=\"1>1\"\n" MENU);
        assert_default(bench, "6.1.0-9-amd64");
        put(bench, "boot/grub/grub.cfg", "set default='More>Debian, 9'\n" MENU);
        assert_default(bench, "6.1.0-9-amd64");
        put(bench, "boot/grub/grub.cfg", "set default=\"${saved_entry}\"\n" MENU);
        assert_default(bench, "6.1.0-10-amd64");
        put(bench, "boot/grub/grubenv",
            "# GRUB Environment Block\nsaved_entry=advanced>gnulinux-6.1.0-9-amd64\n###");
        assert_default(bench, "6.1.0-9-amd64");
}

static void test_default_entries(void **state)
{
        struct bench *bench = *state;

        put_kernel(bench, "5.14.0-1.el9");
        put_kernel(bench, "5.14.0-2.el9");
        put(bench, "boot/grub2/grub.cfg", "insmod blscfg\nblscfg\n");
        put(bench, "boot/loader/entries/id-5.14.0-1.el9.conf",
            "title One\nversion 5.14.0-1.el9\nlinux /vmlinuz-5.14.0-1.el9\n");
        put(bench, "boot/loader/entries/id-5.14.0-2.el9.conf", "title Two\nversion 5.14.0-2.el9\n");
        assert_default(bench, "5.14.0-2.el9");
        put(bench, "boot/grub2/grubenv", "saved_entry=id-5.14.0-1.el9\n");
        assert_default(bench, "5.14.0-1.el9");
}

static void test_default_systemd_boot(void **state)
{
        struct bench *bench = *state;

        put_kernel(bench, "6.9.1");
        put_kernel(bench, "6.9.2");
        put(bench, "efi/loader/loader.conf", "timeout 3\ndefault abc-6.9.1*\n");
        put(bench, "efi/loader/entries/abc-6.9.1.conf", "linux /abc/6.9.1/linux\n");
        put(bench, "efi/loader/entries/abc-6.9.2.conf", "linux /abc/6.9.2/linux\n");
        assert_default(bench, "6.9.1");
        put(bench, "efi/loader/loader.conf", "timeout 3\n");
        assert_default(bench, "6.9.2");
}

static void test_default_extlinux(void **state)
{
        struct bench *bench = *state;

        put_kernel(bench, "6.6.1-0-lts");
        put_kernel(bench, "6.6.2-0-lts");
        put(bench, "boot/extlinux.conf",
            "DEFAULT old\nLABEL new\n  LINUX vmlinuz-6.6.2-0-lts\nLABEL old\n  LINUX vmlinuz-6.6.1-0-lts\n");
        assert_default(bench, "6.6.1-0-lts");
}

static void test_names(void **state)
{
        static const char *const files[] = {"kernel/x/virtio-blk.ko.xz", "virtio_blk.ko",
                                            "/a/virtio-blk.ko.zst", "virtio-blk"};

        (void) state;
        for (size_t i = 0; i < G_N_ELEMENTS(files); i++) {
                g_autofree char *name = tn_kernel_module_name(files[i]);

                assert_string_equal(name, "virtio_blk");
        }
        for (int i = 0; i < _TN_MODULE_STATE_MAX; i++)
                assert_non_null(tn_kernel_state_name(i));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
        const struct CMUnitTest tests[] = {
                TEST(test_nothing),
                TEST(test_list),
                TEST(test_other_distributions),
                TEST(test_states),
                TEST(test_where_forbidden),
                TEST(test_hidden_file),
                TEST(test_dependencies),
                TEST(test_aliases),
                TEST(test_order_alone),
                TEST(test_configuration),
                TEST(test_signatures),
                TEST(test_default_alone),
                TEST(test_default_grub),
                TEST(test_default_entries),
                TEST(test_default_systemd_boot),
                TEST(test_default_extlinux),
                TEST(test_names),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
