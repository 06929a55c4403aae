# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 the Tenon developers
"""The clock of a guest that stands still: stopped and continued, restored from a snapshot.

The judge is this machine's own clock: tenon-time-exchange is asked from here, and the offset is known to half of
the fastest exchange. The guest has no network and no time daemon, and the host does nothing for its clock.
"""

import os
import time

import agent
from cases import check, equal, note, shared, test

# Tests of minutes want TENON_LONG=1.
PAUSES = (10, 60, 600) if os.environ.get('TENON_LONG') else (10,)


@shared
def guest():
    """One guest for all tests of this file."""
    booted = agent.boot_micro()
    wait_located(booted)
    return booted


def offset(machine, rounds=16):
    """(how far the guest's clock is behind ours, the bound of that) in seconds."""
    best = None
    for _ in range(rounds):
        asked = time.time_ns()
        times = machine.ask('tenon-time-exchange')
        answered = time.time_ns()
        inside = times['replied'] - times['received']
        error = (answered - asked - inside) / 2e9
        value = (asked + (answered - asked) / 2 - times['received'] - inside / 2) / 1e9
        if best is None or error < best[1]:
            best = (value, error)
    return best


def wait_located(machine):
    """Until the keeper knows the hardware clock."""
    for _ in range(100):
        if machine.ask('tenon-get-time-status')['source']:
            return
        time.sleep(0.2)
    raise AssertionError(f'no source: {machine.ask("tenon-get-time-status")}')


def follow_host(machine):
    """Put the guest's clock right once, as tenon-host time --set does."""
    value, error = offset(machine)
    machine.ask('tenon-time-adjust', offset=int(value * 1e9), error=int(error * 1e9),
                epoch=machine.ask('tenon-time-exchange')['epoch'], step=True)


@test
def host_sets_the_clock_to_a_millisecond():
    follow_host(guest())
    value, error = offset(guest())
    note(f'the guest is {value * 1e3:.3f} ms behind, ±{error * 1e3:.3f} ms')
    check(abs(value) < 0.001 + error, f'the clock is off by {value} s, ±{error} s')


@test
def pause_is_made_up_for_without_network_and_host():
    follow_host(guest())
    for pause in PAUSES:
        before = guest().ask('tenon-get-time-status')['jumps']
        guest().qmp('stop')
        time.sleep(pause)
        guest().qmp('cont')
        begin = time.monotonic()
        behind = offset(guest(), 4)[0]
        check(abs(behind - pause) < 1, f'right after {pause} s of standing still the clock is {behind} s behind')
        while guest().ask('tenon-get-time-status')['jumps'] == before and time.monotonic() < begin + 30:
            time.sleep(0.25)
        took = time.monotonic() - begin
        value, error = offset(guest())
        note(f'{pause} s: put right within {took:.1f} s to {value * 1e3:.1f} ms, ±{error * 1e3:.2f} ms')
        check(abs(value) < 0.05, f'{value} s off after a pause of {pause} s')
        check(took < 15, f'it took {took} s')


@test
def status_tells_what_happened():
    status = guest().ask('tenon-get-time-status')
    equal(status['owner'], 'tenon', 'owner of the clock')
    equal(status['mode'], 'discipline', 'mode')
    equal(status['source'], 'rtc', 'source')
    equal(status['last-jump']['outcome'], 'stepped', 'outcome of the last jump')
    check('kept by tenon' in guest().run('tenonctl --socket /run/tenon/control.sock time'), 'tenonctl time')
