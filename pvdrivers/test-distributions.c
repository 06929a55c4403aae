/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* The guests of test-guest.h: what each distribution's installer leaves, in short. */
#define _GNU_SOURCE
#include "pvdrivers/test-guest.h"

#define FSTAB(type)                                                                                         \
        "# <file system> <mount point> <type> <options> <dump> <pass>\n"                                    \
        "UUID=0a1b2c3d-0000-4000-8000-000000000001 / " type " defaults 0 1\n"                               \
        "UUID=0a1b2c3d-0000-4000-8000-000000000002 none swap sw 0 0\n"
#define ROOT "root=UUID=0a1b2c3d-0000-4000-8000-000000000001"

static struct guest *common(const char *os_release, const char *fstab)
{
        struct guest *guest = guest_new();

        guest_put(guest, "etc/os-release", os_release);
        guest_put(guest, "etc/fstab", fstab);
        guest_put(guest, "usr/lib/udev/rules.d/60-block.rules", "");
        guest_put(guest, "usr/sbin/tenond", "");
        guest_put(guest, "etc/systemd/system/multi-user.target.wants/tenond.service", "");
        return guest;
}

struct guest *guest_debian(void)
{
        struct guest *guest = common(
                "ID=debian\nVERSION_ID=\"12\"\nPRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\n",
                FSTAB("ext4"));

        guest_kernel(guest, "6.1.0-37-amd64", "boot/vmlinuz-6.1.0-37-amd64");
        guest_image(guest, "boot/initrd.img-6.1.0-37-amd64", "6.1.0-37-amd64", guest_all_modules,
                    "conf/initramfs.conf");
        guest_put(guest, "usr/sbin/update-initramfs", "");
        guest_put(guest, "boot/grub/grub.cfg",
                  "if [ \"${next_entry}\" ] ; then\n   set default=\"${next_entry}\"\nelse\n   set "
                  "default=\"0\"\nfi\n"
                  "menuentry 'Debian GNU/Linux' --class debian $menuentry_id_option 'gnulinux-simple' {\n"
                  "\tinsmod ext2\n\tlinux\t/boot/vmlinuz-6.1.0-37-amd64 " ROOT " ro quiet\n"
                  "\tinitrd\t/boot/initrd.img-6.1.0-37-amd64\n}\n");
        guest_put(guest, "etc/network/interfaces", "auto lo\niface lo inet loopback\n");
        return guest;
}

struct guest *guest_ubuntu(void)
{
        struct guest *guest = common("ID=ubuntu\nID_LIKE=debian\nVERSION_ID=\"24.04\"\n", FSTAB("ext4"));

        guest_kernel(guest, "6.8.0-40-generic", "boot/vmlinuz-6.8.0-40-generic");
        guest_image(guest, "boot/initrd.img-6.8.0-40-generic", "6.8.0-40-generic", guest_all_modules,
                    "scripts/functions");
        guest_put(guest, "usr/sbin/update-initramfs", "");
        guest_put(guest, "boot/grub/grub.cfg",
                  "set default=\"0\"\nmenuentry 'Ubuntu' {\n\tlinux\t/vmlinuz-6.8.0-40-generic " ROOT " ro\n"
                  "\tinitrd\t/initrd.img-6.8.0-40-generic\n}\n");
        guest_put(guest, "etc/netplan/50-cloud-init.yaml",
                  "network:\n    version: 2\n    ethernets:\n        all:\n            match:\n             "
                  "   name: \"e*\"\n"
                  "            dhcp4: true\n");
        return guest;
}

struct guest *guest_rhel(void)
{
        struct guest *guest = common("ID=\"rocky\"\nID_LIKE=\"rhel centos "
                                     "fedora\"\nVERSION_ID=\"9.4\"\nPRETTY_NAME=\"Rocky Linux 9.4\"\n",
                                     FSTAB("xfs"));

        guest_kernel(guest, "5.14.0-427.el9.x86_64", "boot/vmlinuz-5.14.0-427.el9.x86_64");
        guest_image(guest, "boot/initramfs-5.14.0-427.el9.x86_64.img", "5.14.0-427.el9.x86_64",
                    guest_all_modules, "usr/lib/dracut-lib.sh");
        guest_put(guest, "usr/bin/dracut", "");
        guest_put(guest, "boot/grub2/grub.cfg", "set default=\"${saved_entry}\"\ninsmod blscfg\nblscfg\n");
        guest_put(guest, "boot/grub2/grubenv",
                  "# GRUB Environment Block\nsaved_entry=0123-5.14.0-427.el9.x86_64\nkernelopts=" ROOT
                  " ro crashkernel=auto\n");
        guest_put(guest, "boot/loader/entries/0123-5.14.0-427.el9.x86_64.conf",
                  "title Rocky Linux (5.14.0-427.el9.x86_64) 9.4\nversion 5.14.0-427.el9.x86_64\n"
                  "linux /vmlinuz-5.14.0-427.el9.x86_64\ninitrd /initramfs-5.14.0-427.el9.x86_64.img "
                  "$tuned_initrd\n"
                  "options $kernelopts $tuned_params\n");
        guest_put(guest, "etc/NetworkManager/system-connections/lan.nmconnection",
                  "[connection]\nid=lan\ntype=ethernet\n\n[ethernet]\nmac-address=00:0C:29:11:22:33\n\n["
                  "ipv4]\nmethod=auto\n");
        return guest;
}

struct guest *guest_suse(void)
{
        struct guest *guest = common("ID=\"sles\"\nID_LIKE=\"suse\"\nVERSION_ID=\"15.6\"\n", FSTAB("btrfs"));

        guest_kernel(guest, "6.4.0-150600.21-default", "boot/vmlinuz-6.4.0-150600.21-default");
        guest_image(guest, "boot/initrd-6.4.0-150600.21-default", "6.4.0-150600.21-default",
                    guest_all_modules, "usr/lib/dracut-lib.sh");
        guest_put(guest, "usr/bin/dracut", "");
        guest_put(guest, "boot/grub2/grub.cfg",
                  "set default=\"0\"\nmenuentry 'SLES 15-SP6' {\n\tlinux "
                  "/boot/vmlinuz-6.4.0-150600.21-default " ROOT "\n"
                  "\tinitrd /boot/initrd-6.4.0-150600.21-default\n}\n");
        return guest;
}

struct guest *guest_arch(void)
{
        struct guest *guest = common("ID=arch\nPRETTY_NAME=\"Arch Linux\"\n", FSTAB("ext4"));

        guest_kernel(guest, "6.10.2-arch1-1", "boot/vmlinuz-linux");
        guest_put(guest, "lib/modules/6.10.2-arch1-1/pkgbase", "linux\n");
        guest_image(guest, "boot/initramfs-linux.img", "6.10.2-arch1-1", guest_all_modules, "buildconfig");
        guest_image(guest, "boot/intel-ucode.img", "none", "", "kernel/x86/microcode/GenuineIntel.bin");
        guest_put(guest, "usr/bin/mkinitcpio", "");
        guest_put(guest, "boot/loader/loader.conf", "timeout 3\ndefault arch.conf\n");
        guest_put(guest, "boot/loader/entries/arch.conf",
                  "title Arch Linux\nlinux /vmlinuz-linux\ninitrd /intel-ucode.img\ninitrd "
                  "/initramfs-linux.img\noptions " ROOT " rw\n");
        guest_put(guest, "etc/systemd/network/20-wired.network",
                  "[Match]\nName=en* eth*\n\n[Network]\nDHCP=yes\n");
        return guest;
}

struct guest *guest_alpine(void)
{
        struct guest *guest = common("ID=alpine\nVERSION_ID=3.20.2\n", FSTAB("ext4"));

        guest_remove(guest, "usr/lib/udev/rules.d/60-block.rules");
        guest_remove(guest, "usr/lib/udev/rules.d");
        guest_remove(guest, "usr/lib/udev");
        guest_kernel(guest, "6.6.41-0-lts", "boot/vmlinuz-lts");
        guest_image(guest, "boot/initramfs-lts", "6.6.41-0-lts", guest_all_modules, "sbin/nlplug-findfs");
        guest_put(guest, "sbin/mkinitfs", "");
        guest_put(guest, "boot/extlinux.conf",
                  "DEFAULT lts\nPROMPT 0\nLABEL lts\n  MENU LABEL Linux lts\n  LINUX vmlinuz-lts\n  INITRD "
                  "initramfs-lts\n"
                  "  APPEND " ROOT " modules=sd-mod,ext4 quiet\n");
        guest_put(guest, "etc/network/interfaces",
                  "auto lo\niface lo inet loopback\n\nauto eth0\niface eth0 inet dhcp\n");
        return guest;
}
