/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* What prepare decides to change, and what it leaves alone: the guests of the tests of plans. */
#define _GNU_SOURCE
#include "pvdrivers/change.h"
#include "pvdrivers/fixes-pins.h"
#include "pvdrivers/fixes.h"
#include "pvdrivers/test-guest.h"

#define MAC       "00:0d:3a:11:22:33"
#define OTHER_MAC "00:0d:3a:11:22:34"

static GPtrArray *changes, *notes;
static GString *builders, *configured; /* of the images, in their order; files that are changed */

static int setup(void **state)
{
        (void) state;
        changes = tn_changes_new();
        notes = g_ptr_array_new_with_free_func(g_free);
        builders = g_string_new(NULL);
        configured = g_string_new(NULL);
        return 0;
}

static int teardown(void **state)
{
        (void) state;
        g_ptr_array_unref(changes);
        g_ptr_array_unref(notes);
        g_string_free(builders, TRUE);
        g_string_free(configured, TRUE);
        return 0;
}

static void put_card(struct guest *guest, const char *name, const char *address)
{
        static const char *const files[] = {"type", "address", "addr_assign_type", "device/vendor"};
        const char *const texts[] = {"1\n", address, "0\n", "0x1414\n"};

        for (size_t i = 0; i < G_N_ELEMENTS(files); i++) {
                g_autofree char *path = g_strdup_printf("sys/class/net/%s/%s", name, files[i]);

                guest_put(guest, path, texts[i]);
        }
}

/* A guest with systemd's udev and a card that is configured by its name. */
static struct guest *guest_with_card(const char *name)
{
        struct guest *guest = guest_debian();
        g_autofree char *interfaces = g_strdup_printf("iface %s inet dhcp\n", name);

        guest_put(guest, "usr/lib/systemd/network/99-default.link", "[Match]\nOriginalName=*\n");
        guest_put(guest, "etc/network/interfaces", interfaces);
        put_card(guest, name, MAC "\n");
        return guest;
}

/* Pins anew; @wanted are the cards that get a file, @noted is a part of the one note, or NULL. */
static void assert_pins(struct guest *guest, const char *wanted, const char *noted)
{
        g_autoptr(GString) pinned = g_string_new(NULL);

        g_ptr_array_set_size(changes, 0);
        g_ptr_array_set_size(notes, 0);
        tn_fixes_pins(&guest->env, changes, notes);
        for (guint i = 0; i < changes->len; i++) {
                const char *path = ((const struct tn_change *) changes->pdata[i])->path;

                assert_true(g_str_has_prefix(path, "etc/systemd/network/10-tenon-"));
                g_string_append_printf(pinned, "%s ", path + strlen("etc/systemd/network/10-tenon-"));
        }
        assert_string_equal(pinned->str, wanted);
        if (!noted) {
                assert_int_equal(notes->len, 0);
                return;
        }
        assert_true(notes->len > 0);
        if (!strstr(notes->pdata[0], noted))
                fail_msg("'%s' is not in '%s'", noted, (const char *) notes->pdata[0]);
}

/* Hyper-V: a virtual function below the synthetic card has its address; the pin is for the latter alone. */
static void test_virtual_function(void **state)
{
        g_autoptr(guest_t) guest = guest_with_card("eth0");

        (void) state;
        put_card(guest, "enP2s2", MAC "\n");
        folder_link(guest->root, "../eth0", "sys/class/net/enP2s2/master");
        assert_pins(guest, "eth0.link ", NULL);
        assert_int_equal(guest_exit(guest, "kvm"), TN_PLAN_EXIT_LOSS);
        assert_true(assert_found(guest, "interface-names", TN_VERDICT_LOSS, "eth0 (" MAC ")")->fixable);
}

/* net_failover: the card and its parts are renamed at the same time, and the pin would fit them all. */
static void test_failover(void **state)
{
        g_autoptr(guest_t) guest = guest_with_card("ens3");

        (void) state;
        put_card(guest, "ens3nsby", MAC "\n");
        folder_link(guest->root, "../ens3", "sys/class/net/ens3nsby/master");
        assert_pins(guest, "", "ens3 is not pinned to its name: ens3nsby, which is a part of it");
        assert_int_equal(notes->len, 1);
        assert_int_equal(guest_exit(guest, "kvm"), TN_PLAN_EXIT_LOSS);
        assert_false(assert_found(guest, "interface-names", TN_VERDICT_LOSS, "ens3 (" MAC ")")->fixable);
}

/* A bridge has a port's address, too, and is no card: its port is pinned. */
static void test_bridge_port(void **state)
{
        g_autoptr(guest_t) guest = guest_with_card("ens3");

        (void) state;
        guest_put(guest, "sys/class/net/br0/type", "1\n");
        guest_put(guest, "sys/class/net/br0/address", MAC "\n");
        folder_link(guest->root, "../br0", "sys/class/net/ens3/master");
        assert_pins(guest, "ens3.link ", NULL);
}

/* An address that two cards have tells neither of them from the other. */
static void test_twins(void **state)
{
        g_autoptr(guest_t) guest = guest_with_card("ens3");
        const struct tn_check *check;

        (void) state;
        put_card(guest, "ens4", MAC "\n");
        put_card(guest, "ens5", OTHER_MAC "\n");
        assert_pins(guest, "ens5.link ", "ens3 is not pinned to its name: ens4 has the same MAC address");
        assert_int_equal(notes->len, 2);
        assert_int_equal(guest_exit(guest, "kvm"), TN_PLAN_EXIT_LOSS);
        check = assert_found(guest, "interface-names", TN_VERDICT_LOSS, "ens3 (" MAC ")");
        assert_false(check->fixable);
        assert_true(json_is_null(json_object_get(check->data, "pin")));
        assert_non_null(strstr(check->remedy, "ens4 has the same MAC address"));
}

#define LINK "etc/systemd/network/50-storage.link"

/* A file of the administrator's that pins the card already, and sets more, is not hidden by another pin. */
static void test_pinned_already(void **state)
{
        g_autoptr(guest_t) guest = guest_with_card("stor0");

        (void) state;
        guest_put(guest, LINK, "[Match]\nMACAddress=" MAC "\n[Link]\nName=stor0\nMTUBytes=9000\n");
        assert_pins(guest, "", NULL);
        assert_int_equal(guest_exit(guest, "kvm"), TN_PLAN_EXIT_READY);
        /* of another card, or of this one under another name, which it gets at the next start */
        guest_put(guest, LINK, "[Match]\nMACAddress=" OTHER_MAC "\n[Link]\nName=stor0\nMTUBytes=9000\n");
        assert_pins(guest, "stor0.link ", NULL);
        guest_put(guest, LINK, "[Match]\nMACAddress=" MAC "\n[Link]\nName=lan0\n");
        assert_pins(guest, "", "stor0 is not pinned to its name: /" LINK " may be for it");
}

static void test_links_that_may_fit(void **state)
{
        static const struct {
                const char *match;
                bool fits;
        } files[] = {
                {"OriginalName=*", true},
                {"OriginalName=wlan* eth*", true},
                {"OriginalName=wlan*", false},
                {"OriginalName=!lo", true},
                {"MACAddress=00-0D-3A-11-22-33", true},
                {"MACAddress=" OTHER_MAC "\nMACAddress=" MAC, true},
                {"PermanentMACAddress=" OTHER_MAC "\nOriginalName=*", false},
                {"Driver=virtio_net", false},
                {"Driver=vmx*", true},
                {"Type=wlan bridge", false},
                {"Path=pci-0000:03:00.0", true},
        };
        g_autoptr(guest_t) guest = guest_with_card("ens3");
        const struct tn_check *check;

        (void) state;
        folder_link(guest->root, "../../../bus/pci/drivers/vmxnet3", "sys/class/net/ens3/device/driver");
        for (size_t i = 0; i < G_N_ELEMENTS(files); i++) {
                g_autofree char *text = g_strdup_printf("[Match]\n%s\n[Link]\nMTUBytes=9000\n",
                                                        files[i].match);

                guest_put(guest, LINK, text);
                assert_pins(guest, files[i].fits ? "" : "ens3.link ", files[i].fits ? LINK : NULL);
        }
        assert_int_equal(guest_exit(guest, "kvm"), TN_PLAN_EXIT_LOSS);
        check = assert_found(guest, "interface-names", TN_VERDICT_LOSS, "ens3 (" MAC ")");
        assert_false(check->fixable);
        assert_non_null(strstr(check->remedy, "put MACAddress=" MAC " and Name=ens3 into it"));
        /* what gives another name was not for this card */
        guest_put(guest, LINK, "[Match]\nPath=pci-0000:03:00.0\n[Link]\nName=lan0\n");
        assert_pins(guest, "ens3.link ", NULL);
        /* the default may be hidden, or changed by additions */
        guest_put(guest, LINK, "");
        assert_pins(guest, "ens3.link ", NULL);
        guest_put(guest, "etc/systemd/network/99-default.link.d/mtu.conf", "[Link]\nMTUBytes=9000\n");
        assert_pins(guest, "", "99-default.link.d/mtu.conf");
}

/* Collects for KVM; @wanted are the kernels whose images are built anew, @noted is a part of a note. */
static void assert_rebuilt(struct guest *guest, const char *wanted, const char *noted)
{
        g_autoptr(tn_catalogue_t) catalogue = tn_catalogue_new(&guest->env, NULL);
        g_autoptr(tn_kernels_t) kernels = tn_kernels_new(&guest->env);
        g_autoptr(tn_fixes_t) fixes = tn_fixes_collect(&guest->env, catalogue, kernels, TN_PV_KVM, NULL);
        g_autoptr(GString) rebuilt = g_string_new(NULL);
        g_autofree char *told = NULL;

        assert_non_null(fixes);
        g_string_truncate(builders, 0);
        g_string_truncate(configured, 0);
        for (guint i = 0; i < fixes->changes->len; i++)
                g_string_append_printf(configured, "%s ",
                                       ((const struct tn_change *) fixes->changes->pdata[i])->path);
        for (guint i = 0; i < fixes->rebuild->len; i++) {
                const struct tn_fixes_image *image = fixes->rebuild->pdata[i];

                g_string_append_printf(rebuilt, "%s ", image->kernel->release);
                g_string_append_printf(builders, "%s ", image->tool->name);
        }
        assert_string_equal(rebuilt->str, wanted);
        g_ptr_array_add(fixes->notes, NULL);
        told = g_strjoinv("\n", (char **) fixes->notes->pdata);
        if (!strstr(told, noted))
                fail_msg("'%s' is not in '%s'", noted, told);
}

#define ARCH     "6.10.2-arch1-1"
#define OLD_ARCH "6.9.9-arch1-1"

/* Arch keeps the modules of the kernel that was replaced: both kernels have the image, one of them is in it.
 */
static void test_shared_image(void **state)
{
        g_autoptr(guest_t) guest = guest_arch();

        (void) state;
        guest_kernel(guest, OLD_ARCH, "boot/vmlinuz-linux");
        guest_put(guest, "lib/modules/" OLD_ARCH "/pkgbase", "linux\n");
        guest_image(guest, "boot/initramfs-linux.img", ARCH, guest_ahci_modules, "buildconfig");
        assert_rebuilt(guest, ARCH " ",
                       "for the kernel " OLD_ARCH ": /boot/initramfs-linux.img is that of the kernel " ARCH);
        guest_image(guest, "boot/initramfs-linux.img", OLD_ARCH, guest_ahci_modules, "buildconfig");
        assert_rebuilt(guest, OLD_ARCH " ", "for the kernel " ARCH ": /boot/initramfs-linux.img is that of");
        guest_image(guest, "boot/initramfs-linux.img", ARCH, "", "buildconfig");
        assert_rebuilt(guest, "", "for the kernel " ARCH ": /boot/initramfs-linux.img is that of another");
}

#define GENTOO     "6.6.58-gentoo"
#define OLD_GENTOO "6.6.47-gentoo"

/* genkernel's image is not dracut's to replace, although dracut is installed; the other kernel's is. */
static void test_unknown_builder(void **state)
{
        g_autoptr(guest_t) guest = guest_arch();
        const struct tn_check *check;

        (void) state;
        guest_remove(guest, "usr/bin/mkinitcpio");
        guest_put(guest, "usr/bin/dracut", "");
        guest_kernel(guest, GENTOO, "boot/vmlinuz-" GENTOO);
        guest_image(guest, "boot/initramfs-" GENTOO ".img", GENTOO, guest_ahci_modules,
                    "etc/initrd.defaults");
        guest_kernel(guest, OLD_GENTOO, "boot/vmlinuz-" OLD_GENTOO);
        guest_image(guest, "boot/initramfs-" OLD_GENTOO ".img", OLD_GENTOO, guest_ahci_modules,
                    "usr/lib/dracut");
        assert_rebuilt(guest, OLD_GENTOO " ",
                       "for the kernel " GENTOO ": /boot/initramfs-" GENTOO
                       ".img was built by an unknown program; left alone");
        (void) guest_exit(guest, "kvm");
        check = assert_found(guest, "initramfs", TN_VERDICT_FATAL, "initramfs-" GENTOO ".img lacks");
        assert_false(check->fixable);
        assert_string_equal(json_string_value(json_object_get(check->data, "generator")), "unknown");
        /* what has its builder's marks, and that one is gone; and what may be good, but is not read here */
        guest_image(guest, "boot/initramfs-" GENTOO ".img", GENTOO, guest_ahci_modules, "buildconfig");
        assert_rebuilt(guest, OLD_GENTOO " ", "was built by mkinitcpio, which cannot be run here");
        guest_image(guest, "boot/initramfs-" GENTOO ".img", GENTOO, guest_ahci_modules, "lib/initrd");
        assert_rebuilt(guest, OLD_GENTOO " ", "was built by make-initrd, which cannot be run here");
        folder_write(guest->root, "boot/initramfs-" GENTOO ".img", "\x89LZO\0\r\n\x1a\n.", 10);
        assert_rebuilt(guest, OLD_GENTOO " ", "which program has built it is unknown");
        /* nothing is lost with what cannot start */
        guest_put(guest, "boot/initramfs-" GENTOO ".img", "");
        assert_rebuilt(guest, GENTOO " " OLD_GENTOO " ", "");
}

/* Each image by the program that has made it, and each of these is told of the drivers. */
static void test_two_builders(void **state)
{
        g_autoptr(guest_t) guest = guest_arch();

        (void) state;
        guest_put(guest, "usr/bin/dracut", "");
        guest_image(guest, "boot/initramfs-linux.img", ARCH, guest_ahci_modules, "buildconfig");
        guest_kernel(guest, GENTOO, "boot/vmlinuz-" GENTOO);
        guest_image(guest, "boot/initramfs-" GENTOO ".img", GENTOO, guest_ahci_modules, "usr/lib/dracut");
        assert_rebuilt(guest, ARCH " " GENTOO " ", "");
        assert_string_equal(builders->str, "mkinitcpio dracut ");
        assert_string_equal(configured->str, "etc/mkinitcpio.conf etc/dracut.conf.d/50-tenon.conf ");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
        const struct CMUnitTest tests[] = {
                TEST(test_virtual_function), TEST(test_failover),
                TEST(test_bridge_port),      TEST(test_twins),
                TEST(test_pinned_already),   TEST(test_links_that_may_fit),
                TEST(test_shared_image),     TEST(test_unknown_builder),
                TEST(test_two_builders),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
