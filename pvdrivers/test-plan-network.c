/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* Interface names: every way of configuring them, and which of them survives a move. */
#define _GNU_SOURCE
#include "pvdrivers/test-guest.h"

static void test_ifupdown(void **state)
{
        g_autoptr(guest_t) guest = guest_debian();
        const struct tn_check *check;

        guest_put(guest, "etc/network/interfaces",
                  "auto lo\niface lo inet loopback\nallow-hotplug ens192\niface ens192 inet static\n  "
                  "address 10.0.0.2/24\n"
                  "auto br0\niface br0 inet manual\n  bridge_ports ens192\n");
        guest_put(guest, "sys/class/net/ens192/address", "00:0c:29:11:22:33\n");
        guest_put(guest, "sys/class/net/ens192/device/uevent", "");
        guest_put(guest, "etc/nftables.conf", "table inet f { chain i { iifname \"ens192\" accept; } }\n");
        guest_put(guest, "usr/lib/systemd/network/99-default.link", "[Match]\n");
        guest_put(guest, "etc/sysctl.conf", "net.ipv4.conf.ens1920.rp_filter=0\n");
        assert_int_equal(guest_exit(guest, "kvm"), TN_PLAN_EXIT_LOSS);
        assert_int_equal(guest_findings(guest, "interface-names"), 1);
        check = assert_found(guest, "interface-names", TN_VERDICT_LOSS,
                             "ens192 (00:0c:29:11:22:33) is configured by its name in "
                             "/etc/network/interfaces line 4; on the "
                             "target the card has another name, such as ens18");
        assert_true(check->fixable);
        assert_string_equal(json_string_value(json_object_get(check->data, "mac")), "00:0c:29:11:22:33");
        assert_string_equal(json_string_value(json_object_get(json_object_get(check->data, "pin"), "path")),
                            "etc/systemd/network/10-tenon-ens192.link");
        assert_string_equal(
                json_string_value(json_object_get(json_object_get(check->data, "pin"), "text")),
                "# Written by `tenonctl drivers prepare`: the interface keeps its name on other hardware.\n"
                "# `tenonctl drivers undo` removes this file.\n"
                "[Match]\nPermanentMACAddress=00:0c:29:11:22:33\n\n[Link]\nName=ens192\n");
        assert_int_equal(json_array_size(json_object_get(check->data, "named-in")), 1);
        /* a name that is of no card here */
        guest_put(guest, "sys/class/net/lo/address", "00:00:00:00:00:00\n");
        guest_put(guest, "etc/network/interfaces.d/old", "iface ens224 inet dhcp\n");
        guest_plan(guest, "kvm", NULL);
        assert_found(guest, "interface-names", TN_VERDICT_READY,
                     "ens224 is configured in /etc/network/interfaces.d/old line 1, and no card");
        check = assert_found(guest, "interface-names", TN_VERDICT_LOSS, "ens192");
        /* the pin, written */
        guest_put(guest, "etc/systemd/network/10-tenon-ens192.link",
                  json_string_value(json_object_get(json_object_get(check->data, "pin"), "text")));
        assert_int_equal(guest_exit(guest, "kvm"), TN_PLAN_EXIT_READY);
        assert_found(guest, "interface-names", TN_VERDICT_READY,
                     "10-tenon-ens192.link pins it to 00:0c:29:11:22:33");
}

static void test_netplan(void **state)
{
        g_autoptr(guest_t) guest = guest_ubuntu();

        guest_put(guest, "etc/netplan/50-cloud-init.yaml",
                  "network:\n  version: 2\n  ethernets:\n    ens160:\n      dhcp4: true\n    second:\n      "
                  "match:\n"
                  "        name: ens192\n      addresses: [10.0.0.1/24]\n  bridges:\n    br0:\n      "
                  "interfaces: [ens160]\n");
        assert_int_equal(guest_exit(guest, "kvm"), TN_PLAN_EXIT_LOSS);
        assert_found(guest, "interface-names", TN_VERDICT_LOSS,
                     "ens160 (MAC address unknown) is configured by its name in "
                     "/etc/netplan/50-cloud-init.yaml line 4");
        assert_found(guest, "interface-names", TN_VERDICT_LOSS, "ens192");
        assert_int_equal(guest_findings(guest, "interface-names"), 2);
        guest_put(guest, "etc/netplan/50-cloud-init.yaml",
                  "network:\n  ethernets:\n    ens160:\n      match: {macaddress: \"00:50:56:AA:BB:CC\"}\n"
                  "      set-name: ens160\n      dhcp4: yes\n");
        assert_int_equal(guest_exit(guest, "kvm"), TN_PLAN_EXIT_READY);
        assert_found(guest, "interface-names", TN_VERDICT_READY, "matched by their MAC address");
        guest_put(
                guest, "etc/netplan/50-cloud-init.yaml",
                "network:\n  ethernets:\n    all:\n      match:\n        name: \"en*\"\n      dhcp4: yes\n");
        assert_int_equal(guest_exit(guest, "kvm"), TN_PLAN_EXIT_READY);
        assert_int_equal(guest_exit(guest, "hyperv"), TN_PLAN_EXIT_LOSS);
        assert_found(guest, "interface-names", TN_VERDICT_LOSS,
                     "matches cards called en*; on the target they are called such as eth0");
}

static void test_network_manager(void **state)
{
        g_autoptr(guest_t) guest = guest_rhel();

        guest_put(guest, "etc/NetworkManager/system-connections/lan.nmconnection",
                  "[connection]\nid=ens192\ntype=ethernet\ninterface-name=ens192\n\n[ipv4]\nmethod=auto\n");
        guest_put(guest, "etc/NetworkManager/system-connections/vlan.nmconnection",
                  "[connection]\ntype=vlan\ninterface-name=ens192.7\n");
        assert_int_equal(guest_exit(guest, "kvm"), TN_PLAN_EXIT_LOSS);
        assert_int_equal(guest_findings(guest, "interface-names"), 1);
        assert_found(guest, "interface-names", TN_VERDICT_LOSS,
                     "system-connections/lan.nmconnection line 4");
        guest_put(guest, "etc/NetworkManager/system-connections/lan.nmconnection",
                  "[connection]\ntype=ethernet\n\n[match]\ninterface-name=ens*;enp*;\n");
        assert_int_equal(guest_exit(guest, "kvm"), TN_PLAN_EXIT_READY);
}

static void test_ifcfg(void **state)
{
        g_autoptr(guest_t) guest = guest_rhel();
        static const char file[] = "etc/sysconfig/network-scripts/ifcfg-ens192";

        guest_put(guest, file, "TYPE=Ethernet\nDEVICE=\"ens192\"\nONBOOT=yes\n");
        guest_put(guest, "etc/sysconfig/network-scripts/ifcfg-bond0",
                  "DEVICE=bond0\nTYPE=Bond\nBONDING_MASTER=yes\n");
        assert_int_equal(guest_exit(guest, "kvm"), TN_PLAN_EXIT_LOSS);
        assert_found(guest, "interface-names", TN_VERDICT_LOSS,
                     "/etc/sysconfig/network-scripts/ifcfg-ens192 line 2");
        guest_put(guest, file, "TYPE=Ethernet\nDEVICE=ens192\nHWADDR=00:0C:29:11:22:33\n");
        assert_int_equal(guest_exit(guest, "kvm"), TN_PLAN_EXIT_READY);
        assert_found(guest, "interface-names", TN_VERDICT_READY,
                     "matched by its MAC address 00:0c:29:11:22:33");
}

static void test_suse(void **state)
{
        g_autoptr(guest_t) guest = guest_suse();

        guest_put(guest, "etc/sysconfig/network/ifcfg-eth0", "BOOTPROTO='dhcp'\nSTARTMODE='auto'\n");
        guest_put(guest, "etc/sysconfig/network/ifcfg-lo", "IPADDR=127.0.0.1/8\n");
        assert_int_equal(guest_exit(guest, "kvm"), TN_PLAN_EXIT_LOSS);
        assert_int_equal(guest_findings(guest, "interface-names"), 1);
        /* the name is the kernel's where the command line says so */
        guest_put(guest, "boot/grub2/grub.cfg",
                  "menuentry 'x' {\n linux /boot/vmlinuz-6.4.0-150600.21-default root=UUID=1 net.ifnames=0 "
                  "net.naming-scheme=v247\n"
                  " initrd /boot/initrd-6.4.0-150600.21-default\n}\n");
        assert_int_equal(guest_exit(guest, "kvm"), TN_PLAN_EXIT_READY);
        assert_found(guest, "interface-names", TN_VERDICT_READY,
                     "net.naming-scheme=v247 goes with the guest");
        /* but of two cards the order is the slots' */
        guest_put(guest, "etc/sysconfig/network/ifcfg-eth1", "BOOTPROTO='dhcp'\n");
        assert_int_equal(guest_exit(guest, "kvm"), TN_PLAN_EXIT_LOSS);
        assert_found(guest, "interface-names", TN_VERDICT_LOSS, "of several cards the order may change");
        guest_put(guest, "etc/systemd/system/network-online.target.wants/NetworkManager-wait-online.service",
                  "");
        assert_int_equal(guest_exit(guest, "kvm"), TN_PLAN_EXIT_LOSS);
        assert_found(guest, "interface-names", TN_VERDICT_LOSS,
                     "NetworkManager-wait-online.service holds back the start");
        /* nor does a pin help: eth1 is eth0's name while eth0 is to become eth1 */
        guest_put(guest, "etc/systemd/network/10-a.link",
                  "[Match]\nMACAddress=00:0c:29:11:22:33\n[Link]\nName=eth0\n");
        guest_put(guest, "etc/systemd/network/10-b.link",
                  "[Match]\nMACAddress=00:0c:29:11:22:34\n[Link]\nName=eth1\n");
        assert_int_equal(guest_exit(guest, "kvm"), TN_PLAN_EXIT_LOSS);
        assert_found(guest, "interface-names", TN_VERDICT_LOSS, "udev cannot swap names");
}

static void test_networkd(void **state)
{
        g_autoptr(guest_t) guest = guest_arch();

        guest_put(guest, "etc/systemd/network/20-wired.network",
                  "[Match]\nName=ens33\n\n[Network]\nDHCP=yes\n");
        guest_put(guest, "etc/systemd/network/30-wg.netdev", "[NetDev]\nName=office\nKind=wireguard\n");
        guest_put(guest, "etc/systemd/network/30-wg.network", "[Match]\nName=office\n");
        assert_int_equal(guest_exit(guest, "kvm"), TN_PLAN_EXIT_LOSS);
        assert_int_equal(guest_findings(guest, "interface-names"), 1);
        guest_put(guest, "etc/systemd/network/20-wired.network", "[Match]\nMACAddress=00:0c:29:11:22:33\n");
        assert_int_equal(guest_exit(guest, "kvm"), TN_PLAN_EXIT_READY);
}

static void test_alpine(void **state)
{
        g_autoptr(guest_t) guest = guest_alpine();

        assert_int_equal(guest_exit(guest, "kvm"), TN_PLAN_EXIT_READY);
        assert_found(guest, "interface-names", TN_VERDICT_READY,
                     "eth0 (/etc/network/interfaces line 5) keeps its name: nobody renames");
}

static void test_rules(void **state)
{
        g_autoptr(guest_t) guest = guest_debian();

        guest_put(guest, "etc/network/interfaces", "iface eth0 inet dhcp\n");
        guest_put(guest, "etc/udev/rules.d/70-persistent-net.rules",
                  "SUBSYSTEM==\"net\", ACTION==\"add\", ATTR{address}==\"00:0c:29:11:22:33\", "
                  "NAME=\"eth0\"\n");
        assert_int_equal(guest_exit(guest, "kvm"), TN_PLAN_EXIT_READY);
        assert_found(guest, "interface-names", TN_VERDICT_READY, "70-persistent-net.rules pins it");
        guest_remove(guest, "etc/udev/rules.d/70-persistent-net.rules");
        assert_int_equal(guest_exit(guest, "kvm"), TN_PLAN_EXIT_LOSS);
        assert_int_equal(guest_exit(guest, "azure"), TN_PLAN_EXIT_READY);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_ifupdown),
                cmocka_unit_test(test_netplan),
                cmocka_unit_test(test_network_manager),
                cmocka_unit_test(test_ifcfg),
                cmocka_unit_test(test_suse),
                cmocka_unit_test(test_networkd),
                cmocka_unit_test(test_alpine),
                cmocka_unit_test(test_rules),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
