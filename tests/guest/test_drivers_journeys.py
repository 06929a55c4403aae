# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 the Tenon developers
"""Longer journeys of the guest that moves: to VMware's devices and back, with dracut, and cut off on the way.

The first three tests share one guest that is powered on once; each leaves it as it was. Power cuts are not played
by killing QEMU each time: the disk is frozen as it is at that moment, and each such disk is booted afterwards.
"""

import os
import re

import agent
import journey
import machine
import packages
from cases import Skip, check, equal, note, shared, test
from journey import Journey

# Kills prepare as soon as its journal has so many records, and waits for its end. Its exit status is 137 then.
KILL = r'''
tenonctl drivers prepare --target kvm >/dev/null 2>&1 &
p=$!
perl -e 'while (kill 0, $ARGV[0]) { my $n = 0; for (glob "/var/lib/tenon/drivers/0*/journal") {
    open my $f, "<", $_ or next; $n++ while <$f>; } if ($n >= $ARGV[1]) { sleep $ARGV[2]; kill 9, $ARGV[0]; exit } }' \
    $p RECORDS DELAY
wait $p
'''

# Starts prepare, or lets it go on, until its journal has so many records, and stops it there.
STOP = r'''
if [ -e /run/prepare ]; then p=$(cat /run/prepare); kill -CONT $p
else setsid tenonctl drivers prepare --target kvm >/run/prepare.log 2>&1 </dev/null & p=$!; echo $p >/run/prepare; fi
perl -e 'while (kill 0, $ARGV[0]) { my $n = 0; for (glob "/var/lib/tenon/drivers/0*/journal") {
    open my $f, "<", $_ or next; $n++ while <$f>; } if ($n >= $ARGV[1]) { sleep $ARGV[2]; kill "STOP", $ARGV[0]; exit } }
    exit 1' $p RECORDS DELAY || { cat /run/prepare.log; exit 1; }
'''

FILES = '/etc/fstab /etc/default/grub /boot/grub/grub.cfg /etc/lvm/devices/system.devices ' \
        '/etc/initramfs-tools/modules /boot/initrd.img-*'
IMAGE = 15   # the record after which the image is renamed: begin, 7 copies, 6 files, the image


def long_journeys():
    """Is there time for all of it?"""
    return os.environ.get('TENON_LONG') == '1'


def long_only():
    """The rest of the test takes many minutes."""
    if not long_journeys():
        raise Skip('takes many minutes; TENON_LONG=1 runs it')


@shared
def settled():
    """The guest with the package, powered on where it was installed."""
    made = Journey()
    guest = made.power_on('source', journey.packages_disk([agent.deb()]))
    journey.unpack(guest, f'dpkg -i {os.path.basename(agent.deb())} >/dev/null')
    guest.sh('tenonctl drivers undo')  # makes the folder of the copies
    return made


def move(made, target, hardware, driver, disk):
    """Prepare for the target, if any; power off, power on there; the network and the disks must be as before."""
    if target:
        status, answer = journey.prepare(made.guest, target)
        check(status in (0, 2), f'prepare for {target} ended with {status}: {answer["plan"]["checks"]}')
    made.power_off()
    guest = made.power_on(hardware)
    journey.check_disks(guest, disk)
    equal(journey.check_network(guest), driver, f'driver of the card on {hardware}')
    return guest


def undo_all(guest, before):
    """Take every prepare back; all of /etc and /boot must be as it was, byte for byte."""
    status, text = guest.sh('tenonctl drivers undo --all 2>&1', 600)
    # LVM has written down where it found the disk on the target.
    check(status == 0 or '/etc/lvm/devices/system.devices' in text, text)
    if status:
        guest.run('tenonctl drivers undo --all --force', 600)
    differ = [line for line in journey.compare(before, journey.photograph(guest)) if not ON_ITS_OWN.match(line)]
    equal(differ, [], 'files that differ after undo')


# What each start of a guest writes.
ON_ITS_OWN = re.compile(r'etc/lvm/(archive|backup)|boot/grub/grubenv')


def sums(guest):
    """Check sums of the files that prepare changes; whatever else it leaves would be a new name."""
    return guest.run(f'sha256sum {FILES}; ls -A /boot /etc/systemd/network /var/lib/tenon/drivers', 600)


def recover(guest, before, records):
    """Undo finds the interrupted run; the guest is as it was."""
    text = guest.sh('tenonctl drivers undo 2>&1', 300)[1]
    check('interrupted' in text or 'As it was before' in text, f'after record {records}: {text}')
    equal(sums(guest), before, f'files after record {records}')


@test(timeout=3600)
def killed_on_the_way_it_is_taken_back():
    guest = settled().guest
    before = sums(guest)
    # test_drivers_chroot.py kills at each record, in less time; here it is once in each kind of step.
    steps = range(1, IMAGE) if long_journeys() else (1, 5, 8, 9, 12, IMAGE - 1)
    for records, delay in [*((records, 0) for records in steps), (IMAGE - 1, 8)]:  # the last one builds the image
        script = KILL.replace('RECORDS', str(records)).replace('DELAY', str(delay))
        equal(guest.sh(script, 2400)[0], 137, f'exit status of prepare, killed after record {records}')
        recover(guest, before, records)


@test(timeout=6000)
def power_cut_at_any_step_it_boots():
    long_only()
    guest, cuts = settled().guest, {}
    before, files = journey.photograph(guest), sums(guest)
    for records, delay in ((3, 0), (10, 0), (IMAGE - 1, 8), (IMAGE, 0)):
        guest.run(STOP.replace('RECORDS', str(records)).replace('DELAY', str(delay)), 2400)
        cuts[records] = settled().freeze()
    guest.run('kill -9 $(cat /run/prepare); rm /run/prepare')
    recover(guest, files, IMAGE)
    for records, disk in cuts.items():
        with Journey(disk) as made:
            guest = made.power_on('source')
            machine.wait_booted(guest, 600)
            text = guest.sh('tenonctl drivers undo 2>&1', 600)[1]
            check('interrupted' in text or 'As it was before' in text, f'after record {records}: {text}')
            differ = [line for line in journey.compare(before, journey.photograph(guest)) if not ON_ITS_OWN.match(line)]
            equal(differ, [], f'files that differ after a power cut at record {records}')
            made.power_off()
        note(f'power cut after record {records} of the journal: booted, taken back')


@test(timeout=6000)
def to_vmware_devices_and_back():
    made = settled()
    before = journey.photograph(made.guest)
    equal(journey.plan(made.guest, 'vmware')[0], 1, 'exit status of the plan')
    move(made, 'vmware', 'vmware', 'vmxnet3', 'sda')
    # What it was made ready for comes on top of what it had: the way back needs no second prepare, and bears one.
    guest = move(made, 'kvm' if long_journeys() else None, 'source', 'e1000', 'sda')
    undo_all(guest, before)
    settled.close()


# dracut's counterpart of MODULES=dep, which is not Debian's default. On QEMU dracut takes virtio in at any rate, by its
# module qemu: QEMU stands for another host here, so that one is left out.
DRACUT = 'hostonly="yes"\nomit_dracutmodules+=" qemu "\n'

# What dracut or systemd say when the root does not come, after minutes.
NO_ROOT = r'/dev/\S+ does not exist|Timed out waiting for device|still waiting for following|[Ee]mergency [Mm]ode'


@test(timeout=6000)
def with_dracut_in_place_of_initramfs_tools():
    long_only()
    with Journey() as made:
        # Not on virtio: dracut takes in what drives a disk that is there.
        guest = made.power_on('source', journey.packages_disk(
            [agent.deb(), *packages.download('dracut', 'dracut-core', 'kpartx')], 'ide-cd,bus=ide.1'))
        journey.unpack(guest, f'dpkg -i {os.path.basename(agent.deb())} >/dev/null')
        guest.run('dpkg --purge --force-depends initramfs-tools initramfs-tools-core 2>&1', 600)
        guest.run(f"mkdir -p /etc/dracut.conf.d && printf '{DRACUT}' >/etc/dracut.conf.d/10-host.conf")
        journey.unpack(guest, 'dpkg -i dracut*.deb kpartx*.deb 2>&1')
        guest.run('fsfreeze -f / && fsfreeze -u /')  # GRUB does not replay a journal
        unprepared, before = made.freeze(), journey.photograph(guest)
        status, answer = journey.plan(guest, 'kvm')
        told = [row for row in answer['checks'] if row['id'] == 'initramfs'][0]
        equal((status, told['verdict']), (1, 'fatal'), f'the plan with a host-only image: {told}')
        check('virtio_blk' in told['evidence'] and 'hostonly=yes in /etc/dracut.conf.d/10-host.conf' in told['evidence'],
              f'the evidence is: {told["evidence"]}')
        move(made, 'kvm', 'kvm', 'virtio_net', 'vda')
        made.power_off()
        guest = made.power_on('source')
        undo_all(guest, before)
        made.power_off()
        with Journey(unprepared) as other:
            other.power_on('kvm', wait=False).expect(NO_ROOT, 900)
