# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 the Tenon developers
"""/boot on ext4 and on XFS: does GRUB find what prepare wrote, after a power cut at its end? And a /boot that is full.

GRUB replays no journal: what only that has, it does not see. Its own code reads the disk here (grub-fstest), outside of
the guest. The guest is the micro guest, its builder of images a stand-in; the file systems are the kernel's.
"""

import hashlib
import json
import os

import agent
import devices
import machine
import peers
import procs
from cases import check, equal, note, test

MODULES = ('virtio_pci', 'virtio_blk', 'crc32c_generic', 'ext4', 'xfs')

# Writes an image as mkinitramfs would: -o IMAGE RELEASE.
BUILDER = b'''#!/bin/sh
rm -rf /tree && mkdir -p /tree/scripts /tree/lib/modules/$3 && cd /tree
cp -r /lib/modules/$3/kernel lib/modules/$3
touch init scripts/functions
head -c 3000000 /dev/urandom >filler
find . | cpio -o -H newc >$2
'''

SETUP = r'''
mkdir -p /boot /var/tmp /var/lib/tenon /etc/initramfs-tools /dev/disk/by-uuid && mount -t FORM /dev/vda /boot
k=$(uname -r); m=/lib/modules/$k
mkdir -p /boot/grub $m/kernel
for name in virtio_blk virtio virtio_pci virtio_scsi sd_mod; do
    echo module >$m/kernel/$name.ko; echo kernel/$name.ko: >>$m/modules.dep
done
echo '# mine' >/etc/initramfs-tools/modules
echo '/dev/sda1 / ext4 defaults 0 1' >/etc/fstab
ln -s ../../sda1 /dev/disk/by-uuid/11-aa
echo kernel >/boot/vmlinuz-$k
echo "linux /vmlinuz-$k root=/dev/sda1 ro" >/boot/grub/grub.cfg
head -c 3000000 /dev/urandom >/boot/initrd.img-$k
sync; echo 3 >/proc/sys/vm/drop_caches; umount /boot && mount -t FORM /dev/vda /boot
'''


def make_disk(form, size, tools=''):
    """An empty disk with the file system."""
    path = os.path.join(procs.temp_dir(), f'{form}.img')
    with open(path, 'wb') as file:
        file.truncate(size)
    if form == 'xfs':
        procs.run(['env', f'LD_LIBRARY_PATH={tools}/usr/lib/x86_64-linux-gnu', f'{tools}/sbin/mkfs.xfs', '-q', path])
    else:
        procs.run(['mke2fs', '-q', '-t', form, path])
    return path


def grub_reads(tools, disk, path):
    """Check sum of a file as GRUB finds it on the disk."""
    copy = os.path.join(procs.temp_dir(), 'copy')
    libraries = f'LD_LIBRARY_PATH={tools}/lib/x86_64-linux-gnu:{tools}/usr/lib/x86_64-linux-gnu'
    procs.run(['env', libraries, f'{tools}/usr/bin/grub-fstest', disk, 'cp', f'(loop0){path}', copy])
    with open(copy, 'rb') as file:
        return hashlib.sha256(file.read()).hexdigest()


def start(form, disk):
    """The guest with the file system at /boot, on it a kernel and its image, to be made ready for KVM."""
    files = {**agent.micro_files(), '/usr/sbin/mkinitramfs': BUILDER}
    made = machine.boot_micro(files, MODULES, devices.disk(disk, 'raw'), memory=384, timeout=240)
    made.run(SETUP.replace('FORM', form), 240)
    return made


def power_cut_after_prepare(form):
    """Prepare with /boot on this file system, and take the power away; GRUB must see what the guest saw."""
    tools = peers.unpack('xfsprogs', 'libinih1', 'liburcu8', 'grub-common', 'libdevmapper1.02.1', 'libefivar1',
                         'libefiboot1', 'libfuse2', 'libfreetype6')
    disk = make_disk(form, 320 << 20, tools)  # XFS wants 300 MiB
    with start(form, disk) as guest:
        status, text = guest.sh('tenonctl drivers prepare --target kvm 2>&1', 240)
        check(status in (0, 2), f'prepare ended with {status}: {text}')
        seen = guest.run('cd /boot && sha256sum grub/grub.cfg initrd.img-*').split()
        equal(guest.run('cat /boot/grub/grub.cfg').rstrip().endswith('root=UUID=11-aa ro'), True, 'grub.cfg')
        guest.kill()
    for wanted, name in zip(seen[::2], seen[1::2]):
        equal(grub_reads(tools, disk, f'/{name}'), wanted, f'/{name} on {form}, as GRUB reads it')
    note(f'GRUB reads {seen[1::2]} from {form} as they were written')


@test(timeout=900)
def grub_reads_the_new_image_from_ext4_after_a_power_cut():
    power_cut_after_prepare('ext4')


@test(timeout=900)
def grub_reads_the_new_image_from_xfs_after_a_power_cut():
    power_cut_after_prepare('xfs')


@test(timeout=900)
def full_boot_is_said_by_the_plan_and_refused_by_prepare():
    with start('ext4', make_disk('ext4', 32 << 20)) as guest:
        guest.sh('cat /dev/zero >/boot/filler; sync', 240)
        picture = 'find /boot /etc /var/lib -type f -not -name filler | sort | xargs sha256sum'
        before = guest.run(picture, 240)
        status, text = guest.sh('tenonctl drivers plan --target kvm --json', 240)
        room = [row for row in json.loads(text)['checks'] if row['id'] == 'boot-space'][0]
        equal((status, room['verdict']), (1, 'loss'), f'the plan: {room}')
        check('remove old kernels first' in room['remedy'], f'the remedy is: {room["remedy"]}')
        status, text = guest.sh('tenonctl drivers prepare --target kvm 2>&1', 240)
        equal((status, 'not enough room: the file system of /boot' in text), (4, True), text)
        equal(guest.run(picture, 240), before, 'files after the refusal')
