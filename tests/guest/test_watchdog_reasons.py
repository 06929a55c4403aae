# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 the Tenon developers
"""Why an i6300esb has reset the machine, in the micro guest: its state is on a disk, so that it survives the reset.

The tests build on each other in the order of the file: each makes the watchdog fire, and the next one begins with
the boot after it.
"""

import os

from cases import check, equal, note, shared, test
from herd import ERST, MicroDog
from qmp import Qmp
from watchdogs import TIMEOUT


@shared
def dog():
    """A guest with the device, and a store for the kernel's last words."""
    return MicroDog('i6300esb', ['-device', 'i6300esb', *ERST])


@test(timeout=900)
def critical_check_starves_it():
    dog().gate(True)
    dog().quiet(TIMEOUT)
    host = Qmp(os.path.join(dog().guest.folder, 'qmp0.sock'))
    dog().gate(False, 'the disk is full')
    event = host.wait_event('WATCHDOG_CHANGED', TIMEOUT)
    equal((event['data']['state'], event['data']['reason']), ('starving', 'the disk is full'), 'event to the host')
    host.close()
    told = dog().after_reset()
    last = told['last-reset']
    equal((last['cause'], last['reason'], last['this-boot']), ('starved', 'the disk is full', True), 'the last reset')
    equal(told['resets'], 1, 'counted resets')
    host = Qmp(os.path.join(dog().guest.folder, 'qmp0.sock'))
    equal(host.wait_event('AGENT_STARTED', 20)['data']['last-reset']['reason'], 'the disk is full', 'AGENT_STARTED')
    host.close()


@test(timeout=900)
def blocked_main_loop_fires_it():
    dog().guest.port.order('test-block', {'seconds': 100})
    told = dog().after_reset()
    equal((told['last-reset']['cause'], told['resets']), ('hang', 2), 'cause and counted resets')


@test(timeout=900)
def stopped_agent_fires_it_and_the_brake_is_on():
    dog().guest.run('kill -STOP $(pidof tenond)')
    told = dog().after_reset()
    equal((told['last-reset']['cause'], told['resets']), ('hang', 3), 'cause and counted resets')
    equal(told['brake']['resets'], 3, 'resets that put the brake on')
    dog().gate(False, 'the disk is full')
    dog().quiet(TIMEOUT + 4)
    equal(dog().told()['state'], 'fed', 'state under the brake')
    dog().gate(True)
    dog().guest.run('tenonctl --socket /run/tenon/control.sock watchdog arm')
    check('brake' not in dog().told(), 'tenonctl watchdog arm does not release the brake')


@test(timeout=900)
def test_of_an_administrator_fires_it():
    dog().guest.run('tenonctl --socket /run/tenon/control.sock watchdog test --yes', 60)
    told = dog().after_reset()
    equal((told['last-reset']['cause'], told['resets']), ('test', 4), 'cause and resets')
    check('brake' not in told, 'a test counts for the brake')


@test(timeout=900)
def crashed_kernel_fires_it():
    dog().crash()
    last = dog().after_reset()['last-reset']
    equal(last['cause'], 'panic', f'cause ({last["reason"]})')
    check('Kernel panic - not syncing' in last['reason'], f'the kernel\'s last words: {last["reason"]}')
    note(last['reason'])
