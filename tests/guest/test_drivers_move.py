# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 the Tenon developers
"""A Debian guest that was installed on AHCI and e1000 moves to virtio, and can be made what it was.

See moving.py for the guest. Further journeys are in test_drivers_journeys.py.
"""

import json
import os

import agent
import devices
import journey
import machine
from cases import check, equal, note, shared, test
from hostport import AgentError, HostPort
from journey import CARD, Journey


def refuse(guest):
    """What prepare says when it cannot: (exit status, text) on a read-only root, and with a full /boot."""
    read_only = guest.sh('''unshare -m sh -c '
        mount -o remount,bind,ro / && tenonctl drivers prepare --target kvm 2>&1' ''', 300)
    full = guest.sh('''unshare -m sh -c '
        mount -t tmpfs -o size=24m none /mnt && cp -a /boot/*-amd64 /mnt && mount --bind /mnt /boot &&
        tenonctl drivers prepare --target kvm 2>&1' ''', 300)
    return {'read-only': read_only, 'full': full}


def ask_host(guest):
    """What the host is told: refused, then, allowed, a dry run in a unit of its own with its events."""
    guest.port.wait_agent(60)
    try:
        guest.ask('tenon-drivers-prepare', target='kvm')
        refused = 'not refused'
    except AgentError as error:
        refused = str(error)
    guest.run('mkdir -p /etc/tenon/tenond.conf.d && printf "[policy]\\nallow=tenon-drivers-prepare\\n" '
              '>/etc/tenon/tenond.conf.d/allow.conf && systemctl reload tenond')
    port = HostPort(os.path.join(guest.folder, 'qmp0.sock')).open()
    check('QMP' in json.loads(port.read_line(60)), 'no greeting on the port with events')
    port.send('{"execute": "qmp_capabilities"}\n')
    begun = guest.ask('tenon-drivers-prepare', 60, target='kvm', dry_run=True)
    steps = []
    while not steps or steps[-1]['state'] == 'running':
        message = json.loads(port.read_line(300))
        if message.get('event') == 'DRIVERS_PREPARE_CHANGED':
            steps.append(message['data'])
    port.close()
    return {'refused': refused, 'begun': begun, 'steps': steps, 'state': guest.ask('tenon-get-drivers-prepare', 60)}


@shared
def prepared():
    """The guest made ready for KVM and powered off, and what was seen of it before."""
    made = Journey()
    guest = made.power_on('source', [*journey.packages_disk([agent.deb()]), *devices.virtio_serial(), *devices.port(),
                                     *devices.port('org.tenon.agent.0', 'qmp0')])
    journey.unpack(guest, 'dpkg -i *.deb >/dev/null')
    made.host = ask_host(guest)
    made.before = journey.photograph(guest)
    made.plan = journey.plan(guest, 'kvm')
    made.refused = refuse(guest)
    made.touched = journey.compare(made.before, journey.photograph(guest))
    made.answer = journey.prepare(guest, 'kvm')
    made.power_off()
    return made


@test(timeout=5000)
def plan_says_why_it_would_not_boot():
    status, answer = prepared().plan
    equal(status, 1, 'exit status of the plan')
    check('initramfs' in journey.fatal(answer), f'fatal are {journey.fatal(answer)}')
    evidence = [row['evidence'] for row in answer['checks'] if row['id'] == 'initramfs'][0]
    check('virtio_blk' in evidence, f'the evidence is: {evidence}')


@test
def host_is_refused_or_told_how_far_it_is():
    host = prepared().host
    check('tenon-drivers-prepare' in host['refused'] and 'allow' in host['refused'], f'refusal: {host["refused"]}')
    equal((host['begun']['state'], host['begun']['target']), ('running', 'kvm'), 'the first answer')
    equal((host['state']['state'], host['state']['exit-status']), ('done', 1), f'the end: {host["state"].get("error")}')
    files = {row['file'] for row in host['state']['result']['changes']}
    check('/etc/fstab' in files, f'files of the dry run: {files}')
    told = [(step.get('step'), step.get('done'), step['state']) for step in host['steps']]
    note(f'steps of a dry run: {told}')
    equal([row for row in told if row[2] != 'running'], told[-1:], 'events of the end')
    equal(told[-1][2], 'done', f'the last event of {told}')
    check('plan' in [row[0] for row in told if row[2] == 'running'], f'events of the steps: {told}')


@test
def prepare_refuses_before_it_touches_anything():
    status, text = prepared().refused['read-only']
    equal((status, 'read-only' in text.lower()), (4, True), f'on a read-only root: {text}')
    status, text = prepared().refused['full']
    equal((status, 'not enough room: the file system of /boot needs' in text), (4, True), f'with a full /boot: {text}')
    equal(prepared().touched, [], 'files that the refusals changed')


@test
def prepare_ends_with_a_plan_that_boots():
    status, answer = prepared().answer
    check(status in (0, 2), f'prepare ended with {status}: {answer["plan"]["checks"]}')
    equal(journey.fatal(answer['plan']), set(), 'fatal checks after prepare')
    files = {row['file'] for row in answer['changes']}
    equal(files, {'/etc/fstab', '/etc/default/grub', '/boot/grub/grub.cfg', '/etc/initramfs-tools/modules',
                  f'/etc/systemd/network/10-tenon-{CARD}.link', '/etc/lvm/devices/system.devices'}, 'changed files')
    note(f'the image was {answer["images"][0]["size-before"]} bytes and is {answer["images"][0]["size-after"]}')


@test(timeout=600)
def unprepared_it_does_not_find_its_root():
    with Journey() as made:
        guest = made.power_on('kvm', wait=False)
        guest.expect('ALERT! +/dev/sda1 does not exist', 240)


@test(timeout=1800)
def prepared_it_boots_on_virtio_with_its_network():
    with prepared().branch() as made:
        guest = made.power_on('kvm')
        machine.wait_booted(guest, 600)
        journey.check_disks(guest, 'vda')
        equal(journey.check_network(guest), 'virtio_net', 'driver of the card')
        check(not journey.fatal(journey.plan(guest, 'kvm')[1]), 'the plan on the target has something fatal')
        made.power_off()


@test(timeout=1800)
def it_still_boots_where_it_was_and_undo_restores_every_byte():
    with prepared().branch() as made:
        guest = made.power_on('source')
        journey.check_disks(guest, 'sda')
        equal(journey.check_network(guest), 'e1000', 'driver of the card')
        guest.run('tenonctl drivers undo', 600)
        equal(journey.compare(prepared().before, journey.photograph(guest)), [], 'files that differ')
        check('nothing to undo' in guest.sh('tenonctl drivers undo')[1], 'a second undo finds something')
        made.power_off()
