# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 the Tenon developers
"""The watchdog i6300esb in a Debian guest under the shipped unit: when it must fire, and when it must not.

The tests build on each other in the order of the file. The other reasons to fire are in test_watchdog_reasons.py, in a
guest that boots faster.
"""

import os
import time

import agent
from cases import check, equal, note, shared, test
from hostport import AgentError
from qmp import Qmp
from watchdogs import TIMEOUT, Watched


SCRIPT = '/etc/tenon/check-it'


@shared
def dog():
    """A guest with the watchdog, and the device by which a kernel tells of its panic."""
    return Watched('i6300esb', ['-device', 'i6300esb', '-device', 'pvpanic-pci'])


@test(timeout=900)
def fed_for_three_timeouts_it_does_not_fire():
    check(dog().active(), 'sysfs says that the device is not armed')
    dog().quiet(3 * TIMEOUT)
    told = dog().told()
    equal((told['identity'], told['timeout-seconds']), ('i6300ESB timer', TIMEOUT), 'the device')
    equal(dog().guest.run(f"cat /sys/class/watchdog/{told['device']}/identity"), told['identity'], 'identity in sysfs')
    note(f"fed {told['feed']['count']} times, longest gap {told['feed']['longest-gap-ms']} ms")
    equal(told['pvpanic'][0]['driver'], 'pvpanic-pci', 'driver of pvpanic')


@test(timeout=600)
def killed_agent_comes_back_and_it_does_not_fire():
    dog().survive_a_kill()


@test(timeout=600)
def restart_and_upgrade_never_disarm_it():
    dog().sampled(dog().restart)
    dog().sampled(lambda: agent.install(dog().guest))
    dog().wait_state('fed')
    said = dog().guest.run('journalctl -q -b -u tenond -o cat')
    check('SEGV' not in said and 'ABRT' not in said, f'the agent crashed when it was stopped: {said}')
    dog().quiet(TIMEOUT + 4)


@test(timeout=600)
def pause_of_the_machine_does_not_fire_it():
    dog().guest.qmp('stop')
    time.sleep(TIMEOUT + 4)
    dog().guest.qmp('cont')
    dog().quiet(TIMEOUT)


@test(timeout=600)
def administrator_disarms_and_arms_it():
    equal(dog().ctl('disarm')['state'], 'disarmed', 'state after tenonctl watchdog disarm')
    check(not dog().active(), 'the device is still armed')
    dog().restart()
    equal(dog().wait_state('disarmed')['state'], 'disarmed', 'state after a restart')
    equal(dog().ctl('arm')['state'], 'fed', 'state after tenonctl watchdog arm')
    check(dog().active(), 'the device is not armed')
    try:
        dog().guest.ask('tenon-watchdog-disarm')
    except AgentError as error:
        check('allow=tenon-watchdog-disarm' in str(error) or 'preset=open' in str(error), f'the refusal: {error}')
    else:
        raise AssertionError('the host may disarm the watchdog')


@test(timeout=600)
def stopped_service_is_disarmed():
    dog().guest.run('systemctl stop tenond')
    check(not dog().active(), 'the device is armed and nobody feeds it')
    dog().guest.run('systemctl start tenond')
    dog().wait_state('fed')


@test(timeout=600)
def test_that_is_called_off_does_not_fire_it():
    dog().guest.run('tenonctl watchdog test --yes', 90)
    equal(dog().told()['state'], 'starving', 'state during the test')
    equal(dog().guest.sh('tenonctl watchdog')[0], 1, 'exit status of tenonctl watchdog')
    equal(dog().ctl('arm')['state'], 'fed', 'state after it was called off')
    dog().quiet(TIMEOUT + 4)


@test(timeout=600)
def mistakes_neither_arm_nor_disarm_it():
    dog().configure(mode='sometimes')
    dog().sampled(dog().restart)
    check('mistake in the configuration' in dog().wait_state('fed')['reason'], 'the reason does not tell of it')
    dog().guest.run('systemctl stop tenond; systemctl start tenond')
    told = dog().wait_state('refused')
    check(not dog().active(), f'armed with an unknown mode: {told}')
    for settings, word in (({'timeout': 5000}, '1 to 2046 seconds'),
                           ({'extra': f'pretimeout-seconds={TIMEOUT}'}, 'less than the timeout')):
        dog().configure(**settings)
        dog().restart()
        told = dog().wait_state('refused')
        check(word in told['reason'], f'the reason: {told["reason"]}')
        check(not dog().active(), f'armed half-way: {told}')
    for settings, word in (('type=frobnicate', 'mistake in the configuration'),
                           (f'type=script\\npath={SCRIPT}\\nrequired=yes\\ninterval-ms=1000', f'{SCRIPT} is missing')):
        dog().configure(checks=f'[check it]\\n{settings}\\n')
        dog().restart()
        told = dog().wait_state('refused')
        check(word in told['reason'], f'the reason: {told["reason"]}')
        check(not dog().active(), f'armed with less than was asked for: {told}')
    dog().guest.run(f'printf "#!/bin/sh\\n" >{SCRIPT}; chmod 755 {SCRIPT}')
    dog().wait_state('fed', 60)
    dog().guest.run(f'rm {SCRIPT}')
    dog().sampled(dog().restart)
    check(f'{SCRIPT} is missing' in dog().wait_state('fed')['reason'], 'the reason does not tell of the script')
    dog().configure()
    dog().restart()
    dog().wait_state('fed')


@test(timeout=600)
def one_of_systemd_is_not_touched():
    node = dog().leave_to_systemd(60)
    equal(dog().guest.run(f'cat /sys/class/watchdog/{node}/timeout'), '60', 'timeout that systemd has set')
    systemd = dog().told()['systemd']
    check(systemd['last-ping-seconds-ago'] <= 60, f'the last ping of systemd: {systemd}')
    dog().take_from_systemd()


@test(timeout=600)
def one_of_another_program_is_not_touched():
    guest = dog().guest
    node = dog().node()
    older = '/dev/watchdog' if node == 'watchdog0' else f'/dev/{node}'  # the first one's other name
    guest.run('systemctl stop tenond')
    guest.run(f"(exec 3>{older}; while [ ! -e /run/enough ]; do printf x >&3; sleep 1; done; printf V >&3) "
              ">/dev/null 2>&1 &")
    guest.run('sleep 1; systemctl start tenond')
    told = dog().wait_state('foreign')
    check(node in told['reason'], f'the reason: {told["reason"]}')
    check('(pid ' in guest.run('tenonctl watchdog'), 'tenonctl, run by root, does not tell the owner')
    guest.run('touch /run/enough; sleep 2')
    equal(dog().ctl('arm')['state'], 'fed', 'state after the owner has gone')


@test(timeout=600)
def memory_hog_is_warned_of_then_starves_it_and_the_reason_is_found():
    # The real check of the kernel's pressure, under a program that wants more memory than it may have.
    dog().configure(checks='[check memory]\\ntype=memory-pressure\\nwarning=10\\ncritical=40\\nin-a-row=2\\ninterval-ms=1000\\n'
                           'required=yes\\n')
    dog().restart()
    dog().wait_state('fed')
    host = Qmp(os.path.join(dog().guest.folder, 'qmp0.sock'))
    dog().sync()
    dog().guest.run('systemd-run -q --unit=hog -p MemoryHigh=16M -p MemoryMax=400M tail /dev/zero')
    states = []
    while not states or states[-1] != 'critical':
        rows = host.wait_event('CHECKS_CHANGED', 120)['data']['checks']
        states += [row['state'] for row in rows if row['name'] == 'memory']
    check('warning' in states, f'no warning came before: {states}')
    event = host.wait_event('WATCHDOG_CHANGED', 2 * TIMEOUT)
    equal(event['data']['state'], 'starving', 'state in the event to the host')
    check(event['data']['reason'].startswith('check memory is critical: '), f'reason to the host: {event["data"]}')
    host.close()
    note(f'fired {dog().fires():.1f} s later')
    reason = dog().cause('starved')
    equal(reason, event['data']['reason'], 'reason after the reset')
    note(reason)
    host = Qmp(os.path.join(dog().guest.folder, 'qmp0.sock'))
    event = host.wait_event('AGENT_STARTED', TIMEOUT)
    equal(event['data']['last-reset']['reason'], reason, 'reason in the event after the reset')
    host.close()
    equal(dog().told()['resets'], 1, 'counted resets')
    said = dog().guest.run('journalctl -q -b -u tenond -o cat')
    check(f'the machine was reset before this boot: starved: {reason}' in said, f'the journal: {said}')
    dog().configure()
    dog().restart()


@test(timeout=600)
def machine_goes_down_in_order():
    # RebootWatchdogSec=10min of systemd, which takes the first device: ours or the chipset's.
    equal(dog().goes_down(), {'watchdog0': 600}, 'what guards the end of a reboot')
    equal(dog().told()['resets'], 1, 'counted resets after an orderly reboot')
