# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 the Tenon developers
"""Beside chrony, with strace(1) on the agent: it looks at the clock and never changes it, and asks chrony to step once.

chrony's server is a stand-in on this machine, behind a user network of QEMU's. chrony may step the clock by itself at its
start only, so that a later step was asked for.
"""

import time

import agent
import clocks
import devices
import machine
import peers
import procs
from cases import check, equal, note, shared, test

PAUSE = 12
NEAR = 0.5  # seconds; how well chrony knows the time after a jump is chrony's affair


@shared
def guest():
    """A guest with a synchronised chrony, and everything else there, but not started."""
    root = peers.unpack(*peers.CHRONY, 'strace', 'libunwind8')
    files = {**agent.micro_files(), **peers.chrony_files(root, 'makestep 1 1'), **peers.files(root, '/usr/bin/strace')}
    booted = machine.boot_micro(files, [*agent.MODULES, 'virtio_net'],
                                [*devices.virtio_serial(), *devices.port(), *peers.NET], timeout=300)
    booted.tell_more = lambda: booted.sh('tail -5 /run/chronyd.log; tail -15 /run/tenond.log; tail -5 /run/trace')[1]
    peers.start_chrony(booted)
    return booted


def start(mode):
    """The agent, anew, in that mode, with strace on it, and the hardware clock located."""
    guest().sh('kill $(pidof tenond); while pidof tenond; do sleep 0.1; done')
    guest().run(f"printf '[timesync]\\nmode={mode}\\n' >>/etc/tenond.conf")
    agent.start(guest())
    guest().port.close()
    guest().port.wait_agent(60)
    clocks.trace(guest())
    clocks.wait_located(guest())


def wait_jump():
    """Until a jump was found; what became of it."""
    procs.wait_for(lambda: clocks.jumps_of(guest()) > 0, 90, 'the pause to be noticed')
    return guest().ask('tenon-get-time-status')['last-jump']


def steps():
    """How often chrony has told that it stepped the clock."""
    return guest().run('cat /run/chronyd.log').count('System clock was stepped by 1')  # of 12 s; less is no jump


@test(timeout=600)
def observe_beside_chrony_changes_nothing():
    start('auto')
    status = guest().ask('tenon-get-time-status')
    equal((status['owner'], status['mode'], status['jumps']), ('chronyd', 'observe', 0), 'owner, mode and jumps')
    clocks.stand_still(guest(), PAUSE)
    jump = wait_jump()
    equal(jump['outcome'], 'reported only', 'what became of the jump')
    check(abs(jump['behind'] / 1e9 - PAUSE) < 5, f'the jump is told as {jump}')
    check('kept by chronyd, mode observe' in guest().run('tenonctl --socket /run/tenon/control.sock time || true'),
          'tenonctl time names the owner')
    clocks.check_untouched(guest())


@test(timeout=600)
def assist_asks_chrony_to_step_once():
    # chrony anew: what it measured across the pause of another test bends its idea of the clock for long.
    guest().run('kill $(pidof chronyd); while pidof chronyd >/dev/null; do sleep 0.1; done')
    peers.start_chrony(guest())
    start('assist')
    procs.wait_for(lambda: abs(clocks.offset(guest())[0]) < NEAR, 60, 'the clock to be right')
    equal(guest().ask('tenon-get-time-status')['mode'], 'assist', 'mode')
    before = steps()
    clocks.stand_still(guest(), PAUSE)
    equal(wait_jump()['outcome'], 'the daemon is asked to step it', 'what became of the jump')
    begin = time.monotonic()
    procs.wait_for(lambda: abs(clocks.offset(guest(), 4)[0]) < NEAR, 90, 'chrony to step the clock')
    note(f'within {NEAR} s again {time.monotonic() - begin:.1f} s after the jump was noticed')
    time.sleep(25)  # two more looks, which must not ask again
    equal(steps() - before, 1, 'steps that chrony tells of')
    equal(clocks.jumps_of(guest()), 1, 'jumps')
    check(abs(clocks.offset(guest())[0]) < NEAR, 'the clock stays right')
    check(peers.SYNCHRONISED in guest().run('chronyc -n tracking'), 'chrony stays synchronised')
    clocks.check_untouched(guest())
