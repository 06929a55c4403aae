# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 the Tenon developers
"""The guest that moves: Debian on a partitioned AHCI disk with an e1000, booted by its own GRUB.

It is made the way such guests come about: installed on that hardware, with MODULES=dep, so that its
initramfs has what this hardware wants and nothing else; root, swap and LVM are named as /dev/sdX where
that is possible; the network is configured by the interface's name. `finish` runs in the guest itself.
"""

import hashlib
import os
import shutil
import struct

import image
import machine
import procs
import recipe

PACKAGES = (*recipe.PACKAGES, 'grub-pc-bin', 'grub2-common', 'ifupdown', 'lvm2', 'fdisk')
DISK_MIB, ROOT_MIB = 2200, 1700
# (size in MiB, type) of root, swap and LVM, one after the other from the first MiB on.
LAYOUT = ((ROOT_MIB, 0x83), (64, 0x82), (96, 0x8e))

FSTAB = '''# how this guest was installed: names, not UUIDs
/dev/sda1\t/\text4\terrors=remount-ro 0\t1
/dev/sda2 none swap sw 0 0   # swap
/dev/vg0/data /data ext4 defaults,nofail 0 2
'''

GRUB = '''GRUB_DEFAULT=0
GRUB_TIMEOUT=0
GRUB_DISTRIBUTOR=Debian
GRUB_CMDLINE_LINUX_DEFAULT="loglevel=4"
GRUB_CMDLINE_LINUX="console=ttyS0 systemd.show_status=yes panic=5"
GRUB_TERMINAL=console
# The guest was installed by somebody who does not like UUIDs.
GRUB_DISABLE_LINUX_UUID=true
'''

FILES = {
    'etc/fstab': '/dev/sda1 / ext4 defaults 0 1\n',
    'etc/default/grub': GRUB,
    'etc/lvm/lvmlocal.conf': 'devices {\n\tuse_devicesfile = 1\n}\n',
    'etc/systemd/network/80-dhcp.network': '# unused: this guest has ifupdown\n',
}

EARLY_FILES = {
    'etc/initramfs-tools/conf.d/tenon-guest': 'MODULES=list\n',
    'etc/initramfs-tools/modules': 'ahci\nsd_mod\next4\n',
}

# Run in the guest, once, on the hardware that it is to be bound to.
FINISH = r'''
set -e
until [ -e /sys/class/net/enp0s5 ]; do sleep 1; done
printf 'auto lo\niface lo inet loopback\n\nauto enp0s5\niface enp0s5 inet static\n\taddress 10.0.2.15/24\n\tgateway 10.0.2.2\n' \
    >/etc/network/interfaces
mkswap -q /dev/sda2
mkdir -p /data /etc/lvm/devices
touch /etc/lvm/devices/system.devices
pvcreate -qq /dev/sda3
vgcreate -qq vg0 /dev/sda3
lvcreate -qq -y -n data -l 100%FREE vg0
mkfs.ext4 -q /dev/vg0/data
cat >/etc/fstab <<'END'
@FSTAB@END
rm /etc/initramfs-tools/conf.d/tenon-guest
printf '# List of modules that you want to include in your initramfs.\n' >/etc/initramfs-tools/modules
sed -i s/^MODULES=.*/MODULES=dep/ /etc/initramfs-tools/initramfs.conf
echo COMPRESSLEVEL=1 >>/etc/initramfs-tools/initramfs.conf
update-initramfs -u -k all
grub-install --no-floppy /dev/sda
update-grub
sync
'''


def ahci(disk, form='qcow2'):
    """The disk on the machine's AHCI controller."""
    return ['-drive', f'file={disk},format={form},if=none,id=d0,cache=unsafe',
            '-device', 'ide-hd,drive=d0,bus=ide.0,wwn=0x5000c50015ea71ac,bootindex=1']


def virtio_blk(disk, form='qcow2'):
    """The disk on virtio-blk."""
    return ['-drive', f'file={disk},format={form},if=none,id=d0,cache=unsafe',
            '-device', 'virtio-blk-pci,drive=d0,bootindex=1']


def pvscsi(disk, form='qcow2'):
    """The disk on VMware's paravirtual SCSI controller."""
    return ['-drive', f'file={disk},format={form},if=none,id=d0,cache=unsafe',
            '-device', 'pvscsi,id=scsi0', '-device', 'scsi-hd,bus=scsi0.0,drive=d0,bootindex=1']


def card(model, slot):
    """A network card with the guest's own MAC address; the slot decides what udev would call it."""
    return ['-netdev', 'user,id=net0,restrict=on',
            '-device', f'{model},netdev=net0,mac=52:54:00:12:34:56,addr={slot},romfile=']


# Where the guest comes from, and where it goes to: QEMU's arguments after the disk's.
HARDWARE = {
    'source': lambda disk, form='qcow2': [*ahci(disk, form), *card('e1000', '0x5')],
    'kvm': lambda disk, form='qcow2': [*virtio_blk(disk, form), *card('virtio-net-pci', '0x7')],
    'vmware': lambda disk, form='qcow2': [*pvscsi(disk, form), *card('vmxnet3', '0x9')],
}


def start(hardware, disk, extra=(), form='qcow2', wait=True, timeout=180):
    """Power the guest on; with wait=False for one that may not come up.

    A processor with few features: for each one udev loads a module of the kernel's cryptography, which
    tests itself, and ifupdown waits for udev.
    """
    arguments = ['-M', 'q35', '-cpu', 'qemu64', '-m', '1024',
                 *HARDWARE[hardware](disk, form), *extra]
    if wait:
        return machine.started(procs.temp_dir(), arguments, timeout)
    return machine.Guest(procs.temp_dir(), arguments)


def partition_table():
    """The first sector of the disk: a DOS partition table, the first partition bootable."""
    entries, start = b'', 1
    for index, (size, kind) in enumerate(LAYOUT):
        entries += struct.pack('<B3sB3sII', 0 if index else 0x80, b'', kind, b'', start * 2048, size * 2048)
        start += size
    return bytes(440) + b'move' + bytes(2) + entries.ljust(64, b'\0') + b'\x55\xaa'


def fill_disk(root, path):
    """Partitions, and the root file system in the first of them, without mounting anything."""
    with open(path, 'wb') as file:
        file.truncate(DISK_MIB << 20)
    with open(path, 'r+b') as file:
        file.write(partition_table())
    procs.run(['mke2fs', '-q', '-F', '-t', 'ext4', '-L', 'moving', '-d', root, '-E', f'offset={1 << 20}',
               path, f'{ROOT_MIB}M'], timeout=300)


def finish(made):
    """Boot the disk once with a kernel from outside, and let the guest install itself."""
    line = 'root=/dev/sda1 rw console=ttyS0 loglevel=4'
    guest = start('source', made.disk, ['-kernel', made.kernel, '-initrd', made.initrd, '-append', line], 'raw')
    try:
        guest.run(FINISH.replace('@FSTAB@', FSTAB), 400)
        guest.sh('systemctl --no-block poweroff')
        guest.wait_end(60)
    finally:
        guest.close()


def build(folder):
    """Build a whole image in a folder that is not yet its place."""
    root, early, made = os.path.join(folder, 'root'), os.path.join(folder, 'early'), image.Image(folder)
    image.write_files(early, EARLY_FILES)
    image.bootstrap(root, early, PACKAGES)
    image.configure(root, FILES)
    image.take_out_boot_files(root, made)
    fill_disk(root, made.disk)
    shutil.rmtree(root)
    shutil.rmtree(early)
    finish(made)
    os.chmod(folder, 0o755)


def key():
    """The name of the image that this recipe makes."""
    parts = (recipe.key(), PACKAGES, DISK_MIB, LAYOUT, FSTAB, sorted(FILES.items()), sorted(EARLY_FILES.items()),
             FINISH)
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:16]


def get():
    """The disk as it stands on its old hardware."""
    return image.cached('guest-moving-' + key(), build)


def overlay(folder, base=None):
    """A throw-away disk on top of the cached one, or of another overlay."""
    return machine.overlay(folder, base or get().disk)


if __name__ == '__main__':
    procs.exit_on_signals()
    print(f'guest image: {image.get().folder}')
    print(f'moving guest: {get().folder}')
