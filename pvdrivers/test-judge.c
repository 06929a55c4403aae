/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* What is paravirtual, emulated or neither, in a made sysfs and in one that a hostile host made. */
#define _GNU_SOURCE /* nftw */
#include "detect/test-folder.h"

#include "lib/env.h"
#include "lib/json.h"
#include "pvdrivers/judge.h"

struct bench {
        char *root;
        struct tn_env env;
        struct tn_catalogue *catalogue;
};

static int set_up(void **state)
{
        struct bench *bench = g_new0(struct bench, 1);

        bench->root = folder_new();
        assert_true(tn_env_init_root(&bench->env, bench->root, NULL));
        bench->catalogue = tn_catalogue_new(&bench->env, NULL);
        *state = bench;
        return 0;
}

static int tear_down(void **state)
{
        struct bench *bench = *state;

        tn_catalogue_free(bench->catalogue);
        tn_env_deinit(&bench->env);
        folder_free(bench->root);
        g_free(bench);
        return 0;
}

/* A device at @path, below sys/devices, as sysfs has it. @driver may be NULL. */
static void device(struct bench *bench, const char *bus, const char *path, const char *modalias,
                   const char *driver)
{
        g_autofree char *name = g_path_get_basename(path);
        g_autofree char *link = g_strdup_printf("sys/bus/%s/devices/%s", bus, name);
        g_autofree char *target = g_strdup_printf("../../../devices/%s", path);
        g_autofree char *attribute = g_strdup_printf("sys/devices/%s/modalias", path);
        g_autofree char *bound = g_strdup_printf("sys/devices/%s/driver", path);
        g_autofree char *where = g_strdup_printf("../../../../bus/%s/drivers/%s", bus, driver);

        folder_link(bench->root, target, link);
        folder_put(bench->root, attribute, modalias);
        if (driver)
                folder_link(bench->root, where, bound);
}

static void class(struct bench *bench, const char *name, const char *path)
{
        g_autofree char *link = g_strdup_printf("sys/class/%s", name);
        g_autofree char *target = g_strdup_printf("../../devices/%s", path);

        folder_link(bench->root, target, link);
}

/* "KIND ROLE DRIVER BETTER USED-BY" of the device, "-" for what it has not; "none" when it is worth no line.
 */
static char *judge(struct bench *bench, const char *name, enum tn_pv_platform platform)
{
        g_autoptr(GPtrArray) devices = tn_device_list(&bench->env);
        struct tn_judgement judgement;
        char *text;

        for (guint i = 0; i < devices->len; i++) {
                const struct tn_device *one = devices->pdata[i];

                if (!g_str_equal(one->name, name) ||
                    !tn_judge(bench->catalogue, platform, devices, one, &judgement))
                        continue;
                text = g_strdup_printf(
                        "%s %s %s %s %s", tn_judge_kind_name(judgement.kind),
                        judgement.role < _TN_PV_ROLE_MAX ? tn_catalogue_role_name(judgement.role) : "-",
                        one->driver ? one->driver : "-", judgement.better ? judgement.better->module : "-",
                        one->interfaces->len ? (char *) one->interfaces->pdata[0]
                        : one->disks->len    ? (char *) one->disks->pdata[0]
                                             : "-");
                tn_judge_clear(&judgement);
                return text;
        }
        return g_strdup("none");
}

static void assert_judged(struct bench *bench, const char *name, enum tn_pv_platform platform,
                          const char *expected)
{
        g_autofree char *text = judge(bench, name, platform);

        assert_string_equal(text, expected);
}

#define PCI "pci0000:00/0000:00:"

static void test_virtio(void **state)
{
        struct bench *bench = *state;

        device(bench, "pci", PCI "03.0", "pci:v00001AF4d00001000sv00001AF4sd00000001bc02sc00i00",
               "virtio-pci");
        device(bench, "virtio", PCI "03.0/virtio0", "virtio:d00000001v00001AF4", "virtio_net");
        class(bench, "net/ens3", PCI "03.0/virtio0/net/ens3");
        /* What hangs on the device is the inner one's, on every platform. */
        assert_judged(bench, "virtio0", TN_PV_KVM, "paravirtual network virtio_net - ens3");
        assert_judged(bench, "virtio0", _TN_PV_PLATFORM_MAX, "paravirtual network virtio_net - ens3");
        assert_judged(bench, "0000:00:03.0", TN_PV_KVM, "paravirtual bus virtio-pci - -");
}

static void test_emulated(void **state)
{
        struct bench *bench = *state;

        device(bench, "pci", PCI "04.0", "pci:v00008086d0000100Esv00001AF4sd00001100bc02sc00i00", "e1000");
        class(bench, "net/ens4", PCI "04.0/net/ens4");
        assert_judged(bench, "0000:00:04.0", TN_PV_KVM, "emulated network e1000 virtio_net ens4");
        assert_judged(bench, "0000:00:04.0", TN_PV_VMWARE, "emulated network e1000 vmxnet3 ens4");
        assert_judged(bench, "0000:00:04.0", TN_PV_XEN, "emulated network e1000 xen_netfront ens4");
        /* On bare metal, and where the catalogue knows no platform, it is a card. */
        assert_judged(bench, "0000:00:04.0", _TN_PV_PLATFORM_MAX, "other - e1000 - ens4");
}

/* A controller that the board has anyway wants no change while no disk is on it. */
static void test_controller_without_a_disk(void **state)
{
        struct bench *bench = *state;

        device(bench, "pci", PCI "1f.2", "pci:v00008086d00002922sv00001AF4sd00001100bc01sc06i01", "ahci");
        class(bench, "block/sr0", PCI "1f.2/ata1/host0/target0:0:0/0:0:0:0/block/sr0");
        assert_judged(bench, "0000:00:1f.2", TN_PV_KVM, "emulated storage ahci - -");
        class(bench, "block/sda", PCI "1f.2/ata2/host1/target1:0:0/1:0:0:0/block/sda");
        class(bench, "block/sda1", PCI "1f.2/ata2/host1/target1:0:0/1:0:0:0/block/sda/sda1");
        assert_judged(bench, "0000:00:1f.2", TN_PV_KVM, "emulated storage ahci virtio_blk sda");
}

/* The driver alone does not make a device emulated: a card may have been passed through. */
static void test_passed_through(void **state)
{
        struct bench *bench = *state;

        device(bench, "pci", PCI "05.0", "pci:v00008086d00001521sv00008086sd00005001bc02sc00i00", "igb");
        device(bench, "pci", PCI "06.0", "pci:v00008086d000010C9sv00001AF4sd00001100bc02sc00i00", "igb");
        device(bench, "pci", PCI "07.0", "pci:v00001000d0000005Dsv00001028sd00001F49bc01sc04i00",
               "megaraid_sas");
        assert_judged(bench, "0000:00:05.0", TN_PV_KVM, "other - igb - -");
        assert_judged(bench, "0000:00:06.0", TN_PV_KVM, "emulated network igb virtio_net -");
        assert_judged(bench, "0000:00:07.0", TN_PV_KVM, "other - megaraid_sas - -");
}

static void test_board(void **state)
{
        struct bench *bench = *state;

        device(bench, "pci", PCI "00.0", "pci:v00008086d000029C0sv00001AF4sd00001100bc06sc00i00", NULL);
        device(bench, "acpi", "LNXSYSTM:00/PNP0C0C:00", "acpi:PNP0C0C:", "button");
        device(bench, "platform", "platform/i8042", "platform:i8042", "i8042");
        device(bench, "usb", PCI "1d.0/usb1/1-1/1-1:1.0",
               "usb:v0627p0001d0000dc00dsc00dp00ic03isc00ip00in00", "usbhid");
        device(bench, "usb", PCI "1d.0/usb1/1-1", "usb:x", "usb");
        device(bench, "usb", PCI "1d.0/usb1/1-2/1-2:1.0",
               "usb:v046DpC31Cd0000dc00dsc00dp00ic03isc00ip00in00", "usbhid");
        assert_judged(bench, "0000:00:00.0", TN_PV_KVM, "other - - - -");
        assert_judged(bench, "PNP0C0C:00", TN_PV_KVM, "none");
        assert_judged(bench, "i8042", TN_PV_KVM, "none");
        assert_judged(bench, "1-1:1.0", TN_PV_KVM, "emulated input usbhid virtio_input -");
        assert_judged(bench, "1-1:1.0", TN_PV_VMWARE, "none");
        assert_judged(bench, "1-1", TN_PV_KVM, "none");
        assert_judged(bench, "1-2:1.0", TN_PV_KVM, "none"); /* somebody's keyboard, passed through */
}

/* The firmware's device on two buses is one. */
static void test_two_names(void **state)
{
        struct bench *bench = *state;
        json_auto_t *list = NULL;

        device(bench, "acpi", "LNXSYSTM:00/QEMU0002:00", "acpi:QEMU0002:", NULL);
        device(bench, "platform", "pci0000:00/QEMU0002:00", "acpi:QEMU0002:", "fw_cfg");
        device(bench, "acpi", "LNXSYSTM:00/QEMUVGID:00", "acpi:QEMUVGID:VM_GEN_COUNTER:", "vmgenid");
        device(bench, "platform", "platform/QEMUVGID:00", "acpi:QEMUVGID:VM_GEN_COUNTER:", NULL);
        assert_judged(bench, "QEMU0002:00", TN_PV_KVM, "paravirtual other fw_cfg - -");
        assert_judged(bench, "QEMUVGID:00", TN_PV_KVM, "paravirtual rng vmgenid - -");
        list = tn_judge_machine(&bench->env, bench->catalogue, TN_PV_KVM);
        assert_int_equal(json_array_size(list), 2);
}

static void test_json(void **state)
{
        struct bench *bench = *state;
        json_auto_t *list = NULL, *wanted = NULL;

        device(bench, "pci", PCI "04.0", "pci:v00008086d0000100Esv00001AF4sd00001100bc02sc00i00\n", "e1000");
        device(bench, "pci", PCI "00.0", "pci:v00008086d000029C0sv00001AF4sd00001100bc06sc00i00\n", NULL);
        class(bench, "net/ens4", PCI "04.0/net/ens4");
        list = tn_judge_machine(&bench->env, bench->catalogue, TN_PV_KVM);
        wanted = json_pack("[{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:[s]}]", "bus", "pci", "device",
                           "0000:00:04.0", "modalias",
                           "pci:v00008086d0000100Esv00001AF4sd00001100bc02sc00i00", "kind", "emulated",
                           "role", "network", "driver", "e1000", "module", "e1000", "interfaces", "ens4");
        assert_true(json_equal(list, wanted));
}

static void test_hostile_names(void **state)
{
        struct bench *bench = *state;
        json_auto_t *list = NULL;

        folder_put(bench->root, "sys/bus/virtio/devices/bad\xffname/modalias", "virtio:d00000001v\xff\n");
        list = tn_judge_machine(&bench->env, bench->catalogue, TN_PV_KVM);
        assert_string_equal(json_string_value(json_object_get(json_array_get(list, 0), "device")),
                            "bad\xef\xbf\xbdname");
        assert_string_equal(json_string_value(json_object_get(json_array_get(list, 0), "modalias")),
                            "virtio:d00000001v\xef\xbf\xbd");
}

static void test_too_many(void **state)
{
        struct bench *bench = *state;
        json_auto_t *list = NULL;

        for (int i = 0; i < TN_DEVICES_MAX + 76; i++) {
                g_autofree char *path = g_strdup_printf("sys/bus/virtio/devices/virtio%d/modalias", i);

                folder_put(bench->root, path, "virtio:d00000001v00001AF4\n");
        }
        list = tn_judge_machine(&bench->env, bench->catalogue, TN_PV_KVM);
        assert_int_equal(json_array_size(list), TN_DEVICES_MAX);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
        const struct CMUnitTest tests[] = {
                TEST(test_virtio),         TEST(test_emulated),      TEST(test_controller_without_a_disk),
                TEST(test_passed_through), TEST(test_board),         TEST(test_two_names),
                TEST(test_json),           TEST(test_hostile_names), TEST(test_too_many),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
