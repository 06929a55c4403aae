# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 the Tenon developers
"""The clock of a guest that stands still: stopped and continued, restored from a snapshot.

The judge is this machine's own clock: tenon-time-exchange is asked from here, and the offset is known to half of
the fastest exchange. The guest has no network and no time daemon, and the host does nothing for its clock.
"""

import os
import time
import uuid

import agent
import clocks
import machine
import procs
from cases import check, equal, note, shared, test

BOOT_SECONDS = 300  # on a machine that has much to do; five otherwise
# Tests of minutes want TENON_LONG=1.
LONG = os.environ.get('TENON_LONG') == '1'
PAUSES = (10, 60, 600) if LONG else (10,)


@shared
def guest():
    """One guest for all tests of this file; its disk, which nobody reads, can hold a snapshot."""
    folder = procs.temp_dir()
    procs.run(['qemu-img', 'create', '-q', '-f', 'qcow2', os.path.join(folder, 'snapshots.qcow2'), '1G'])
    booted = agent.boot_micro(extra=['-drive', f'file={folder}/snapshots.qcow2,format=qcow2,if=virtio'],
                              timeout=BOOT_SECONDS)
    clocks.wait_located(booted)
    return booted


@test(timeout=400)
def host_sets_the_clock_to_a_millisecond():
    clocks.follow_host(guest())
    value, error = clocks.offset(guest())
    note(f'the guest is {value * 1e3:.3f} ms behind, ±{error * 1e3:.3f} ms')
    check(abs(value) < 0.001 + error, f'the clock is off by {value} s, ±{error} s')


def check_made_up(where, jumps, behind, what):
    """The clock, which had made that many jumps and is now so many seconds behind, must be right again soon."""
    begin = time.monotonic()

    def is_right():
        return where.ask('tenon-get-time-status')['jumps'] > jumps and abs(clocks.offset(where, 2)[0]) < 0.05
    try:
        procs.wait_for(is_right, 60, f'the clock to be put right after {what}')
    except TimeoutError as error:
        raise AssertionError(f'{error}: {clocks.offset(where)[0]} s off, {where.ask("tenon-get-time-status")}') from error
    took = time.monotonic() - begin
    value, error = clocks.offset(where)
    note(f'{what}: put right within {took:.1f} s to {value * 1e3:.1f} ms, ±{error * 1e3:.2f} ms')
    check(abs(value) < 0.05, f'{value} s off after {what}')
    last = where.ask('tenon-get-time-status')['last-jump']
    equal(last['outcome'], 'stepped', f'outcome of {what}')
    check(behind[0] - 0.1 < last['behind'] / 1e9 < behind[1] + 0.1,
          f'after {what} the clock was {last["behind"] / 1e9} s behind, and not {behind[0]} to {behind[1]}')


@test(timeout=1500)
def pause_is_made_up_for_without_network_and_host():
    for pause in PAUSES:
        clocks.follow_host(guest())
        jumps = clocks.jumps_of(guest())
        most = clocks.stand_still(guest(), pause)
        check_made_up(guest(), jumps, (pause, most), f'a pause of {pause} s')


@test(timeout=500)
def host_puts_a_pause_right_to_a_millisecond():
    """By `tenon-host time --set`, as soon as the guest runs again, for hosts that do not want to wait."""
    clocks.follow_host(guest())
    clocks.stand_still(guest(), 10)
    guest().port.close()
    begin = time.monotonic()
    procs.run([agent.built('host/tenon-host'), '-s', os.path.join(guest().folder, 'qga0.sock'), 'time', '--set'])
    took = time.monotonic() - begin
    guest().port.wait_agent(60)
    value, error = clocks.offset(guest())
    note(f'{took:.1f} s later the guest is {value * 1e3:.3f} ms behind, ±{error * 1e3:.3f} ms')
    check(abs(value) < 0.001 + error, f'the clock is off by {value} s, ±{error} s')
    time.sleep(15)  # what the agent itself finds then is no second jump to make up for
    value, error = clocks.offset(guest())
    check(abs(value) < 0.05, f'15 s later the clock is off by {value} s, ±{error} s')


@test(timeout=500)
def restored_snapshot_is_made_up_for():
    """The emulated time stamp counter is not set back with the rest: what the guest loses is about the time it
    stood still."""
    def load():
        answer = guest().qmp('human-monitor-command', command_line='loadvm here')
        equal(answer, '', 'answer to loadvm')
    clocks.follow_host(guest())
    jumps = clocks.jumps_of(guest())
    begin = time.monotonic()
    guest().qmp('human-monitor-command', command_line='savevm here')
    time.sleep(8)
    clocks.stand_still(guest(), 2.3, load)
    most = time.monotonic() - begin
    guest().port.close()
    guest().port.wait_agent(60)
    check_made_up(guest(), jumps, (2.3, most), 'loadvm')


@test(timeout=500)
def migrated_guest_is_made_up_for():
    source = agent.boot_micro(timeout=BOOT_SECONDS)
    try:
        clocks.wait_located(source)
        clocks.follow_host(source)
        jumps = clocks.jumps_of(source)
        target = machine.incoming(source)
        try:
            begin = time.monotonic()
            source.qmp('stop')  # so that it stands still for a time that is known
            time.sleep(5)
            source.qmp('migrate', uri=f'unix:{target.folder}/incoming.sock')
            while source.qmp('query-migrate').get('status') in ('setup', 'active', 'device'):
                time.sleep(0.2)
            equal(source.qmp('query-migrate').get('status'), 'completed', 'status of the migration')
            # A `cont` that comes while the target still loads is forgotten: the source was paused.
            procs.wait_for(lambda: target.qmp('query-status')['status'] == 'paused', 60, 'the target to have it all')
            target.qmp('cont')
            most = time.monotonic() - begin
            target.port.wait_agent(60)
            check_made_up(target, jumps, (5, most), 'a migration')
        finally:
            target.close()
    finally:
        source.close()


@test(timeout=700)
def snapshot_in_another_machine_has_a_new_generation_id():
    """Debian 12's kernel takes the new id for its random numbers and tells nobody else (its log says so); the hardware
    clock tells of the jump all the same. Linux 6.8 would tell, and the agent hear it."""
    folder = procs.temp_dir()
    disk = os.path.join(folder, 'snapshots.qcow2')
    procs.run(['qemu-img', 'create', '-q', '-f', 'qcow2', disk, '1G'])
    ident = str(uuid.uuid4())
    source = agent.boot_micro(extra=['-drive', f'file={disk},format=qcow2,if=virtio', '-device', f'vmgenid,guid={ident}'],
                              timeout=BOOT_SECONDS)
    try:
        modules = [device['module'] for device in source.ask('tenon-get-status')['drivers']]
        check('vmgenid' in modules, f'the drivers in use are {modules}')
        clocks.wait_located(source)
        clocks.follow_host(source)
        jumps = clocks.jumps_of(source)
        begin = time.monotonic()
        equal(source.qmp('human-monitor-command', command_line='savevm here'), '', 'answer to savevm')
        source.kill()
        time.sleep(5)
        target = machine.again(source, *(word.replace(ident, str(uuid.uuid4())) for word in source.arguments), '-loadvm', 'here')
    finally:
        source.close()
    try:
        most = time.monotonic() - begin
        target.port.wait_agent(60)
        check_made_up(target, jumps, (0, most), 'a restore in another machine')
        kernel = target.run('uname -r')
        told = 'tells that this machine was restored or cloned' in target.run('cat /run/tenond.log')
        check('crng reseeded due to virtual machine fork' in target.run('dmesg'), 'the kernel saw no new id')
        note(f'kernel {kernel}: {"told" if told else "told nobody"}')
        equal(told, kernel.startswith('6.8.'), 'whether the agent heard of it')
    finally:
        target.close()


@test(timeout=400)
def status_tells_what_happened():
    jumps = clocks.jumps_of(guest())
    clocks.stand_still(guest(), 1.4)
    procs.wait_for(lambda: clocks.jumps_of(guest()) > jumps, 60, 'the pause to be noticed')
    status = guest().ask('tenon-get-time-status')
    equal(status['owner'], 'tenon', 'owner of the clock')
    equal(status['mode'], 'discipline', 'mode')
    equal(status['source'], 'rtc', 'source')
    equal(status['last-jump']['outcome'], 'stepped', 'outcome of the last jump')
    equal((status['zone'], status['utc-offset-seconds'], status['leap']), ('UTC', 0, 0), 'zone and leap second')
    equal(status['problems'], [], 'problems')
    shown = guest().run('tenonctl --socket /run/tenon/control.sock time')
    for wanted in ('kept by tenon', 'UTC (UTC+00:00)', 'none is announced'):
        check(wanted in shown, f'tenonctl time: {shown}')


@test(timeout=500)
def idle_agent_looks_once_in_ten_seconds():
    """However late the timers of a busy machine are; the bound is what one look in ten seconds makes, and two."""
    clocks.follow_host(guest())
    time.sleep(15)  # that was a step, after which the hardware clock is located anew
    samples, began = guest().ask('tenon-get-time-status')['samples'], time.monotonic()
    before = agent.switches(guest())
    time.sleep(90)
    after = agent.switches(guest())
    took = time.monotonic() - began
    looks = guest().ask('tenon-get-time-status')['samples'] - samples
    note(f'{after - before} wakeups and {looks} looks in {took:.0f} s')
    check(looks >= took / 12 - 1, f'{looks} looks in {took:.0f} s')
    check(after - before <= took / 10 + 2, f'{after - before} wakeups in {took:.0f} s')
