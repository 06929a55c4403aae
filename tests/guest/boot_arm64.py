# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 the Tenon developers
"""The agent in an arm64 guest: the requests of scripts/demo, what it says of a machine without CPUID and DMI, its port,
its watchdog, and the way down.

`scripts/cross --boot arm64` runs this; scripts/test does not. The tests build on each other in the order of the file.
"""

import functools
import re

import agent
import demo
import devices
import foreign
import report
from cases import check, equal, note, shared, test

CONFIG = agent.CONFIG + b'''[policy]
preset=open
[watchdog]
mode=own
timeout-seconds=20
'''


@shared
def guest():
    """One guest for all tests of this file."""
    return foreign.boot(CONFIG)


@functools.cache
def answers():
    """What the guest answered to the demo's requests."""
    return demo.ask_all(guest())


@test(timeout=900)
def requests_of_the_demo_are_answered():
    equal(sorted(answers()), sorted(demo.QUESTIONS), 'requests with an answer')
    note('\n   '.join(report.page(answers()).splitlines()))


@test
def machine_is_arm64():
    equal(guest().run('uname -m').strip(), 'aarch64', 'uname -m')
    equal(answers()['guest-get-osinfo']['machine'], 'aarch64', 'machine of guest-get-osinfo')


@test
def hypervisor_is_told_by_the_device_tree():
    told = answers()['tenon-get-status']['hypervisor']
    equal(told['primary']['id'], 'qemu', 'primary')
    facts = {(fact['kind'], fact['id']): fact['evidence'] for fact in told['facts']}
    check('linux,dummy-virt' in facts[('hypervisor', 'qemu')] or 'fw-cfg' in facts[('hypervisor', 'qemu')],
          f'reasons: {facts}')
    check(not any('CPUID' in text or 'DMI' in text for text in facts.values()), f'reasons that arm64 cannot have: {facts}')


@test
def devices_have_their_drivers():
    rows = answers()['tenon-get-status']['drivers']
    bound = {row['driver'] for row in rows if row['kind'] == 'paravirtual'}
    check({'virtio_net', 'virtio_blk', 'virtio_console', 'virtio_balloon'} <= bound, f'drivers: {rows}')


@test
def disk_and_card_are_told():
    found = {entry['mountpoint']: entry for entry in answers()['guest-get-fsinfo']}
    equal(found['/disk']['type'], 'ext4', 'type of /disk')
    equal([disk['bus-type'] for disk in found['/disk']['disk']], ['virtio'], 'bus of /disk')
    cards = {card['name']: card for card in answers()['guest-network-get-interfaces']}
    check(re.fullmatch('52:54:00:(..:){2}..', cards['eth0']['hardware-address']), f'cards: {cards}')


@test
def host_runs_a_program():
    child = guest().ask('guest-exec', path='/bin/uname', arg=['-m'], **{'capture-output': True})['pid']
    status = {}
    while not status.get('exited'):
        status = guest().ask('guest-exec-status', pid=child)
    equal((status['exitcode'], status['out-data']), (0, 'YWFyY2g2NAo='), 'exit code, and "aarch64" in base64')


@test
def unplugged_port_is_taken_up_again():
    before = agent.pid(guest())
    guest().port.close()
    guest().qmp('device_del', id='port-qga0')
    guest().wait_event('DEVICE_DELETED', 60, device='port-qga0')
    guest().qmp('device_add', driver='virtserialport', bus='serial0.0', chardev='qga0', id='port-qga0',
                name=devices.QGA_PORT)
    guest().port.wait_agent(60)
    equal(agent.pid(guest()), before, 'process id of the agent')


@test(timeout=300)
def watchdog_fires_for_an_agent_that_stands_still():
    told = guest().ask('tenon-get-watchdog')
    equal((told['state'], told['identity']), ('fed', 'i6300ESB timer'), 'state and device')
    guest().run(f'kill -STOP {agent.pid(guest())}')
    guest().wait_event('WATCHDOG', 180)  # its action is none here
    guest().run(f'kill -CONT {agent.pid(guest())}')
    guest().port.wait_agent(60)


@test(timeout=300)
def host_shuts_the_guest_down():
    demo.shut_down(guest())
    note(f"QEMU: SHUTDOWN, guest-shutdown; the guest's log: {guest().log().strip().splitlines()[-1]}")
