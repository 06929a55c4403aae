# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 the Tenon developers
"""The clock of a guest that stands still: stopped and continued, restored from a snapshot.

The judge is this machine's own clock: tenon-time-exchange is asked from here, and the offset is known to half of
the fastest exchange. The guest has no network and no time daemon, and the host does nothing for its clock.
"""

import os
import time

import agent
import clocks
import machine
import procs
from cases import Skip, check, equal, note, shared, test

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
    if not LONG:
        raise Skip('counts the late timers of a busy machine; TENON_LONG=1 runs it')
    clocks.follow_host(guest())
    time.sleep(12)
    before = agent.switches(guest())
    time.sleep(110)
    count = agent.switches(guest()) - before
    note(f'{count} wakeups in 110 s')
    check(count <= 22, f'{count} wakeups in 110 s')  # 11 where timers are never late by much
