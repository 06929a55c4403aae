/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* The table is in itself right, and rows are found; test-debian-kernel.c compares it with a real kernel. */
#define _GNU_SOURCE /* nftw */
#include "detect/test-folder.h"

#include "lib/env.h"
#include "pvdrivers/catalogue.h"

static struct tn_env env;
static struct tn_catalogue *catalogue;
static char *root;

static int set_up(void **state)
{
        (void) state;
        root = folder_new();
        assert_true(tn_env_init_root(&env, root, NULL));
        catalogue = tn_catalogue_new(&env, NULL);
        return 0;
}

static int tear_down(void **state)
{
        (void) state;
        tn_catalogue_free(catalogue);
        tn_env_deinit(&env);
        folder_free(root);
        return 0;
}

#define each_row(row)                                                                                       \
        size_t i = 0;                                                                                       \
        (row = tn_catalogue_at(catalogue, i));                                                              \
        i++

/* Words with single spaces between; an empty list is NULL. */
static void check_list(const struct tn_pv_driver *row, const char *list)
{
        if (list && (*list == '\0' || strstr(list, "  ") || *list == ' ' || g_str_has_suffix(list, " ")))
                fail_msg("%s has a bad list \"%s\"", row->module, list);
}

static void test_rows(void **state)
{
        const struct tn_pv_driver *row;

        (void) state;
        for (each_row(row)) {
                check_list(row, row->match);
                check_list(row, row->replaces);
                check_list(row, row->needs);
                assert_true(row->platforms > 0 && row->platforms < TN_PV_ON(_TN_PV_PLATFORM_MAX));
                assert_true(row->role < _TN_PV_ROLE_MAX);
                assert_null(strchr(row->module, '-'));
                assert_true(g_str_has_prefix(row->config, "CONFIG_"));
                /* What is loaded by name has no pattern; what has none and is not loaded says why. */
                if (row->match && (row->flags & TN_PV_EXPLICIT))
                        fail_msg("%s has a device and needs to be loaded by name", row->module);
                if ((!row->match || (row->flags & TN_PV_UNSAFE)) && !row->reason)
                        fail_msg("%s is odd and does not say why", row->module);
                if ((row->flags & TN_PV_EMULATED) && (row->flags & TN_PV_BOOT))
                        fail_msg("%s is emulated: nobody has to have it", row->module);
        }
}

/* Two rows for one module on one platform would hide the second. */
static void test_no_doubles(void **state)
{
        const struct tn_pv_driver *row, *other;

        (void) state;
        for (each_row(row))
                for (size_t j = i + 1; (other = tn_catalogue_at(catalogue, j)); j++)
                        if (g_str_equal(row->module, other->module) && (row->platforms & other->platforms))
                                fail_msg("%s has two rows for one platform", row->module);
}

/* A guest boots on each platform: it has a disk and a network there. */
static void test_every_platform_boots(void **state)
{
        static const enum tn_pv_role roles[] = {TN_PV_STORAGE, TN_PV_NETWORK};

        (void) state;
        for (int platform = 0; platform < _TN_PV_PLATFORM_MAX; platform++)
                for (size_t r = 0; r < G_N_ELEMENTS(roles); r++) {
                        g_autoptr(GPtrArray) rows = tn_catalogue_for(catalogue, platform, roles[r]);
                        unsigned boot = 0;

                        for (guint i = 0; i < rows->len; i++)
                                boot += (((struct tn_pv_driver *) rows->pdata[i])->flags & TN_PV_BOOT) != 0;
                        if (boot == 0)
                                fail_msg("%s has no %s driver to boot with",
                                         tn_catalogue_platform_name(platform),
                                         tn_catalogue_role_name(roles[r]));
                }
}

/* What the catalogue is for; a module that goes missing here is missed by users. */
/* clang-format off */
static const char *const complete[] = {
        "virtio_pci", "virtio_mmio", "virtio_blk", "virtio_scsi", "virtio_net",
        "virtio_balloon", "virtio_console", "virtio_rng", "virtio_gpu", "virtio_input",
        "vmw_vsock_virtio_transport", "virtiofs", "9pnet_virtio", "virtio_mem", "virtio_iommu",
        "virtio_pmem", "virtio_crypto", "virtio_rtc", "qemu_fw_cfg", "pvpanic_mmio",
        "pvpanic_pci", "i6300esb", "ptp_kvm", "vmgenid", "bochs",
        "qxl", "cirrus", "vmxnet3", "vmw_pvscsi", "vmw_vmci",
        "vmw_vsock_vmci_transport", "vmw_balloon", "vmwgfx", "ptp_vmw", "mptspi",
        "mptsas", "ata_piix", "ahci", "nvme", "e1000",
        "e1000e", "psmouse", "xen_blkfront", "xen_netfront", "xen_fbfront",
        "xen_kbdfront", "xen_scsifront", "xen_pcifront", "xen_wdt", "xen_balloon",
        "xen_platform_pci", "hv_vmbus", "hv_storvsc", "hv_netvsc", "hv_utils",
        "hv_balloon", "hid_hyperv", "hyperv_keyboard", "hyperv_drm", "hyperv_fb",
        "hv_sock", "pci_hyperv", "mana", "mlx5_core", "vboxguest",
        "vboxsf", "vboxvideo", "ena", "efa", "gve",
        "softdog", "ib700wdt",
};
/* clang-format on */

static void test_complete(void **state)
{

        (void) state;
        for (size_t i = 0; i < G_N_ELEMENTS(complete); i++)
                if (!tn_catalogue_find_module(catalogue, complete[i]))
                        fail_msg("no row for %s", complete[i]);
}

static const char *match(const char *modalias)
{
        const struct tn_pv_driver *row = tn_catalogue_match(catalogue, modalias);

        return row ? row->module : "none";
}

static void test_match(void **state)
{
        (void) state;
        assert_string_equal(match("virtio:d00000002v00001AF4"), "virtio_blk");
        assert_string_equal(match("virtio:d00000010v00001AF4"), "virtio_gpu");
        assert_string_equal(match("pci:v00001AF4d00001042sv00001AF4sd00001100bc01sc00i00"), "virtio_pci");
        assert_string_equal(match("pci:v000015ADd000007B0sv000015ADsd000007B0bc02sc00i00"), "vmxnet3");
        assert_string_equal(match("pci:v00001D0Fd00008061sv00000000sd00000000bc01sc08i02"), "nvme");
        assert_string_equal(match("vmbus:32264132cb86a2449b5c50d1417354f5"), "hv_storvsc");
        assert_string_equal(match("xen:vif"), "xen_netfront");
        assert_string_equal(match("acpi:QEMU0002:"), "qemu_fw_cfg");
        assert_string_equal(match("acpi:QEMUVGID:VM_GEN_COUNTER:"), "vmgenid");
        assert_string_equal(match("dmi:bvnPhoenix:svnVMware,Inc.:pnVMware7,1:"), "vmw_balloon");
        assert_string_equal(match("pci:v00008086d00001237sv00001AF4sd00001100bc06sc00i00"), "none");
        assert_string_equal(match(""), "none");
}

static void test_find(void **state)
{
        (void) state;
        assert_string_equal(tn_catalogue_find_module(catalogue, "xen-blkfront")->module, "xen_blkfront");
        assert_null(tn_catalogue_find_module(catalogue, "xen"));
        assert_null(tn_catalogue_find_module(catalogue, "virtio_blk_"));
        assert_null(tn_catalogue_find_module(catalogue, ""));
        assert_true(tn_catalogue_list_has("e1000 e1000e", "e1000e"));
        assert_true(tn_catalogue_list_has("sym53c8xx ne2k_pci", "ne2k-pci"));
        assert_false(tn_catalogue_list_has("e1000e", "e1000"));
        assert_false(tn_catalogue_list_has(NULL, "e1000"));
}

static void test_order(void **state)
{
        g_autoptr(GPtrArray) storage = tn_catalogue_for(catalogue, TN_PV_KVM, TN_PV_STORAGE);
        g_autoptr(GPtrArray) all = tn_catalogue_for(catalogue, TN_PV_KVM, _TN_PV_ROLE_MAX);
        g_autoptr(GPtrArray) watchdogs = tn_catalogue_for(catalogue, TN_PV_XEN, TN_PV_WATCHDOG);

        (void) state;
        assert_string_equal(((struct tn_pv_driver *) storage->pdata[0])->module, "virtio_blk");
        assert_true(all->len > storage->len);
        assert_string_equal(((struct tn_pv_driver *) watchdogs->pdata[0])->module, "xen_wdt");
        assert_string_equal(((struct tn_pv_driver *) watchdogs->pdata[1])->module, "softdog");
}

static void test_names(void **state)
{
        (void) state;
        for (int i = 0; i < _TN_PV_ROLE_MAX; i++)
                assert_int_equal(tn_catalogue_role_parse(tn_catalogue_role_name(i)), i);
        for (int i = 0; i < _TN_PV_PLATFORM_MAX; i++)
                assert_int_equal(tn_catalogue_platform_parse(tn_catalogue_platform_name(i)), i);
        assert_int_equal(tn_catalogue_role_parse("Storage"), _TN_PV_ROLE_MAX);
        assert_int_equal(tn_catalogue_platform_parse(""), _TN_PV_PLATFORM_MAX);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_rows),
                cmocka_unit_test(test_no_doubles),
                cmocka_unit_test(test_every_platform_boots),
                cmocka_unit_test(test_complete),
                cmocka_unit_test(test_match),
                cmocka_unit_test(test_find),
                cmocka_unit_test(test_order),
                cmocka_unit_test(test_names),
        };

        return cmocka_run_group_tests(tests, set_up, tear_down);
}
