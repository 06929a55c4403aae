# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 the Tenon developers
"""Disks on every bus that QEMU has and Debian's kernel binds: what guest-get-disks and guest-get-fsinfo say of them,
beside what Debian's qemu-guest-agent says in the same guest, and an NVMe drive's health beside QEMU's own count.
"""

import json
import math
import os

import agent
import machine
from cases import check, equal, note, shared, test

# The name of a disk (its serial number), QEMU's device, the controllers that it wants, and what must be said of it.
DISKS = (
    ('NVME01', 'nvme,serial=NVME01', (), {'bus-type': 'nvme'}),
    ('SATA01', 'ide-hd,bus=ide.2,serial=SATA01', (), {'bus-type': 'sata'}),
    ('VSCS01', 'scsi-hd,bus=vs0.0,channel=0,scsi-id=2,lun=3,serial=VSCS01', ('virtio-scsi-pci,id=vs0',),
     {'bus-type': 'scsi', 'target': 2, 'unit': 3}),
    ('PVSC01', 'scsi-hd,bus=pv0.0,scsi-id=5,lun=0,serial=PVSC01', ('pvscsi,id=pv0',),
     {'bus-type': 'scsi', 'target': 5, 'unit': 0}),
    ('MEGA01', 'scsi-hd,bus=mg0.0,scsi-id=1,lun=0,serial=MEGA01', ('megasas,id=mg0',), {'bus-type': 'raid'}),
    ('MPTS01', 'scsi-hd,bus=mp0.0,scsi-id=1,lun=0,serial=MPTS01', ('mptsas1068,id=mp0',), {'bus-type': 'sas'}),
    ('LSIL01', 'scsi-hd,bus=ls0.0,scsi-id=4,lun=0,serial=LSIL01', ('lsi53c895a,id=ls0',),
     {'bus-type': 'scsi', 'unit': 4}),
    ('USBS01', 'usb-storage,bus=xh0.0,serial=USBS01', ('qemu-xhci,id=xh0',), {'bus-type': 'usb'}),
    ('SDCARD', 'sd-card', ('sdhci-pci',), {'bus-type': 'sd'}),
    ('VBLK01', 'virtio-blk-pci,serial=VBLK01,addr=0x1c', (), {'bus-type': 'virtio'}),
)
OPTIONAL = {'MPTS01', 'LSIL01', 'SDCARD'}  # QEMU's models of these do not come up with each kernel
ADDRESS = {'pci-controller', 'bus-type', 'bus', 'target', 'unit'}


def hardware(folder):
    """The arguments for all disks; each holds an ext4 file system with its name as the label."""
    arguments = []
    for name, device, controllers, _ in DISKS:
        path = os.path.join(folder, name)
        machine.procs.run(['truncate', '-s', '64M', path])
        machine.procs.run(['mke2fs', '-q', '-t', 'ext4', '-L', name, path])
        for controller in controllers:
            arguments += ['-device', controller]
        arguments += ['-drive', f'if=none,id={name},file={path},format=raw,cache=unsafe',
                      '-device', f'{device},drive={name}' + (f',id=dev-{name}')]
    return arguments


def mounted(made, name):
    """Mount the file system of a disk; false when the disk does not come."""
    return made.sh(f'mkdir -p /srv/{name} && for i in 1 2 3 4 5 6 7 8 9; do mount -L {name} /srv/{name} && exit; '
                   'sleep 1; done 2>/dev/null; exit 1')[0] == 0


@shared
def guest():
    """A guest with all of them, each mounted at /srv/NAME, Tenon installed, and the predecessor at hand."""
    folder = machine.procs.temp_dir()
    made = agent.boot_installed(hardware(folder), files=[agent.peer_deb(folder)])
    made.run('udevadm settle; modprobe -a sym53c8xx mptsas megaraid_sas vmw_pvscsi sdhci_pci mmc_block usb_storage '
             '2>/dev/null; udevadm settle -t 60; true', 120)
    made.absent = [name for name, *_ in DISKS if not mounted(made, name)]
    note(f'not bound by this kernel: {" ".join(made.absent) or "none"}')
    check(set(made.absent) <= OPTIONAL, f'no disks: {made.absent}')
    made.port.wait_agent(60)
    return made


def node(name):
    """The device that carries a disk."""
    return guest().run(f'findmnt -n -o SOURCE /srv/{name}')


def replies():
    """guest-get-disks by name, guest-get-fsinfo by mount point."""
    disks = {disk['name']: disk for disk in guest().ask('guest-get-disks')}
    return disks, {fs['mountpoint']: fs for fs in guest().ask('guest-get-fsinfo')}


@test(timeout=500)
def every_bus_is_told():
    disks, filesystems = replies()
    wrong = []
    for name, _, _, wanted in (row for row in DISKS if row[0] not in guest().absent):
        disk, fs = disks[node(name)], filesystems[f'/srv/{name}']
        for address in (disk['address'], fs['disk'][0]):
            told = {key: address[key] for key in wanted}
            serial = address.get('serial', '')
            if told != wanted or not ADDRESS <= set(address) or (name != 'SDCARD' and name not in serial):
                wrong.append(f'{name}: {address}, wanted {wanted}')
        check(fs['total-bytes'] > 50 << 20 and fs['type'] == 'ext4', f'{fs}')
    equal(wrong, [], 'disks that are told wrongly')


@test(timeout=200)
def health_of_the_nvme_drive():
    disks, _ = replies()
    guest().run(f'sync; dd if={node("NVME01")} of=/dev/null bs=1M count=32 iflag=direct 2>/dev/null')
    smart = {disk['name']: disk for disk in guest().ask('guest-get-disks')}[node('NVME01')]['smart']
    equal(smart['type'], 'nvme', 'type')
    stats = [entry['stats'] for entry in guest().qmp('query-blockstats')
             if entry.get('device') == 'NVME01'][0]
    for member, counted in (('data-units-read-lo', stats['rd_bytes']), ('data-units-written-lo', stats['wr_bytes'])):
        units = math.ceil(counted / 512000)  # a unit is a thousand sectors of 512 bytes, rounded up
        check(abs(smart[member] - units) <= 1, f'{member} is {smart[member]}, QEMU counted {units}')
    for member, counted in (('host-read-commands-lo', stats['rd_operations']),
                            ('host-write-commands-lo', stats['wr_operations'])):
        check(abs(smart[member] - counted) <= 3, f'{member} is {smart[member]}, QEMU counted {counted}')
    equal((smart['temperature'], smart['available-spare'], smart['percentage-used'], smart['critical-warning']),
          (323, 0, 0, 0), 'temperature in kelvin, spare (QEMU leaves it 0), used, warning')
    check(all('smart' not in disk for name, disk in disks.items() if not name.startswith('/dev/nvme')),
          'another disk has the health of an NVMe drive')


def comparable(reply):
    """The parts that both agents tell: for each disk its address without the serial number."""
    parts = {}
    for disk in reply:
        address = {key: value for key, value in disk.get('address', {}).items() if key not in ('serial', 'ccw-address')}
        parts[disk['name']] = (disk['partition'], json.dumps(address, sort_keys=True), 'smart' in disk)
    return parts


@test(timeout=300)
def the_predecessor_says_the_same():
    ours = comparable(guest().ask('guest-get-disks'))
    guest().run('mkdir -p /mnt && mount -o ro /dev/vdb /mnt; systemctl stop tenond; '
                'dpkg -x /mnt/qemu-guest-agent_*.deb /opt/peer; systemd-run -q --unit=peer /opt/peer/usr/sbin/qemu-ga')
    guest().port.wait_agent(60)
    theirs = comparable(guest().ask('guest-get-disks'))
    guest().run('systemctl stop peer; systemctl start tenond')
    guest().port.wait_agent(60)
    for name, told in theirs.items():
        if ours.get(name) != told:
            note(f'{name}: ours {ours.get(name)}, qemu-ga {told}')
    check(set(theirs) <= set(ours), f'disks that only qemu-ga tells: {set(theirs) - set(ours)}')
