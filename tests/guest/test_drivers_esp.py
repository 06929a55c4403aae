# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 the Tenon developers
"""The boot loader that only the old firmware knows is copied on a real EFI system partition, which is FAT.

The firmware is a stand-in, an empty /sys/firmware/efi, and so are the loaders: nothing of them is started. With
TENON_LONG=1 only.
"""

import json
import os
import struct

import agent
import devices
import journey
import procs
from cases import Skip, check, equal, test

SECTORS, RESERVED, FAT_SECTORS = 32768, 1, 33
SETUP = '''
mkdir -p /boot/efi && mount -t vfat -o umask=0077 /dev/vdc /boot/efi
mkdir -p /boot/efi/EFI/debian && cd /boot/efi/EFI/debian
echo shim >shimx64.efi; head -c 3000000 /dev/urandom >grubx64.efi; echo fallback >fbx64.efi; echo prefix >grub.cfg
'''
UEFI = "unshare -m sh -c 'mount -t tmpfs none /sys/firmware && mkdir /sys/firmware/efi && {}'"
TREE = 'cd /boot/efi && find . -type f -exec sha256sum {} + | sort; find . | sort'


def fat_disk(path):
    """An empty file system of the kind FAT16."""
    boot = struct.pack('<3s8sHBHBHHBHHHII', b'\xeb\x3c\x90', b'TENON', 512, 4, RESERVED, 2, 512, SECTORS, 0xf8,
                       FAT_SECTORS, 32, 64, 0, 0)
    boot += struct.pack('<BBBI11s8s', 0x80, 0, 0x29, 1, b'ESP        ', b'FAT16   ')
    with open(path, 'wb') as file:
        file.truncate(SECTORS * 512)
        file.write(boot.ljust(510, b'\0') + b'\x55\xaa')
        for number in range(2):
            file.seek((RESERVED + number * FAT_SECTORS) * 512)
            file.write(b'\xf8\xff\xff\xff')
    return path


def boot_entry(answer):
    """What the plan says of the firmware."""
    return [row for row in answer['checks'] if row['id'] == 'boot-entry'][-1]


@test(timeout=1800)
def boot_loader_is_copied_and_taken_away_again():
    if os.environ.get('TENON_LONG') != '1':
        raise Skip('takes minutes; TENON_LONG=1 runs it')
    disk = fat_disk(os.path.join(procs.temp_dir(), 'esp.img'))
    with agent.boot_full(devices.disk(disk, 'raw'), timeout=400) as guest:
        agent.install(guest)
        guest.run(SETUP)
        before = guest.run(TREE)
        row = boot_entry(json.loads(guest.sh(UEFI.format('tenonctl drivers plan --target kvm --json'), 120)[1]))
        equal((row['verdict'], row['fixable']), ('fatal', True), f'the plan before: {row["evidence"]}')
        text = guest.sh(UEFI.format('tenonctl drivers prepare --target kvm --json 2>/tmp/progress'), 900)[1]
        check(text.startswith('{'), f'prepare: {text} {guest.sh("cat /tmp/progress")[1]}')
        row = boot_entry(json.loads(text)['plan'])
        equal(row['verdict'], 'ready', f'the plan after: {row["evidence"]}')
        guest.run('cd /boot/efi/EFI && cmp BOOT/BOOTX64.EFI debian/shimx64.efi && cmp BOOT/grubx64.efi debian/grubx64.efi && '
                  'cmp BOOT/grub.cfg debian/grub.cfg && [ "$(ls -A BOOT | wc -l)" = 3 ]')
        guest.run('umount /boot/efi && mount -t vfat -o umask=0077 /dev/vdc /boot/efi && tenonctl drivers undo', 120)
        equal(journey.compare(before.splitlines(), guest.run(TREE).splitlines()), [], 'files that differ after undo')
