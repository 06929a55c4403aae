# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 the Tenon developers
"""The other watchdogs of QEMU, systemd's chain, and sleep: TENON_WATCHDOGS=all, or a list of the names in TESTS.

Each name is one test and takes two to three minutes.
"""

import time

import agent
from cases import check, equal, note, shared, test
from watchdogs import TIMEOUT, Watched, chosen


def lives(dog):
    """Fed it does not fire; nor when the agent is killed, nor when the machine is paused."""
    dog.quiet(3 * TIMEOUT)
    told = dog.told()
    note(f"{told['identity']}: fed {told['feed']['count']} times, longest gap {told['feed']['longest-gap-ms']} ms")
    before = agent.pid(dog.guest)
    dog.guest.run(f'kill -9 {before}')
    dog.wait_state('fed')
    check(agent.pid(dog.guest) != before, 'the agent is still the same process')
    dog.quiet(TIMEOUT + 4)
    dog.guest.qmp('stop')
    time.sleep(2 * TIMEOUT + 4)
    dog.guest.qmp('cont')
    dog.quiet(TIMEOUT + 4)


def dies(dog, cause):
    """It fires when the agent is stopped, and the cause is told after the reset."""
    dog.stall()
    note(f'agent stopped: fired {dog.fires():.1f} s later')
    note(dog.cause(cause))


@shared
def q35():
    """A guest with all that a q35 can have: one device is used after the other."""
    return Watched('iTCO_wdt', ['-device', 'i6300esb', '-global', 'ICH9-LPC.noreboot=false',
                                '-global', 'ICH9-LPC.disable_s3=0'])


def ib700():
    """An ISA card with a driver that is older than the class in sysfs."""
    with Watched('ib700wdt', ['-device', 'ib700'], machine='pc') as dog:
        lives(dog)
        dies(dog, 'unknown')
        dog.crash()
        note(f'kernel crashed: fired {dog.fires():.1f} s later')
        dog.cause('unknown')


def tco():
    """The chipset's, with the strap cleared by the host."""
    dog = q35()
    dog.use('iTCO_wdt')
    lives(dog)
    equal(dog.told()['resets-after-seconds'], 2 * TIMEOUT, 'resets-after-seconds')
    dies(dog, 'unknown')
    dog.crash()
    note(f'kernel crashed: fired {dog.fires():.1f} s later')
    dog.cause('unknown')


def softdog():
    """The last resort: it must say so."""
    dog = q35()
    dog.use('softdog', fires=False)
    check('last resort' in dog.told()['last-resort'], 'it does not say that it is a last resort')
    lives(dog)
    dies(dog, 'unknown')


def sleep():
    """The watchdog stops while the machine sleeps, and is armed after it."""
    dog = q35()
    dog.use('i6300esb')
    dog.guest.run('(sleep 1; systemctl suspend) >/dev/null 2>&1 &')
    dog.guest.wait_event('SUSPEND', 30)
    dog.quiet(3 * TIMEOUT)
    dog.guest.qmp('system_wakeup')
    dog.guest.wait_event('WAKEUP', 20)
    dog.wait_state('fed')
    check(dog.active(), 'the device is not armed after the sleep')
    dies(dog, 'hang')


def systemd():
    """No device: systemd reboots when it is not told that the guest is healthy."""
    dog = q35()
    dog.use('softdog', fires=False)
    dog.configure(mode='systemd')
    dog.guest.run('mkdir -p /etc/systemd/system/tenond.service.d; printf "[Unit]\\nFailureAction=reboot-force\\n'
                  f'[Service]\\nWatchdogSec={TIMEOUT}s\\nRestart=no\\n" > /etc/systemd/system/tenond.service.d/dog.conf; '
                  'systemctl daemon-reload')
    dog.restart()
    check('systemd watches the agent' in dog.wait_state('fed')['reason'], 'the reason does not tell of systemd')
    check(not dog.active(), 'a device is armed')
    dog.quiet(3 * TIMEOUT)
    dog.sync()
    dog.guest.ask('test-gate', feed=False, reason='the disk is full')
    note(f'systemd rebooted {dog.fires():.1f} s later')
    dog.comes_back()


TESTS = {'ib700': ib700, 'tco': tco, 'softdog': softdog, 'sleep': sleep, 'systemd': systemd}


def add(name, function):
    """One test for a row that was asked for."""
    def run():
        function()
    run.__name__ = f'watchdog_{name}'
    run.__module__ = __name__
    test(run, timeout=900)


for row in TESTS.items():
    if chosen(row[0]):
        add(*row)
