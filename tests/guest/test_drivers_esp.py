# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 the Tenon developers
"""The boot loader that only the old firmware knows is copied on a real EFI system partition, and UEFI starts the copy.

A guest cannot come without a boot entry to where it has one, so the firmware of the first start is a stand-in, an
empty /sys/firmware/efi. The second start is by OVMF with no variables: it tries EFI/BOOT/BOOTX64.EFI, Debian's
signed shim, which starts the GRUB beside it. With TENON_LONG=1 only.
"""

import json
import os
import struct

import agent
import devices
import journey
import machine
import packages
import procs
from cases import Skip, check, equal, note, test

SECTORS, RESERVED, FAT_SECTORS = 65536, 1, 65
OVMF = '/usr/share/OVMF/OVMF_{}_4M.fd'
LOADERS = {'shim-signed': 'usr/lib/shim/shimx64.efi.signed',
           'grub-efi-amd64-signed': 'usr/lib/grub/x86_64-efi-signed/grubx64.efi.signed'}
SETUP = '''
mkdir -p /boot/efi && mount -t vfat -o umask=0077 /dev/vdc /boot/efi
mkdir -p /boot/efi/EFI/debian && cd /boot/efi/EFI/debian
mount -o ro /dev/vdb /mnt && cp /mnt/shimx64.efi.signed shimx64.efi && cp /mnt/grubx64.efi.signed grubx64.efi && umount /mnt
echo fallback >fbx64.efi
cat >grub.cfg <<END
search --no-floppy --label --set=root tenon-guest
linux $(ls /boot/vmlinuz-*) root=LABEL=tenon-guest rw console=ttyS0 loglevel=4 no_timer_check
initrd $(ls /boot/initrd.img-*)
boot
END
'''
UEFI = "unshare -m sh -c 'mount -t tmpfs none /sys/firmware && mkdir /sys/firmware/efi && {}'"
TREE = 'cd /boot/efi && find . -type f -exec sha256sum {} + | sort; find . | sort'


def fat_disk(path):
    """An empty file system of the kind FAT16."""
    boot = struct.pack('<3s8sHBHBHHBHHHII', b'\xeb\x3c\x90', b'TENON', 512, 4, RESERVED, 2, 512, 0, 0xf8,
                       FAT_SECTORS, 32, 64, 0, SECTORS)
    boot += struct.pack('<BBBI11s8s', 0x80, 0, 0x29, 1, b'ESP        ', b'FAT16   ')
    with open(path, 'wb') as file:
        file.truncate(SECTORS * 512)
        file.write(boot.ljust(510, b'\0') + b'\x55\xaa')
        for number in range(2):
            file.seek((RESERVED + number * FAT_SECTORS) * 512)
            file.write(b'\xf8\xff\xff\xff')
    return path


def loaders():
    """Debian's signed boot loaders, from this machine's own sources."""
    folder = procs.temp_dir()
    for path in packages.download(*LOADERS, folder=folder):
        procs.run(['dpkg-deb', '-x', path, 'root'], cwd=folder)
    return [os.path.join(folder, 'root', path) for path in LOADERS.values()]


def start_by_uefi(disk, esp):
    """Start the disk by OVMF, which has no boot entries and finds the loader on the other disk."""
    folder = procs.temp_dir()
    procs.run(['cp', OVMF.format('VARS'), os.path.join(folder, 'vars.fd')])
    return machine.started(folder, [
        '-M', 'q35', '-cpu', 'max', '-smp', '2', '-m', '1024',
        '-drive', f'if=pflash,format=raw,unit=0,readonly=on,file={OVMF.format("CODE")}',
        '-drive', 'if=pflash,format=raw,unit=1,file=vars.fd',
        *devices.disk(disk), *devices.disk(esp, 'raw')], 900)


def boot_entry(answer):
    """What the plan says of the firmware."""
    return [row for row in answer['checks'] if row['id'] == 'boot-entry'][-1]


def prepare(guest):
    """Let the guest copy its boot loader; the tree of the partition before."""
    guest.run(SETUP)
    before = guest.run(TREE)
    row = boot_entry(json.loads(guest.sh(UEFI.format('tenonctl drivers plan --target kvm --json'), 600)[1]))
    equal((row['verdict'], row['fixable']), ('fatal', True), f'the plan before: {row["evidence"]}')
    text = guest.sh(UEFI.format('tenonctl drivers prepare --target kvm --json 2>/tmp/progress'), 2400)[1]
    check(text.startswith('{'), f'prepare: {text} {guest.sh("cat /tmp/progress")[1]}')
    row = boot_entry(json.loads(text)['plan'])
    equal(row['verdict'], 'ready', f'the plan after: {row["evidence"]}')
    guest.run('cd /boot/efi/EFI && cmp BOOT/BOOTX64.EFI debian/shimx64.efi && cmp BOOT/grubx64.efi debian/grubx64.efi && '
              'cmp BOOT/grub.cfg debian/grub.cfg && [ "$(ls -A BOOT | wc -l)" = 3 ]')
    # The loader under its old name is what the firmware would not find; it must not be what is started.
    guest.run('cd /boot/efi/EFI/debian && mv grubx64.efi shimx64.efi /root && cd / && umount /boot/efi', 60)
    return before


@test(timeout=4800)
def copied_boot_loader_is_started_by_uefi_and_taken_away_again():
    if os.environ.get('TENON_LONG') != '1':
        raise Skip('takes minutes; TENON_LONG=1 runs it')
    esp = fat_disk(os.path.join(procs.temp_dir(), 'esp.img'))
    with agent.boot_full(devices.disk(esp, 'raw'), loaders(), timeout=900) as first:
        agent.install(first)
        before = prepare(first)
        first.sh('systemctl --no-block poweroff')
        first.wait_end(300)
        with start_by_uefi(os.path.join(first.folder, 'disk.qcow2'), esp) as guest:
            guest.run('mount -t vfat -o umask=0077 /dev/vdb /boot/efi && cd /boot/efi/EFI/debian && '
                      'mv /root/*.efi . && sync', 60)
            row = boot_entry(json.loads(guest.sh('tenonctl drivers plan --target kvm --json', 600)[1]))
            check(row['verdict'] == 'ready' and row['data']['firmware'] == 'uefi', f'the plan there: {row}')
            note(row['evidence'])
            guest.run('tenonctl drivers undo', 600)
            equal(journey.compare(before.splitlines(), guest.run(TREE).splitlines()), [], 'files that differ after undo')
