# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 the Tenon developers
"""A Xen host under QEMU: Xen 4.17, the kernel of the guests as dom0, and xl in an initramfs of busybox.

Xen's packages are only unpacked. The disk of the guest that is to run as a PV domain is dom0's /dev/sda; its
console is a file, /run/log/guest-guest.log.
"""

import gzip
import os

import image
import initramfs
import machine
import packages
import procs

PACKAGES = ('xen-hypervisor-4.17-amd64', 'xen-utils-4.17', 'xen-utils-common', 'xenstore-utils', 'libxenmisc4.17',
            'libxencall1', 'libxendevicemodel1', 'libxenevtchn1', 'libxenforeignmemory1', 'libxengnttab1',
            'libxenhypfs1', 'libxenstore4', 'libxentoolcore1', 'libxentoollog1', 'libfdt1', 'libyajl2')
BIN = 'usr/lib/xen-4.17/bin'
LIBRARIES = ('usr/lib/x86_64-linux-gnu', 'usr/lib/xen-4.17/lib/x86_64-linux-gnu')
LIBGCC = '/lib/x86_64-linux-gnu/libgcc_s.so.1'
MODULES = ('ahci', 'sd_mod', 'crc32c_generic', 'ext4', 'xenfs', 'xen-privcmd', 'xen-evtchn', 'xen-gntdev',
           'xen-gntalloc', 'xen-blkback', 'xen-netback')

BLOCK = b'''#!/bin/sh
[ "$1" = add ] || exit 0
disk=$(xenstore-read $XENBUS_PATH/params)
xenstore-write $XENBUS_PATH/physical-device $(stat -c %t:%T $disk) $XENBUS_PATH/physical-device-path $disk \\
    $XENBUS_PATH/hotplug-status connected
'''
VIF = b'''#!/bin/sh
[ "$1" = online ] || exit 0
ip link set $vif up
xenstore-write $XENBUS_PATH/hotplug-status connected
'''
START = '''
mount -t xenfs xenfs /proc/xen
mkdir -p /run/log /run/xen /run/xenstored /var/run/xenstored /var/lib/xen /var/log/xen /var/run/xen /var/lib/xenstored /run/lock /var/lock
xenstored --pid-file /run/xenstored.pid
for i in $(seq 50); do xenstore-exists / && break; sleep 0.2; done
xenstore-write /local/domain/0/domid 0 /local/domain/0/name Domain-0 /local/pool/0/name Pool-0
xenconsoled --log=guest --log-dir=/run/log --pid-file=/run/xenconsoled.pid
'''
# Without a boot loader in the domain, its kernel and its command line come from its own disk.
TAKE = '''
mkdir -p /disk && mount -o ro ROOT /disk
cp /disk/boot/vmlinuz-* /run/vmlinuz && cp /disk/boot/initrd.img-* /run/initrd
line="LINE"
[ "$line" ] || line=$(grep -m 1 -o 'root=[^ ]* ro' /disk/boot/grub/grub.cfg)
umount /disk
'''
CREATE = '''
mkdir -p /etc/xen && touch /etc/xen/xl.conf
cat >/run/guest.cfg <<END
name = "guest"
type = "pv"
kernel = "/run/vmlinuz"
ramdisk = "/run/initrd"
cmdline = "$line console=hvc0 systemd.show_status=yes"
memory = 768
vcpus = 1
disk = ["phy:/dev/sda,xvda,w"]
MORE
END
xl create /run/guest.cfg
'''
VIF_LINE = 'vif = ["mac=52:54:00:12:34:56,script=/etc/xen/scripts/vif"]'


def unpack():
    """Xen's packages from this machine's sources, unpacked in the cache; the folder."""
    def make(folder):
        os.chmod(folder, 0o755)
        for path in packages.download(*PACKAGES, folder=folder):
            procs.run(['dpkg-deb', '-x', path, f'{folder}/root'])
        with gzip.open(f'{folder}/root/boot/xen-4.17-amd64.gz') as packed, open(f'{folder}/xen', 'wb') as file:
            file.write(packed.read())
    return image.cached('guest-xen-4.17', make).folder


def files(root):
    """Programs, scripts, and a wrapper for each program that tells it where its libraries are."""
    libraries = ':'.join(os.path.join(root, path) for path in LIBRARIES)
    found = {'/etc/xen/scripts/block': BLOCK, '/etc/xen/scripts/vif': VIF,
             LIBGCC: LIBGCC}  # which libc loads when a thread is cancelled
    helper = f'/{BIN}/libxl-save-helper'  # xl starts it by its path
    found['/xen/save-helper'] = root + helper
    found[helper] = f'#!/bin/sh\nLD_LIBRARY_PATH={libraries} exec /xen/save-helper "$@"\n'.encode()
    for folder, name in ((BIN, 'xl'), (BIN, 'xenstored'), (BIN, 'xenconsoled'), ('usr/bin', 'xenstore-read'),
                         ('usr/bin', 'xenstore-write'), ('usr/bin', 'xenstore-exists')):
        path = f'{root}/{folder}/{name}'
        if not os.path.exists(path):
            path = f'{root}/{BIN}/{name}'
        found[f'/xen/{name}'] = path
        found[f'/usr/sbin/{name}'] = f'#!/bin/sh\nLD_LIBRARY_PATH={libraries} exec /xen/{name} "$@"\n'.encode()
    return found


def start(disk, form='qcow2', more=None, memory=640):
    """Boot the host with this disk and more files, start Xen's daemons; the guest is dom0, with that many MiB."""
    folder, cache = procs.temp_dir(), unpack()
    root, made = f'{cache}/root', image.get()
    os.environ['LD_LIBRARY_PATH'] = ':'.join(os.path.join(root, path) for path in LIBRARIES)
    try:
        initramfs.make(f'{folder}/initrd.img', made, {**files(root), **(more or {})}, MODULES)
    finally:
        del os.environ['LD_LIBRARY_PATH']
    host = machine.started(folder, [
        '-M', 'q35', '-cpu', 'qemu64', '-smp', '2', '-m', '1800', '-kernel', f'{cache}/xen',
        '-append', f'console=com1 com1=115200,8n1 dom0_mem={memory}M,max:{memory}M dom0_max_vcpus=1',
        '-initrd', f'{made.kernel} console=hvc0 quiet panic=-1,initrd.img',
        '-drive', f'file={disk},format={form},if=none,id=d0,cache=unsafe', '-device', 'ide-hd,drive=d0,bus=ide.0'], 600)
    host.run(START, 300)
    return host


def create(host, root='/dev/sda1', line=''):
    """Start the domain from the root file system there; `line` stands in for that of its boot loader."""
    return host.run(TAKE.replace('ROOT', root).replace('LINE', line) + CREATE.replace('MORE', VIF_LINE), 600)


def report(host, patience=1800):
    """What the domain says on its console, in lines that begin with REPORT, until REPORT end."""
    host.run(f'for i in $(seq {patience}); do grep -q "REPORT end" /run/log/guest-guest.log && exit; sleep 1; done; '
             'tail -n 30 /run/log/guest-guest.log; xl list; exit 1', patience + 120)
    return host.run('grep -o "REPORT .*" /run/log/guest-guest.log | tr -d "\\r"').splitlines()
