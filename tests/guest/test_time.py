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
    for _ in range(100):
        if where.ask('tenon-get-time-status')['source']:
            return
        time.sleep(0.2)
    raise AssertionError(f'no source: {where.ask("tenon-get-time-status")}')


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


def check_made_up(where, behind, what):
    """The clock, now that much behind, must be right again soon."""
    begin = time.monotonic()
    found = offset(where, 4)[0]
    check(behind is None or abs(found - behind) < 2, f'right after {what} the clock is {found} s behind')
    while abs(offset(where, 2)[0]) > 0.05 and time.monotonic() < begin + 30:
        time.sleep(0.25)
    took = time.monotonic() - begin
    value, error = offset(where)
    note(f'{what}: put right within {took:.1f} s to {value * 1e3:.1f} ms, ±{error * 1e3:.2f} ms')
    check(abs(value) < 0.05, f'{value} s off after {what}')
    check(took < 20, f'{what}: it took {took} s')  # 15 on a machine that is not busy


@test(timeout=900)
def pause_is_made_up_for_without_network_and_host():
    follow_host(guest())
    for pause in PAUSES:
        guest().qmp('stop')
        time.sleep(pause)
        guest().qmp('cont')
        check_made_up(guest(), pause, f'a pause of {pause} s')


@test
def restored_snapshot_is_made_up_for():
    follow_host(guest())
    guest().qmp('human-monitor-command', command_line='savevm here')
    time.sleep(8)
    answer = guest().qmp('human-monitor-command', command_line='loadvm here')
    equal(answer, '', 'answer to loadvm')
    guest().port.close()
    guest().port.wait_agent(20)
    check_made_up(guest(), None, 'loadvm')  # the emulated time stamp counter is not set back with the rest


@test
def migrated_guest_is_made_up_for():
    source = agent.boot_micro()
    try:
        wait_located(source)
        follow_host(source)
        target = machine.incoming(source)
        try:
            source.qmp('stop')  # so that it stands still for a time that is known
            begin = time.monotonic()
            time.sleep(5)
            source.qmp('migrate', uri=f'unix:{target.folder}/incoming.sock')
            while source.qmp('query-migrate').get('status') in ('setup', 'active', 'device'):
                time.sleep(0.2)
            target.qmp('cont')
            target.port.wait_agent(20)
            check_made_up(target, time.monotonic() - begin, 'a migration')
        finally:
            target.close()
    finally:
        source.close()


@test
def status_tells_what_happened():
    status = guest().ask('tenon-get-time-status')
    equal(status['owner'], 'tenon', 'owner of the clock')
    equal(status['mode'], 'discipline', 'mode')
    equal(status['source'], 'rtc', 'source')
    equal(status['last-jump']['outcome'], 'stepped', 'outcome of the last jump')
    check('kept by tenon' in guest().run('tenonctl --socket /run/tenon/control.sock time'), 'tenonctl time')
