# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 the Tenon developers
"""Longer journeys of the guest that moves: to VMware's devices and back, with dracut, and cut off on the way.

Each takes minutes, so they run with TENON_LONG=1 only.
"""

import glob
import os
import re

import agent
import journey
import machine
import procs
from cases import Skip, check, equal, note, test
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

# Starts prepare and waits until its journal has so many records; then somebody pulls the plug.
REACH = r'''
setsid tenonctl drivers prepare --target kvm >/dev/null 2>&1 </dev/null &
perl -e 'while (1) { my $n = 0; for (glob "/var/lib/tenon/drivers/0*/journal") { open my $f, "<", $_ or next;
    $n++ while <$f>; } exit if $n >= $ARGV[0] }' RECORDS
'''

FILES = '/etc/fstab /etc/default/grub /boot/grub/grub.cfg /etc/lvm/devices/system.devices ' \
        '/etc/initramfs-tools/modules /boot/initrd.img-*'
TEXTS = 6    # files that are written before the image
IMAGE = 15   # the record after which the image is renamed: begin, 7 copies, 6 files, the image


def long_only():
    """The rest of the test takes minutes."""
    if os.environ.get('TENON_LONG') != '1':
        raise Skip('takes minutes; TENON_LONG=1 runs it')


def installed(extra=()):
    """A journey of the guest with the package, powered on where it was installed."""
    made = Journey()
    guest = made.power_on('source', journey.packages_disk([agent.deb(), *extra]))
    journey.unpack(guest, f'dpkg -i {os.path.basename(agent.deb())} >/dev/null')
    return made


def move(made, target, hardware, driver, disk):
    """Prepare for the target, power off, power on there; the network and the disks must be as before."""
    status, answer = journey.prepare(made.guest, target)
    check(status in (0, 2), f'prepare for {target} ended with {status}: {answer["plan"]["checks"]}')
    made.power_off()
    guest = made.power_on(hardware)
    journey.check_disks(guest, disk)
    equal(journey.check_network(guest), driver, f'driver of the card on {hardware}')
    return guest


@test(timeout=3000)
def to_vmware_devices_and_back():
    long_only()
    with installed() as made:
        equal(journey.plan(made.guest, 'vmware')[0], 1, 'exit status of the plan')
        move(made, 'vmware', 'vmware', 'vmxnet3', 'sda')
        move(made, 'kvm', 'source', 'e1000', 'sda')
        made.power_off()


def download(names):
    """Debian packages from this machine's own sources; their paths."""
    folder = procs.temp_dir()
    os.chmod(folder, 0o755)
    procs.run(['apt-get', 'download', *names], cwd=folder, timeout=300)
    return glob.glob(os.path.join(folder, '*.deb'))


@test(timeout=3000)
def with_dracut_in_place_of_initramfs_tools():
    long_only()
    with installed(download(['dracut', 'dracut-core', 'kpartx'])) as made:
        guest = made.guest
        guest.run('dpkg --purge --force-depends initramfs-tools initramfs-tools-core 2>&1', 120)
        journey.unpack(guest, 'dpkg -i dracut*.deb kpartx*.deb 2>&1')
        before = journey.photograph(guest)
        status, answer = journey.plan(guest, 'kvm')
        equal((status, 'initramfs' in journey.fatal(answer)), (1, True), 'the plan with a host-only image')
        move(made, 'kvm', 'kvm', 'virtio_net', 'vda')
        made.power_off()
        guest = made.power_on('source')
        # LVM has written down where it found the disk on the target.
        status, text = guest.sh('tenonctl drivers undo 2>&1', 120)
        check(status == 0 or '/etc/lvm/devices/system.devices' in text, text)
        if status:
            guest.run('tenonctl drivers undo --force', 120)
        equal(journey.compare(before, journey.photograph(guest)), [], 'files that differ after undo')
        made.power_off()


def sums(guest):
    """Check sums of the files that prepare changes; whatever else it leaves would be a new name."""
    return guest.run(f'sha256sum {FILES}; ls -A /boot /etc/systemd/network /var/lib/tenon/drivers', 120)


def kill_and_recover(guest, before, records, delay=0):
    """Kill prepare after a record of its journal; the next undo must find the guest as it was."""
    script = KILL.replace('RECORDS', str(records)).replace('DELAY', str(delay))
    equal(guest.sh(script, 900)[0], 137, f'exit status of prepare, killed after record {records}')
    text = guest.sh('tenonctl drivers undo 2>&1', 60)[1]
    check('interrupted' in text or 'As it was before' in text, f'after record {records}: {text}')
    equal(sums(guest), before, f'files after record {records}')


@test(timeout=3000)
def killed_at_each_step_it_is_taken_back():
    long_only()
    with installed() as made:
        guest = made.guest
        guest.sh('tenonctl drivers undo')  # makes the folder
        before = sums(guest)
        for records in range(1, IMAGE):
            kill_and_recover(guest, before, records)
        kill_and_recover(guest, before, IMAGE - 1, 8)   # while the image is being built
        kill_and_recover(guest, before, IMAGE)          # when it is renamed
        made.power_off()


@test(timeout=3000)
def power_cut_at_any_step_it_boots():
    long_only()
    with installed() as first:
        before = journey.photograph(first.guest)
        base = first.mark()
        for records in (3, 10, IMAGE - 1, IMAGE, IMAGE + 1):
            with Journey(base) as made:
                guest = made.power_on('source')
                guest.run(REACH.replace('RECORDS', str(records)), 900)
                made.cut_power()
                guest = made.power_on('source')
                machine.wait_booted(guest)
                text = guest.sh('tenonctl drivers undo 2>&1', 120)[1]
                check('interrupted' in text or 'As it was before' in text, f'after record {records}: {text}')
                differ = [line for line in journey.compare(before, journey.photograph(guest))
                          if not re.match(r'etc/lvm/(archive|backup)|boot/grub/grubenv', line)]
                equal(differ, [], f'files that differ after a power cut at record {records}')
                made.power_off()
            note(f'power cut after record {records} of the journal: booted, taken back')
