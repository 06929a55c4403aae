# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 the Tenon developers
"""The other watchdogs of QEMU in Debian guests under the shipped unit: the agent is killed, its package is installed
again, systemd owns the device, and none fires.

One guest for each device, all of them at the same time. Sysfs' state is sampled all the time, and where the driver
is too old for that (ib700) the calls by which it stops its device are counted. When they fire is in
test_watchdog_micro.py, and with TENON_WATCHDOGS=fire here, too; the i6300esb is in test_watchdog.py.
"""

import agent
from cases import check, equal, note, shared, test
from herd import ERST, Herd
from watchdogs import TIMEOUT, Watched, on_request


@shared
def herd():
    """The guests."""
    small = {'memory': 640, 'patience': 600}
    return Herd([
        lambda: Watched('ib700wdt', ['-device', 'ib700'], machine='pc', in_sysfs=False, **small),
        lambda: Watched('iTCO_wdt', ['-global', 'ICH9-LPC.noreboot=false', *ERST], **small),
        lambda: Watched('softdog', [], fires=False, **small),
    ])


@test(timeout=1200)
def killed_agents_come_back_in_time():
    herd().each(Watched.kill_agent)  # whether it is still fed shows in the next test, too, which takes longer than the timeout


@test(timeout=1200)
def upgrade_never_disarms_them():
    def upgrade(dog):
        dog.sampled(lambda: agent.install(dog.guest))
        dog.wait_state('fed', 90)
    herd().each(upgrade)
    herd().quiet(2 * TIMEOUT + 4)


@test(timeout=1200)
def those_of_systemd_are_not_touched():
    def leave(dog):
        node = dog.leave_to_systemd()
        dog.quiet(2 * TIMEOUT + 4)
        if dog.in_sysfs:
            equal(dog.guest.run(f'cat /sys/class/watchdog/{node}/timeout'), '20', 'timeout that systemd has set')
        told = dog.told()
        equal((dog.kind, told['state']), (dog.kind, 'foreign'), 'state after a while')
        check(told['systemd']['last-ping-seconds-ago'] <= 20, f'the last ping of systemd: {told["systemd"]}')
        dog.take_from_systemd()
    herd().each(leave)


def fired(dog, what, cause='unknown'):
    """It fires, and the next boot tells the cause."""
    note(f'{dog.kind}: {what}, fired {dog.fires():.1f} s later')
    return dog.cause(cause)


@test(timeout=2400)
def stopped_agents_fire_them():
    on_request('fire')

    def stop(dog):
        dog.stall()
        fired(dog, 'agent stopped')
    herd().each(stop)


@test(timeout=2400)
def blocked_main_loops_fire_them():
    on_request('fire')

    def block(dog):
        dog.sync()
        dog.guest.port.order('test-block', {'seconds': 200})
        fired(dog, 'main loop blocked')
    herd().each(block)


@test(timeout=2400)
def crashed_kernels_fire_all_but_softdog():
    on_request('fire')  # the last one, for the guest of softdog stays as it is

    def crash(dog):
        dog.crash()
        if dog.kind == 'softdog':
            dog.quiet(3 * TIMEOUT)
        else:
            said = fired(dog, 'kernel crashed', 'panic' if dog.kind == 'iTCO_wdt' else 'unknown')
            note(f'{dog.kind}: {said}')
    herd().each(crash)
