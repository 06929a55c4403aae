# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 the Tenon developers
"""The agent in a guest that has a kernel and busybox only: no systemd, no udev, no D-Bus.

What is tested is the port: found, lost, found again; a host that comes, goes, stops in the middle of a
request, or never reads.
"""

import json
import time

import agent
import devices
from cases import check, equal, note, shared, test


@shared
def guest():
    """One guest for all tests of this file."""
    return agent.boot_micro()


@test
def agent_finds_its_port_without_udev():
    equal(guest().sh('ls /dev/virtio-ports')[0], 1, 'status of ls on a folder that udev would make')
    equal(guest().ask('guest-ping'), {}, 'guest-ping')
    equal(guest().ask('guest-get-osinfo')['id'], 'micro', 'id of guest-get-osinfo')


@test
def hypervisor_is_qemu():
    status = guest().ask('tenon-get-status')
    equal(status['hypervisor']['primary']['id'], 'qemu', 'hypervisor of tenon-get-status')


@test
def two_requests_in_one_write_are_answered_in_order():
    port = guest().port
    port.sync()
    port.send('{"execute": "guest-ping", "id": 1}{"execute": "guest-get-host-name", "id": 2}')
    equal([json.loads(port.read_line())['id'] for _ in range(2)], [1, 2], 'ids of the replies')


def unplug():
    """Take the port away, as a host does at run time."""
    guest().port.close()
    guest().qmp('device_del', id='port-qga0')
    guest().wait_event('DEVICE_DELETED', 20, device='port-qga0')


def plug():
    """Give the port back; the kernel tells its name only after it has announced the device."""
    guest().qmp('device_add', driver='virtserialport', bus='serial0.0', chardev='qga0', id='port-qga0',
                name=devices.QGA_PORT)


@test
def unplugged_port_is_taken_up_again():
    before = agent.pid(guest())
    for pause in (0, 1, 0, 0.5, 1, 0):
        unplug()
        time.sleep(pause)
        plug()
        guest().port.wait_agent(10)
    equal(agent.pid(guest()), before, 'process id of the agent')


@test
def no_work_while_there_is_no_port():
    unplug()
    time.sleep(1)
    before = agent.switches(guest())
    time.sleep(3)
    wakeups = agent.switches(guest()) - before
    check(wakeups <= 2, f'{wakeups} wakeups in 3 s without a port')  # a look at the clock may be due
    plug()
    begin = time.monotonic()
    guest().port.wait_agent(20)
    note(f'answered {time.monotonic() - begin:.1f} s after the port came back')


@test
def host_may_leave_and_return():
    for _ in range(5):
        guest().port.reopen()
        equal(guest().ask('guest-ping', timeout=5), {}, 'guest-ping after a new connection')


@test
def no_work_while_the_host_is_away():
    for _ in range(4):
        guest().port.close()
        time.sleep(1)
        before = agent.switches(guest())
        time.sleep(4)
        wakeups = agent.switches(guest()) - before
        check(wakeups <= 2, f'{wakeups} wakeups in 4 s without a host')  # a look at the clock may be due
        # The guest may see these bytes before it hears that a host is there: two queues, two interrupts.
        guest().port.open().sync()


@test
def half_a_request_does_not_spoil_the_next_host():
    for half in ('{"execute":', '{"execute": "guest-pi', '{"execute": "guest-ping", "arguments": {"a": [[{'):
        guest().port.reopen().sync()
        guest().port.send(half)
        guest().port.reopen().sync(5)
        equal(guest().ask('guest-ping', timeout=5), {}, f'guest-ping after {half!r} of another host')


@test
def half_a_request_does_not_spoil_the_next_line():
    guest().port.reopen().sync()
    guest().port.send('{"execute": "guest-ping", "arguments": {\n')
    guest().port.sync(5)
    equal(guest().ask('guest-ping', timeout=5), {}, 'guest-ping')


@test(timeout=240)
def host_that_does_not_read():
    port = guest().port.reopen()
    port.sync()
    size = len(json.dumps(guest().ask('guest-info')))
    count = (8 << 20) // size + 1
    port.send(''.join(f'{{"execute": "guest-info", "id": {number}}}\n' for number in range(count)), 60)
    time.sleep(3)
    ticks, memory = agent.cpu_ticks(guest()), agent.rss_kib(guest())
    time.sleep(3)
    busy = agent.cpu_ticks(guest()) - ticks
    note(f'{count} requests, {count * size >> 20} MiB of replies: {memory} KiB resident, {busy} ticks')
    check(busy <= 15, f'the agent is busy ({busy} ticks in 3 s) while nobody reads')
    check(memory < 24 << 10, f'the agent holds {memory} KiB for a host that does not read')
    numbers = [json.loads(port.read_line(60))['id'] for _ in range(count)]
    equal(numbers == list(range(count)), True, 'the replies are complete and in order')
    equal(guest().ask('guest-ping'), {}, 'guest-ping afterwards')


@test
def host_that_leaves_its_replies_behind():
    port = guest().port.reopen()
    port.sync()
    port.send('{"execute": "guest-info"}\n' * 500)
    time.sleep(1)
    port.reopen().sync(20)
    equal(guest().ask('guest-ping', timeout=5), {}, 'guest-ping of the next host')


@test
def watchdog_device_does_not_disturb():
    with agent.boot_micro(extra=[*devices.watchdog(), *devices.balloon()]) as other:
        equal(other.ask('guest-ping'), {}, 'guest-ping')
