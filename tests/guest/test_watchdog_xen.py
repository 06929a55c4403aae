# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 the Tenon developers
"""Xen's own watchdog in a real domain: Debian with systemd as a PV domain under a dom0, under Xen, under QEMU. With
TENON_LONG=1 only. The tests build on each other in the order of the file.
"""

import os
import time

from cases import Skip, check, equal, note, shared, test
from watchdogs import TIMEOUT
from xendog import XenDog


@shared
def dog():
    """The domain."""
    if os.environ.get('TENON_LONG') != '1':
        raise Skip('takes minutes; TENON_LONG=1 runs it')
    return XenDog()


@test(timeout=2400)
def fed_for_three_timeouts_it_does_not_fire():
    check(dog().active(), 'sysfs says that the device is not armed')
    dog().quiet(3 * TIMEOUT)
    told = dog().told()
    equal((told['device'], told['identity'], told['timeout-seconds']), ('watchdog0', 'xen_wdt', TIMEOUT), 'the device')
    note(f"fed {told['feed']['count']} times, longest gap {told['feed']['longest-gap-ms']} ms")


@test(timeout=2400)
def killed_agent_comes_back_and_it_does_not_fire():
    dog().survive_a_kill()


@test(timeout=2400)
def upgrade_never_disarms_it():
    dog().sampled(dog().install)
    dog().wait_state('fed')
    dog().quiet(TIMEOUT + 4)


@test(timeout=2400)
def pause_of_the_host_does_not_fire_it():
    dog().guest.host.qmp('stop')
    time.sleep(2 * TIMEOUT)
    dog().guest.host.qmp('cont')
    dog().quiet(TIMEOUT + 4)
    equal(dog().wait_state('fed')['state'], 'fed', 'state after the pause')


@test(timeout=2400)
def one_of_systemd_is_not_touched():
    dog().leave_to_systemd()
    dog().quiet(2 * TIMEOUT + 4)
    equal(dog().guest.run('cat /sys/class/watchdog/watchdog0/timeout'), '20', 'timeout that systemd has set')
    equal(dog().told()['state'], 'foreign', 'state after a while')
    dog().take_from_systemd()


@test(timeout=2400)
def critical_check_starves_it_and_the_reason_is_found():
    dog().sync()
    dog().guest.ask('test-gate', feed=False, reason='the disk is full')
    note(f'starved: fired {dog().fires():.1f} s later')
    equal(dog().cause('starved'), 'the disk is full', 'reason after the reset')


@test(timeout=2400)
def blocked_main_loop_fires_it():
    dog().sync()
    dog().guest.order('test-block', seconds=200)
    note(f'main loop blocked: fired {dog().fires():.1f} s later')
    dog().cause('unknown')


@test(timeout=2400)
def stopped_agent_fires_it():
    dog().stall()
    note(f'agent stopped: fired {dog().fires():.1f} s later')
    dog().cause('unknown')


@test(timeout=2400)
def pause_of_the_domain_fires_it():
    # Xen counts on for a domain that xl has paused, and a guest can do nothing about it: docs/watchdog.md says so.
    dog().sync()
    dog().guest.host.run('xl pause guest')
    note(f'domain paused: fired {dog().fires():.1f} s later')
    dog().cause('unknown')


@test(timeout=2400)
def crashed_kernel_fires_it():
    # With kernel.panic=0 a domain tells Xen of the crash itself, at once.
    dog().sync()
    dog().guest.run('sysctl -q kernel.panic=600 kernel.sysrq=1')
    dog().guest.run('(sleep 1; echo c >/proc/sysrq-trigger) >/dev/null 2>&1 &')
    note(f'kernel crashed: fired {dog().fires():.1f} s later')
    dog().cause('unknown')
