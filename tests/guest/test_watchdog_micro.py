# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 the Tenon developers
"""Each watchdog of QEMU in the micro guest, without systemd: fed it does not fire, hanging it does. By hand, for each
takes two minutes: TENON_WATCHDOGS=all, or a list of the names in ROWS.

What needs systemd (restart, upgrade, the store for descriptors) is in test_watchdog.py and test_watchdog_devices.py.
"""

import os

import agent
import devices
import machine
from cases import Skip, equal, note, test
from watchdogs import TIMEOUT, chosen

# Name: driver, identity, QEMU's arguments, machine, event when it fires, event when the kernel crashes, cause.
ROWS = {
    'i6300esb': ('i6300esb', 'i6300ESB timer', ['-device', 'i6300esb'], 'q35', 'WATCHDOG', True, 'hang'),
    'ib700': ('ib700wdt', 'IB700 WDT', ['-device', 'ib700'], 'pc', 'WATCHDOG', True, None),
    'tco': ('iTCO_wdt', 'iTCO_wdt', ['-global', 'ICH9-LPC.noreboot=false'], 'q35', 'WATCHDOG', True, None),
    'softdog': ('softdog', 'Software Watchdog', [], 'q35', 'RESET', False, None),
}
MODULES = {'tco': ('lpc_ich', 'iTCO_wdt')}


def start(guest):
    """Start the agent and wait until it has armed the device; what it says."""
    agent.start(guest)
    guest.port.wait_agent(60)
    told = guest.ask('tenon-get-watchdog')
    equal(told['state'], 'fed', f'state ({told.get("reason")})')
    return told


def quiet(guest, event, seconds):
    """For so long it must not fire."""
    try:
        found = guest.wait_event(event, seconds)
    except TimeoutError:
        return
    raise AssertionError(f'the watchdog fired: {found}')


def lives(guest, event):
    """Fed, paused by the host, and stopped in order it does not fire."""
    quiet(guest, event, 3 * TIMEOUT)
    guest.qmp('stop')
    quiet(guest, event, 2 * TIMEOUT + 4)
    guest.qmp('cont')
    quiet(guest, event, TIMEOUT + 4)
    feed = guest.ask('tenon-get-watchdog')['feed']
    note(f"fed {feed['count']} times, longest gap {feed['longest-gap-ms']} ms")
    guest.run('kill $(pidof tenond); while pidof tenond; do sleep 0.2; done')
    quiet(guest, event, 2 * TIMEOUT + 4)


def fires(guest, event):
    """It must fire; afterwards the guest is there again."""
    guest.wait_event(event, 3 * TIMEOUT + 30)
    guest.console.wait_ready(120)
    guest.port.close()


def add(name, row):
    """One test for each row."""
    driver, identity, arguments, kind, event, outlives_kernel, cause = row

    def run():
        config = f'[watchdog]\nmode=own\ndevice={driver}\ntimeout-seconds={TIMEOUT}\n'.encode()
        files = {**agent.micro_files(), '/etc/tenond.conf': agent.CONFIG + config}
        modules = (*agent.MODULES, *MODULES.get(name, (driver,)))
        with machine.boot_micro(files, modules, [*devices.virtio_serial(), *devices.port(), *arguments,
                                                 '-action', 'watchdog=reset'], machine=kind, timeout=180) as guest:
            guest.tell_more = lambda: agent.tell_log(guest)
            told = start(guest)
            equal(told['identity'], identity, 'the device')
            equal('last-resort' in told, name == 'softdog', 'whether it says that it is a last resort')
            lives(guest, event)
            start(guest)
            guest.run('kill -STOP $(pidof tenond)')
            fires(guest, event)
            equal(start(guest).get('last-reset', {}).get('cause'), cause, 'cause after the reset')
            if outlives_kernel:
                guest.run('echo 0 >/proc/sys/kernel/panic; echo 1 >/proc/sys/kernel/sysrq; '
                          '(sleep 1; echo c >/proc/sysrq-trigger) >/dev/null 2>&1 &')
                fires(guest, event)
    run.__name__ = f'watchdog_{name}'
    run.__module__ = __name__
    test(run, timeout=900)


for each in ROWS.items():
    if chosen(each[0]):
        add(*each)


@test
def devices_that_were_not_asked_for():
    if not os.environ.get('TENON_WATCHDOGS'):
        raise Skip('each takes minutes; TENON_WATCHDOGS=all, or a list of them, runs them')
