# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 the Tenon developers
"""A guest on its way between hypervisors: one disk, on one hardware after the other.

    with Journey() as journey:
        guest = journey.power_on('source')
        journey.install_tenon()
        journey.power_off()
        guest = journey.power_on('kvm')

Branches are disks on top of a disk that is no longer written to: of a guest that is powered off, or of one that goes
on upon a new disk after freeze().
"""

import json
import os

import machine
import moving
import procs
from cases import equal

CARD = 'enp0s5'  # what udev called the card of the old hardware

# All of /etc and /boot: name, type, mode, owner, time and contents of each file.
PHOTOGRAPH = r'''cd / && find etc boot -type f -printf '%p %y %m %u %g %s %T@\n' -o -printf '%p %y %m %u %g %l\n' | sort
find etc boot -type f -exec sha256sum {} + | sort -k 2'''


class Journey:
    """A disk with the guest, and the guest while it is powered on."""

    def __init__(self, base=None):
        self.folder = procs.temp_dir()
        self.disk = moving.overlay(self.folder, base)
        self.guest = None

    def power_on(self, hardware, extra=(), timeout=900, wait=True):
        """Start the guest on other hardware and, with wait, until its shell is there."""
        self.guest = moving.start(hardware, self.disk, extra, timeout=timeout, wait=wait)
        return self.guest

    def power_off(self):
        """Shut it down in the guest's own way."""
        self.guest.sh('systemctl --no-block poweroff')
        self.guest.wait_end(300)
        self.guest.close()
        self.guest = None

    def freeze(self):
        """A disk as this one is now, as after a power cut; the guest goes on, on top of it."""
        marked, self.disk = self.disk, os.path.join(self.folder, f'{len(os.listdir(self.folder))}.qcow2')
        self.guest.qmp('blockdev-snapshot-sync', device='d0', snapshot_file=self.disk, format='qcow2')
        return marked

    def branch(self):
        """Another journey from here on. This one must not be powered on any more."""
        return Journey(self.disk)

    def close(self):
        """End what runs, remove the disk."""
        if self.guest:
            self.guest.close()
        procs.remove_dir(self.folder)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def packages_disk(files, device='virtio-blk-pci'):
    """QEMU's arguments for a read-only disk with these files, by the label it is found by in the guest."""
    path = machine.data_disk(procs.temp_dir(), files, size='256M')
    procs.run(['e2label', path, 'packages'])
    return ['-drive', f'file={path},format=raw,if=none,id=packages,readonly=on',
            '-device', f'{device},drive=packages']


def unpack(guest, script):
    """Run a script in the folder of the disk of packages_disk()."""
    return guest.run('udevadm settle --timeout=300; mount -o ro /dev/disk/by-label/packages /mnt && cd /mnt && '
                     f'{{ {script}\n}} && cd / && umount /mnt', 900)


def photograph(guest):
    """All of /etc and /boot as lines of text."""
    return guest.run(PHOTOGRAPH, 600).splitlines()


def compare(before, after):
    """Lines that are in one of them only."""
    return sorted(set(before) ^ set(after))


def plan(guest, target):
    """(exit status, answer) of `tenonctl drivers plan`."""
    status, text = guest.sh(f'tenonctl drivers plan --target {target} --json', 600)
    return status, json.loads(text)


def prepare(guest, target, options=''):
    """(exit status, answer) of `tenonctl drivers prepare`; what it says of its progress is thrown away."""
    status, text = guest.sh(f'tenonctl drivers prepare --target {target} --json {options} 2>/tmp/progress', 2400)
    if not text.startswith('{'):
        raise AssertionError(f'prepare for {target} ended with {status}: {text} {guest.sh("cat /tmp/progress")[1]}')
    return status, json.loads(text)


def fatal(answer):
    """Ids of the checks of a plan that would keep the guest from booting."""
    return {row['id'] for row in answer['checks'] if row['verdict'] == 'fatal' and not row.get('fallback')}


def check_disks(guest, disk):
    """Root, swap and the logical volume are in use, and on this disk."""
    found = {name: guest.run(command, 600) for name, command in {
        'root': 'findmnt -n -o SOURCE /', 'swap': 'swapon --noheadings --show=NAME',
        'lvm': 'for i in $(seq 120); do findmnt -n -o SOURCE /data && exit; sleep 1; done; exit 1'}.items()}
    equal(found, {'root': f'/dev/{disk}1', 'swap': f'/dev/{disk}2', 'lvm': '/dev/mapper/vg0-data'}, 'disks')


def check_network(guest, name=CARD):
    """The interface has its old name, is up and has its address; the name of its driver."""
    # On other hardware udev loads many modules for the first time, which takes minutes on a busy machine.
    guest.sh(f'for i in $(seq 300); do ip -4 -o addr show dev {name} 2>/dev/null | grep -q 10.0.2.15 && break; sleep 1; '
             'done', 600)
    _, addresses = guest.sh(f'ip -4 -o addr show dev {name}; ip -br link show dev {name}')
    if '10.0.2.15/24' not in addresses or ' UP ' not in addresses:
        state = guest.sh('ip -br addr; for i in /sys/class/net/e*; do udevadm test-builtin net_setup_link $i 2>&1 | tail -n 8; '
                         'done; dmesg | grep -iE "eth|enp|ens" | tail -n 12; lspci -k 2>/dev/null | tail -n 20', 120)[1]
        raise AssertionError(f'{name} is not up or has no address: {addresses}; {state}')
    return guest.run(f'readlink -f /sys/class/net/{name}/device/driver').rsplit('/', 1)[-1]
