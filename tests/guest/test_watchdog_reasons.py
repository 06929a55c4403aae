# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 the Tenon developers
"""Why an i6300esb has reset the machine, in the micro guest: its state is on a disk, so that it survives the reset.

The tests build on each other in the order of the file: each makes the watchdog fire, and the next one begins with
the boot after it.
"""

import os

import agent
import devices
import machine
from cases import check, equal, note, shared, test
from qmp import Qmp
from watchdogs import TIMEOUT

CONFIG = f'''[agent]
statedir=/state
control-socket=/run/tenon/control.sock
[log]
level=info
file=/run/tenond.log
[plugins]
disable=health
[watchdog]
mode=own
timeout-seconds={TIMEOUT}
'''.encode()


@shared
def guest():
    """A guest with a disk for the agent's state, a store for the kernel's last words, and the plugin stall."""
    stall = agent.built('tests/plugins/stall.so')
    disk = machine.data_disk(machine.procs.temp_dir(), [stall])
    files = {**agent.micro_files(), '/etc/tenond.conf': CONFIG, '/plugins/stall.so': stall}
    made = machine.boot_micro(files, (*agent.MODULES, 'virtio_blk', 'crc32c_generic', 'ext4', 'i6300esb'), [
        *devices.disk(disk, 'raw'), *devices.virtio_serial(), *devices.port(),
        *devices.port('org.tenon.agent.0', 'qmp0'), '-device', 'i6300esb', '-device', 'acpi-erst,memdev=erst',
        '-object', 'memory-backend-file,id=erst,size=64K,mem-path=erst.img,share=on', '-action', 'watchdog=reset'],
        timeout=180)
    made.tell_more = lambda: agent.tell_log(made)
    start(made)
    return made


def start(made):
    """Start the agent; what it says of the watchdog."""
    made.run('mkdir -p /state; mount -t ext4 /dev/vda /state; mount -t pstore pstore /sys/fs/pstore')
    agent.start(made)
    made.port.wait_agent(60)
    told = made.ask('tenon-get-watchdog')
    equal(told['state'], 'fed', f'state ({told.get("reason")})')
    return told


def after_reset():
    """It must fire; what the agent says in the next boot."""
    guest().wait_event('WATCHDOG', 3 * TIMEOUT + 30)
    guest().console.wait_ready(180)
    guest().port.close()
    return start(guest())


def quiet(seconds):
    """For so long it must not fire."""
    try:
        event = guest().wait_event('WATCHDOG', seconds)
    except TimeoutError:
        return
    raise AssertionError(f'the watchdog fired: {event}')


@test(timeout=900)
def critical_check_starves_it():
    guest().ask('test-gate', feed=True)
    quiet(TIMEOUT)
    host = Qmp(os.path.join(guest().folder, 'qmp0.sock'))
    guest().ask('test-gate', feed=False, reason='the disk is full')
    event = host.wait_event('WATCHDOG_CHANGED', TIMEOUT)
    equal((event['data']['state'], event['data']['reason']), ('starving', 'the disk is full'), 'event to the host')
    host.close()
    told = after_reset()
    last = told['last-reset']
    equal((last['cause'], last['reason'], last['this-boot']), ('starved', 'the disk is full', True), 'the last reset')
    equal(told['resets'], 1, 'counted resets')
    host = Qmp(os.path.join(guest().folder, 'qmp0.sock'))
    equal(host.wait_event('AGENT_STARTED', 20)['data']['last-reset']['reason'], 'the disk is full', 'AGENT_STARTED')
    host.close()


@test(timeout=900)
def blocked_main_loop_fires_it():
    guest().port.order('test-block', {'seconds': 100})
    told = after_reset()
    equal((told['last-reset']['cause'], told['resets']), ('hang', 2), 'cause and counted resets')


@test(timeout=900)
def stopped_agent_fires_it_and_the_brake_is_on():
    guest().run('kill -STOP $(pidof tenond)')
    told = after_reset()
    equal((told['last-reset']['cause'], told['resets']), ('hang', 3), 'cause and counted resets')
    equal(told['brake']['resets'], 3, 'resets that put the brake on')
    guest().ask('test-gate', feed=False, reason='the disk is full')
    quiet(TIMEOUT + 4)
    equal(guest().ask('tenon-get-watchdog')['state'], 'fed', 'state under the brake')
    guest().ask('test-gate', feed=True)
    guest().run('tenonctl --socket /run/tenon/control.sock watchdog arm')
    check('brake' not in guest().ask('tenon-get-watchdog'), 'tenonctl watchdog arm does not release the brake')


@test(timeout=900)
def test_of_an_administrator_fires_it():
    guest().run('tenonctl --socket /run/tenon/control.sock watchdog test --yes', 60)
    told = after_reset()
    equal((told['last-reset']['cause'], told['resets']), ('test', 4), 'cause and resets')
    check('brake' not in told, 'a test counts for the brake')


@test(timeout=900)
def crashed_kernel_fires_it():
    guest().run('sync; echo 0 >/proc/sys/kernel/panic; echo 1 >/proc/sys/kernel/sysrq; '
                '(sleep 1; echo c >/proc/sysrq-trigger) >/dev/null 2>&1 &')
    last = after_reset()['last-reset']
    equal(last['cause'], 'panic', f'cause ({last["reason"]})')
    check('Kernel panic - not syncing' in last['reason'], f'the kernel\'s last words: {last["reason"]}')
    note(last['reason'])
