# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 the Tenon developers
"""The other watchdogs of QEMU in micro guests, without systemd: when each must fire, when not, and what is told after it.

One guest for each device, all of them at the same time. The tests build on each other in the order of the file. What
needs systemd (restart, upgrade, the store for descriptors) is in test_watchdog_devices.py, the i6300esb in
test_watchdog.py and test_watchdog_reasons.py.
"""

import time

from cases import equal, note, shared, test
from herd import ERST, Herd, MicroDog
from watchdogs import TIMEOUT

IDENTITIES = {'ib700wdt': 'IB700 WDT', 'iTCO_wdt': 'iTCO_wdt', 'softdog': 'Software Watchdog'}


@shared
def herd():
    """The guests. What a q35 said when its kernel panicked outlives the reset."""
    return Herd([
        lambda: MicroDog('ib700wdt', ['-device', 'ib700'], machine='pc'),
        lambda: MicroDog('iTCO_wdt', ['-global', 'ICH9-LPC.noreboot=false', *ERST], modules=['lpc_ich', 'iTCO_wdt']),
        lambda: MicroDog('softdog', ERST, fires=False),
    ])


def fire(what, wanted, dogs=None):
    """All of them fire; the causes that are told, by driver."""
    told = dict(herd().each(lambda dog: (dog.kind, dog.after_reset(what)['last-reset']), dogs))
    equal({kind: last['cause'] for kind, last in told.items()}, wanted, 'causes of the resets')
    return told


@test(timeout=900)
def pause_of_the_machines_fires_none():
    herd().each(lambda dog: dog.guest.qmp('stop'))
    time.sleep(2 * TIMEOUT + 4)  # an iTCO fires at twice its timeout
    herd().each(lambda dog: dog.guest.qmp('cont'))
    herd().quiet(TIMEOUT / 2)


@test(timeout=900)
def fed_for_three_timeouts_none_fires():
    herd().quiet(3 * TIMEOUT)
    for dog, told in zip(herd().dogs, herd().each(lambda dog: dog.told())):
        feed = told['feed']
        note(f"{told['identity']}: fed {feed['count']} times, longest gap {feed['longest-gap-ms']} ms")
        equal(told['identity'], IDENTITIES[dog.kind], 'the device')
        equal('last-resort' in told, dog.kind == 'softdog', 'whether it says that it is a last resort')
        equal(told.get('resets-after-seconds'), 2 * TIMEOUT if dog.kind == 'iTCO_wdt' else None, 'resets-after-seconds')


@test(timeout=900)
def agents_that_end_in_order_disarm_them():
    herd().each(lambda dog: dog.guest.run('kill $(pidof tenond); while pidof tenond; do sleep 0.2; done'))
    herd().quiet(2 * TIMEOUT + 4)
    herd().each(lambda dog: dog.start())


@test(timeout=900)
def critical_check_starves_them():
    herd().each(lambda dog: dog.gate(False, 'the disk is full'))
    told = fire('starved', dict.fromkeys(IDENTITIES, 'starved'))
    equal({last['reason'] for last in told.values()}, {'the disk is full'}, 'reason after the reset')


@test(timeout=900)
def blocked_main_loops_fire_them():
    herd().each(lambda dog: dog.guest.port.order('test-block', {'seconds': 200}))
    fire('main loop blocked', dict.fromkeys(IDENTITIES, 'unknown'))  # none of them tells that it did


@test(timeout=900)
def stopped_agents_fire_them():
    # A child of the agent's may be on its way out.
    herd().each(lambda dog: dog.guest.run('for pid in $(pidof tenond); do kill -STOP $pid || true; done'))
    fire('agent stopped', dict.fromkeys(IDENTITIES, 'unknown'))


@test(timeout=900)
def crashed_kernels_fire_all_but_softdog():
    herd().each(lambda dog: dog.crash())
    *others, softdog = herd().dogs
    told = fire('kernel crashed', {'ib700wdt': 'unknown', 'iTCO_wdt': 'panic'}, others)
    note(told['iTCO_wdt']['reason'])
    softdog.quiet(TIMEOUT)  # it is a part of the kernel that has crashed
