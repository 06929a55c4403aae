/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* What is decided to be loaded, what is done with the kernel's answers, and modules-load.d, on machines made
 * of a few files. No module is ever loaded here. */
#define _GNU_SOURCE /* nftw */
#include "detect/test-folder.h"

#include <errno.h>

#include "lib/env.h"
#include "lib/error.h"
#include "lib/names.h"
#include "pvdrivers/load.h"
#include "pvdrivers/modules-load.h"

#define KEPT "etc/modules-load.d/tenon.conf"

struct bench {
        char *root;
        struct tn_env env;
        GString *inserted; /* names in order */
        int answer;        /* of the kernel */
};

static int set_up(void **state)
{
        struct bench *bench = g_new0(struct bench, 1);

        bench->root = folder_new();
        bench->inserted = g_string_new(NULL);
        assert_true(tn_env_init_root(&bench->env, bench->root, NULL));
        *state = bench;
        return 0;
}

static int tear_down(void **state)
{
        struct bench *bench = *state;

        tn_env_deinit(&bench->env);
        folder_free(bench->root);
        g_string_free(bench->inserted, TRUE);
        g_free(bench);
        return 0;
}

static void put(struct bench *bench, const char *path, const char *text)
{
        folder_put(bench->root, path, text);
}

/* A guest of @vendor with the modules of which this file speaks. */
static void machine(struct bench *bench, const char *vendor)
{
        put(bench, "etc/hostname", "guest\n");
        put(bench, "sys/class/dmi/id/sys_vendor", vendor);
        put(bench, "proc/sys/kernel/osrelease", "1\n");
        put(bench, "lib/modules/1/modules.dep",
            "a/virtio_gpu.ko:\na/ptp_kvm.ko:\na/i6300esb.ko:\na/softdog.ko:\na/xen_wdt.ko:\na/ib700wdt.ko:\n"
            "a/vmw_balloon.ko:\n");
        put(bench, "lib/modules/1/modules.order", "");
}

static void device(struct bench *bench, const char *bus, const char *name, const char *modalias)
{
        g_autofree char *path = g_strdup_printf("sys/bus/%s/devices/%s/modalias", bus, name);

        put(bench, path, modalias);
}

static void drivers_d(struct bench *bench, const char *text)
{
        g_autofree char *path = g_strdup_printf("%s/a.conf", TN_PATH_DRIVERS_D + 1);

        put(bench, path, text);
}

static int insert(const char *module, void *data)
{
        struct bench *bench = data;

        g_string_append_printf(bench->inserted, "%s%s", bench->inserted->len ? " " : "", module);
        return bench->answer;
}

/* Decides, and acts when @act; the lines of all steps, with '\n' between. */
static char *run(struct bench *bench, bool act)
{
        g_autoptr(tn_catalogue_t) catalogue = tn_catalogue_new(&bench->env, NULL);
        g_autoptr(tn_detect_t) detect = tn_detect_run(&bench->env);
        g_autoptr(tn_kernels_t) kernels = tn_kernels_new(&bench->env);
        g_autoptr(tn_inventory_t) inventory = tn_inventory_new(&bench->env, catalogue, detect, kernels);
        g_autoptr(GPtrArray) steps = tn_load_decide(&bench->env, catalogue, inventory);
        g_autoptr(GPtrArray) lines = g_ptr_array_new_with_free_func(g_free);

        g_string_truncate(bench->inserted, 0);
        if (act)
                assert_true(tn_load_act(&bench->env, steps, insert, bench, NULL));
        for (guint i = 0; i < steps->len; i++)
                g_ptr_array_add(lines, tn_load_line(steps->pdata[i]));
        g_ptr_array_add(lines, NULL);
        return g_strjoinv("\n", (char **) lines->pdata);
}

static void assert_decided(struct bench *bench, const char *lines)
{
        g_autofree char *text = run(bench, false);

        assert_string_equal(text, lines);
}

static void assert_done(struct bench *bench, const char *inserted, const char *kept)
{
        g_autofree char *text = run(bench, true), *file = NULL;

        assert_string_equal(bench->inserted->str, inserted);
        if (!kept) {
                assert_false(tn_env_exists(&bench->env, KEPT));
                return;
        }
        assert_true(tn_env_read(&bench->env, KEPT, &file, NULL, NULL));
        assert_string_equal(strchr(strchr(file, '\n') + 1, '\n') + 1, kept);
}

#define PTP "ptp_kvm: wanted, no device names it, and this is kvm"

static void test_bare_metal(void **state)
{
        machine(*state, "ACME");
        assert_decided(*state, "");
}

static void test_device(void **state)
{
        struct bench *bench = *state;

        machine(bench, "QEMU");
        device(bench, "virtio", "virtio0", "virtio:d00000010v00001AF4\n");
        assert_decided(bench, "virtio_gpu: wanted, for virtio virtio0\n" PTP);
        assert_done(bench, "virtio_gpu ptp_kvm", "ptp_kvm\n");
        /* What is loaded is loaded, and stays in the file. */
        put(bench, "sys/module/virtio_gpu/initstate", "live\n");
        put(bench, "sys/module/ptp_kvm/initstate", "live\n");
        assert_decided(bench, "ptp_kvm: present, loaded already");
        assert_done(bench, "", "ptp_kvm\n");
}

static void test_blacklisted(void **state)
{
        struct bench *bench = *state;

        machine(bench, "QEMU");
        device(bench, "virtio", "virtio0", "virtio:d00000010v00001AF4\n");
        put(bench, "etc/modprobe.d/no.conf", "blacklist virtio_gpu\ninstall ptp_kvm /bin/false\n");
        assert_decided(bench, "virtio_gpu: skipped, forbidden by /etc/modprobe.d/no.conf\n"
                              "ptp_kvm: skipped, forbidden by /etc/modprobe.d/no.conf");
        assert_done(bench, "", NULL);
        drivers_d(bench, "[virtio_gpu]\nload=yes\n[ptp_kvm]\nload=yes\n");
        assert_decided(bench, "virtio_gpu: wanted, for virtio virtio0\n"
                              "ptp_kvm: skipped, forbidden by /etc/modprobe.d/no.conf");
}

static void test_not_wanted(void **state)
{
        struct bench *bench = *state;

        machine(bench, "QEMU");
        drivers_d(bench, "[ptp_kvm]\nload=no\n");
        assert_decided(bench, "ptp_kvm: skipped, drivers.d says load=no");
}

static void test_missing(void **state)
{
        struct bench *bench = *state;

        machine(bench, "QEMU");
        device(bench, "virtio", "virtio0", "virtio:d00000018v00001AF4\n");
        put(bench, "sys/module/ptp_kvm/parameters/x", "");
        assert_decided(
                bench,
                "virtio_mem: skipped, kernel 1 has no such module; run: tenonctl drivers install\n" PTP);
}

/* A real one always; one that cannot know its hardware only when asked for, and only without another. */
static void test_watchdogs(void **state)
{
        struct bench *bench = *state;

        machine(bench, "QEMU");
        drivers_d(bench, "[softdog]\nload=yes\n[ptp_kvm]\nload=no\n");
        assert_done(bench, "softdog", "softdog\n");
        device(bench, "pci", "0000:00:05.0", "pci:v00008086d000025ABsv00001AF4sd00001100bc08sc80i00\n");
        assert_done(bench, "i6300esb", NULL);
        put(bench, "sys/module/i6300esb/initstate", "live\n");
        put(bench, "sys/class/watchdog/watchdog0/identity", "i6300ESB timer\n");
        assert_done(bench, "", NULL);
}

static void test_xen_watchdog(void **state)
{
        struct bench *bench = *state;

        machine(bench, "Xen");
        assert_done(bench, "xen_wdt", "xen_wdt\n");
        drivers_d(bench, "[softdog]\nload=yes\n");
        assert_done(bench, "xen_wdt", "xen_wdt\n");
}

/* By DMI, where no driver link tells whether it is loaded. */
static void test_balloon(void **state)
{
        struct bench *bench = *state;

        machine(bench, "VMware, Inc.");
        put(bench, "sys/devices/virtual/dmi/id/modalias", "dmi:bvnX:svnVMware,Inc.:pnX:\n");
        assert_done(bench, "vmw_balloon", NULL);
        put(bench, "sys/module/vmw_balloon/initstate", "live\n");
        assert_done(bench, "", NULL);
}

/* The kernel finds no host behind it: said, but no failure, and not tried at every start. */
static void test_absent(void **state)
{
        struct bench *bench = *state;
        g_autofree char *text = NULL;

        machine(bench, "QEMU");
        bench->answer = -EOPNOTSUPP;
        text = run(bench, true);
        assert_string_equal(
                text, "ptp_kvm: refused, no device names it, and this is kvm: the kernel finds no such "
                      "thing at this host: Operation not supported");
        assert_false(tn_env_exists(&bench->env, KEPT));
}

static void test_failure(void **state)
{
        struct bench *bench = *state;
        g_autoptr(tn_catalogue_t) catalogue = tn_catalogue_new(&bench->env, NULL);
        g_autoptr(tn_detect_t) detect = NULL;
        g_autoptr(tn_kernels_t) kernels = NULL;
        g_autoptr(tn_inventory_t) inventory = NULL;
        g_autoptr(GPtrArray) steps = NULL;
        json_auto_t *json = NULL;

        machine(bench, "QEMU");
        detect = tn_detect_run(&bench->env);
        kernels = tn_kernels_new(&bench->env);
        inventory = tn_inventory_new(&bench->env, catalogue, detect, kernels);
        steps = tn_load_decide(&bench->env, catalogue, inventory);
        assert_false(tn_load_failed(steps));
        bench->answer = -ENOEXEC;
        assert_true(tn_load_act(&bench->env, steps, insert, bench, NULL));
        assert_true(tn_load_failed(steps));
        json = tn_load_to_json(steps);
        assert_string_equal(json_string_value(json_object_get(json_array_get(json, 0), "action")),
                            "refused");
}

static void test_moved(void **state)
{
        struct bench *bench = *state;

        machine(bench, "Xen");
        put(bench, KEPT, "ptp_kvm\n");
        assert_done(bench, "xen_wdt", "xen_wdt\n");
}

static void write_modules(struct bench *bench, bool ok, const char *first, GError **error)
{
        g_autoptr(GPtrArray) modules = g_ptr_array_new();

        if (first)
                g_ptr_array_add(modules, (char *) first);
        assert_int_equal(tn_modules_load_write(&bench->env, modules, error), ok);
}

static void test_file(void **state)
{
        struct bench *bench = *state;
        g_autofree char *path = g_build_filename(bench->root, KEPT, NULL);
        struct stat before, same, after;
        g_autoptr(GDir) dir = NULL;

        write_modules(bench, false, "a", NULL); /* there is no etc/ */
        put(bench, "etc/hostname", "x");
        write_modules(bench, true, NULL, NULL);
        assert_false(tn_env_exists(&bench->env, KEPT));
        write_modules(bench, true, "a", NULL);
        assert_int_equal(stat(path, &before), 0);
        assert_int_equal(before.st_mode & 0777, 0644);
        write_modules(bench, true, "a", NULL);
        assert_int_equal(stat(path, &same), 0);
        assert_true(before.st_ino == same.st_ino);
        write_modules(bench, true, "b", NULL);
        assert_int_equal(stat(path, &after), 0);
        write_modules(bench, true, NULL, NULL);
        assert_false(tn_env_exists(&bench->env, KEPT));
        /* Nothing half written lies about. */
        g_clear_pointer(&path, g_free);
        path = g_build_filename(bench->root, "etc/modules-load.d", NULL);
        dir = g_dir_open(path, 0, NULL);
        assert_null(g_dir_read_name(dir));
}

/* Whoever may write there may also have made a link of it: it is replaced, not followed. */
static void test_file_is_a_link(void **state)
{
        struct bench *bench = *state;
        g_autofree char *victim = NULL;

        put(bench, "etc/passwd", "root\n");
        folder_link(bench->root, "../passwd", KEPT);
        write_modules(bench, true, "a", NULL);
        assert_true(tn_env_read(&bench->env, "etc/passwd", &victim, NULL, NULL));
        assert_string_equal(victim, "root\n");
}

static void test_file_cannot_be_written(void **state)
{
        struct bench *bench = *state;
        g_autoptr(GError) error = NULL;

        put(bench, "etc/modules-load.d", "no folder\n");
        write_modules(bench, false, "a", &error);
        assert_non_null(strstr(error->message, "/etc/modules-load.d"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
        const struct CMUnitTest tests[] = {
                TEST(test_bare_metal),     TEST(test_device),
                TEST(test_blacklisted),    TEST(test_not_wanted),
                TEST(test_missing),        TEST(test_watchdogs),
                TEST(test_xen_watchdog),   TEST(test_balloon),
                TEST(test_absent),         TEST(test_failure),
                TEST(test_moved),          TEST(test_file),
                TEST(test_file_is_a_link), TEST(test_file_cannot_be_written),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
