# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 the Tenon developers
"""The clock of a guest that stands still: stopped and continued, restored from a snapshot.

The judge is this machine's own clock: tenon-time-exchange is asked from here, and the offset is known to half of
the fastest exchange. The guest has no network and no time daemon, and the host does nothing for its clock.
"""

import os
import time

import agent
import machine
import procs
from cases import check, equal, note, shared, test

# Tests of minutes want TENON_LONG=1.
PAUSES = (10, 60, 600) if os.environ.get('TENON_LONG') else (10,)


@shared
def guest():
    """One guest for all tests of this file; its disk, which nobody reads, can hold a snapshot."""
    folder = procs.temp_dir()
    procs.run(['qemu-img', 'create', '-q', '-f', 'qcow2', os.path.join(folder, 'snapshots.qcow2'), '1G'])
    booted = agent.boot_micro(extra=['-drive', f'file={folder}/snapshots.qcow2,format=qcow2,if=virtio'])
    wait_located(booted)
    return booted


def offset(where, rounds=16):
    """(how far the guest's clock is behind ours, the bound of that) in seconds."""
    best = None
    for _ in range(rounds):
        asked = time.time_ns()
        times = where.ask('tenon-time-exchange')
        answered = time.time_ns()
        inside = times['replied'] - times['received']
        error = (answered - asked - inside) / 2e9
        value = (asked + (answered - asked) / 2 - times['received'] - inside / 2) / 1e9
        if best is None or error < best[1]:
            best = (value, error)
    return best


def wait_located(where):
    """Until the keeper knows the hardware clock."""
    procs.wait_for(lambda: where.ask('tenon-get-time-status')['source'], 60, 'the hardware clock to be located')


def follow_host(where):
    """Put the guest's clock right once, as tenon-host time --set does."""
    value, error = offset(where)
    where.ask('tenon-time-adjust', offset=int(value * 1e9), error=int(error * 1e9),
                epoch=where.ask('tenon-time-exchange')['epoch'], step=True)


@test
def host_sets_the_clock_to_a_millisecond():
    follow_host(guest())
    value, error = offset(guest())
    note(f'the guest is {value * 1e3:.3f} ms behind, ±{error * 1e3:.3f} ms')
    check(abs(value) < 0.001 + error, f'the clock is off by {value} s, ±{error} s')


def check_made_up(where, jumps, behind, what):
    """The clock, which had made that many jumps and is now so many seconds behind, must be right again soon."""
    begin = time.monotonic()

    def is_right():
        return where.ask('tenon-get-time-status')['jumps'] > jumps and abs(offset(where, 2)[0]) < 0.05
    try:
        procs.wait_for(is_right, 60, f'the clock to be put right after {what}')
    except TimeoutError as error:
        raise AssertionError(f'{error}: {offset(where)[0]} s off, {where.ask("tenon-get-time-status")}') from error
    took = time.monotonic() - begin
    value, error = offset(where)
    note(f'{what}: put right within {took:.1f} s to {value * 1e3:.1f} ms, ±{error * 1e3:.2f} ms')
    check(abs(value) < 0.05, f'{value} s off after {what}')
    last = where.ask('tenon-get-time-status')['last-jump']
    equal(last['outcome'], 'stepped', f'outcome of {what}')
    check(behind[0] - 0.1 < last['behind'] / 1e9 < behind[1] + 0.1,
          f'after {what} the clock was {last["behind"] / 1e9} s behind, and not {behind[0]} to {behind[1]}')


def jumps_of(where):
    """How often the clock was found to have jumped."""
    return where.ask('tenon-get-time-status')['jumps']


def stand_still(where, seconds, meanwhile=lambda: None):
    """Stop the guest for at least so long; for how long it was at most."""
    begin = time.monotonic()
    where.qmp('stop')
    meanwhile()
    time.sleep(seconds)
    where.qmp('cont')
    return time.monotonic() - begin


@test(timeout=900)
def pause_is_made_up_for_without_network_and_host():
    for pause in PAUSES:
        follow_host(guest())
        jumps = jumps_of(guest())
        most = stand_still(guest(), pause)
        check_made_up(guest(), jumps, (pause, most), f'a pause of {pause} s')


@test(timeout=240)
def restored_snapshot_is_made_up_for():
    """The emulated time stamp counter is not set back with the rest: what the guest loses is about the time it
    stood still."""
    def load():
        answer = guest().qmp('human-monitor-command', command_line='loadvm here')
        equal(answer, '', 'answer to loadvm')
    follow_host(guest())
    jumps = jumps_of(guest())
    begin = time.monotonic()
    guest().qmp('human-monitor-command', command_line='savevm here')
    time.sleep(8)
    stand_still(guest(), 2.3, load)
    most = time.monotonic() - begin
    guest().port.close()
    guest().port.wait_agent(60)
    check_made_up(guest(), jumps, (2.3, most), 'loadvm')


@test(timeout=240)
def migrated_guest_is_made_up_for():
    source = agent.boot_micro()
    try:
        wait_located(source)
        follow_host(source)
        jumps = jumps_of(source)
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


@test
def status_tells_what_happened():
    jumps = jumps_of(guest())
    stand_still(guest(), 1.4)
    procs.wait_for(lambda: jumps_of(guest()) > jumps, 60, 'the pause to be noticed')
    status = guest().ask('tenon-get-time-status')
    equal(status['owner'], 'tenon', 'owner of the clock')
    equal(status['mode'], 'discipline', 'mode')
    equal(status['source'], 'rtc', 'source')
    equal(status['last-jump']['outcome'], 'stepped', 'outcome of the last jump')
    check('kept by tenon' in guest().run('tenonctl --socket /run/tenon/control.sock time'), 'tenonctl time')
