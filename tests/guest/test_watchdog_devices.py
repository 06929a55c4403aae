# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 the Tenon developers
"""The other watchdogs of QEMU, each through all cases, and what is there but once (pretimeout, sleep, …), in Debian
guests: TENON_WATCHDOGS=all, or a list of the names in DEVICES and ONCE. A name takes five to ten minutes.

What the i6300esb does in the same cases is in test_watchdog.py.
"""

import os
import time

import agent
from cases import Skip, check, equal, note, shared, test
from watchdogs import TIMEOUT, Watched, chosen

GOVERNOR = ('ACTION==\\"add\\", SUBSYSTEM==\\"watchdog\\", ATTR{pretimeout_governor}=\\"panic\\"')


@shared
def q35():
    """A guest with all that a q35 can have: one device is used after the other. It keeps a panic's last words."""
    return Watched('iTCO_wdt', ['-device', 'i6300esb', '-global', 'ICH9-LPC.noreboot=false',
                                '-global', 'ICH9-LPC.disable_s3=0', '-device', 'acpi-erst,memdev=erst', '-object',
                                'memory-backend-file,id=erst,size=64K,mem-path=erst.img,share=on'])


@shared
def pc():
    """A guest with the ISA card, whose driver is older than the class in sysfs."""
    return Watched('ib700wdt', ['-device', 'ib700'], machine='pc')


class Device:
    """A driver, the guest it is in, and in what it differs from the others."""

    def __init__(self, driver, guest, fires=True, in_sysfs=True):
        self.driver, self.guest, self.fires, self.in_sysfs = driver, guest, fires, in_sysfs

    def get(self):
        """The guest, in which this device is armed and no other one."""
        dog = self.guest()
        if dog.kind != self.driver:
            dog.use(self.driver, self.fires)
        return dog


def is_fed(dog, _device):
    """Fed it does not fire."""
    dog.quiet(3 * TIMEOUT)
    told = dog.told()
    note(f"{told['identity']}: fed {told['feed']['count']} times, longest gap {told['feed']['longest-gap-ms']} ms")
    equal(told.get('resets-after-seconds'), 2 * TIMEOUT if dog.kind == 'iTCO_wdt' else None, 'resets-after-seconds')
    equal('last-resort' in told, dog.kind == 'softdog', 'whether it says that it is a last resort')


def outlives_a_kill(dog, _device):
    """A killed agent is there again in time."""
    before = agent.pid(dog.guest)
    dog.guest.run(f'kill -9 {before}')
    dog.wait_state('fed')
    check(agent.pid(dog.guest) != before, 'the agent is still the same process')
    dog.quiet(TIMEOUT + 4)


def outlives_an_upgrade(dog, device):
    """The package is installed again; where sysfs tells, it was armed all the time."""
    if device.in_sysfs:
        dog.sampled(lambda: agent.install(dog.guest))
    else:
        agent.install(dog.guest)
    dog.wait_state('fed')
    dog.quiet(TIMEOUT + 4)


def outlives_a_pause(dog, _device):
    """The host stops the machine for longer than the timeout."""
    dog.guest.qmp('stop')
    time.sleep(2 * TIMEOUT + 4)
    dog.guest.qmp('cont')
    dog.quiet(TIMEOUT + 4)


def is_left_to_systemd(dog, device):
    """One that systemd feeds is not touched."""
    guest, node = dog.guest, dog.node()
    guest.run('systemctl stop tenond; mkdir -p /etc/systemd/system.conf.d; printf "[Manager]\\nRuntimeWatchdogSec=20\\n'
              f'WatchdogDevice=/dev/{node}\\n" >/etc/systemd/system.conf.d/dog.conf; systemctl daemon-reexec; sleep 1; '
              'systemctl start tenond')
    told = dog.wait_state('foreign')
    check('systemd' in told['owner'], f'the owner is {told["owner"]}')
    dog.quiet(2 * TIMEOUT + 4)
    if device.in_sysfs:
        equal(guest.run(f'cat /sys/class/watchdog/{node}/timeout'), '20', 'timeout that systemd has set')
    equal(dog.told()['state'], 'foreign', 'state after a while')
    guest.run('rm /etc/systemd/system.conf.d/dog.conf; systemctl daemon-reexec; sleep 1; systemctl restart tenond')
    dog.wait_state('fed')


def starves(dog, _device):
    """A required check is critical: it fires, and the reason is told after the reset."""
    dog.sync()
    dog.guest.ask('test-gate', feed=False, reason='the disk is full')
    note(f'starved: fired {dog.fires():.1f} s later')
    equal(dog.cause('starved'), 'the disk is full', 'reason after the reset')


def fires_when_the_loop_is_blocked(dog, _device):
    """The main loop hangs: it fires. This device does not tell that it did."""
    dog.sync()
    dog.guest.port.order('test-block', {'seconds': 100})
    note(f'loop blocked: fired {dog.fires():.1f} s later')
    dog.cause('unknown')


def fires_when_the_agent_is_stopped(dog, _device):
    """The agent is stopped as a whole."""
    dog.stall()
    note(f'agent stopped: fired {dog.fires():.1f} s later')
    dog.cause('unknown')


def fires_when_the_kernel_crashes(dog, device):
    """The kernel is gone, and its last words are kept on a q35."""
    dog.crash()
    note(f'kernel crashed: fired {dog.fires():.1f} s later')
    dog.cause('panic' if device.guest is q35 else 'unknown')


DEVICES = {'ib700': Device('ib700wdt', pc, in_sysfs=False), 'tco': Device('iTCO_wdt', q35),
           'softdog': Device('softdog', q35, fires=False)}
# softdog is not told of a kernel that crashes: it is a part of it.
CASES = (is_fed, outlives_a_kill, outlives_an_upgrade, outlives_a_pause, is_left_to_systemd, starves,
         fires_when_the_loop_is_blocked, fires_when_the_agent_is_stopped, fires_when_the_kernel_crashes)


def sleep():
    """The watchdog stops while the machine sleeps, and is armed after it."""
    dog = Device('i6300esb', q35).get()
    dog.guest.run('(sleep 1; systemctl suspend) >/dev/null 2>&1 &')
    dog.guest.wait_event('SUSPEND', 60)
    dog.quiet(3 * TIMEOUT)
    dog.guest.qmp('system_wakeup')
    dog.guest.wait_event('WAKEUP', 20)
    dog.wait_state('fed')
    check(dog.active(), 'the device is not armed after the sleep')
    dog.stall()
    note(f'agent stopped after the sleep: fired {dog.fires():.1f} s later')
    dog.cause('hang')


def pretimeout():
    """The kernel panics some seconds before the reset, and its last words say why."""
    dog = Device('i6300esb', q35).get()
    dog.guest.run(f'modprobe pretimeout_panic; echo "{GOVERNOR}" >/etc/udev/rules.d/90-dog.rules; udevadm control --reload; '
                  'udevadm trigger --action=add --settle --subsystem-match=watchdog; sysctl -q kernel.panic=0')
    dog.configure(extra='pretimeout-seconds=4')
    dog.restart()
    told = dog.wait_state('fed')
    row = [row for row in told['devices'] if row['device'] == told['device']][0]
    equal((told['pretimeout-seconds'], row['pretimeout-governor']), (4, 'panic'), 'what is told of the pretimeout')
    dog.quiet(2 * TIMEOUT)
    dog.stall()
    note(f'agent stopped: fired {dog.fires():.1f} s later')
    reason = dog.cause('panic')
    check('watchdog pretimeout event' in reason, f'the reason: {reason}')
    dog.configure()
    dog.restart()


def reboot():
    """With action=reboot the machine goes down in order; the reason is told, and counts for the brake."""
    dog = Device('i6300esb', q35).get()
    dog.configure(extra='action=reboot')
    dog.restart()
    before = dog.wait_state('fed')['resets']
    dog.sync()
    dog.guest.ask('test-gate', feed=False, reason='the disk is full')
    equal(dog.guest.wait_event('RESET', 120)['data']['guest'], True, 'the guest itself asked for the reset')
    dog.quiet(1)
    equal(dog.cause('starved'), 'the disk is full', 'reason after the reboot')
    equal(dog.told()['resets'], before + 1, 'counted resets')
    dog.configure()
    dog.restart()


def systemd():
    """No device: systemd reboots when it is not told that the guest is healthy."""
    dog = Device('softdog', q35, fires=False).get()
    dog.configure(mode='systemd')
    dog.guest.run('mkdir -p /etc/systemd/system/tenond.service.d; printf "[Unit]\\nFailureAction=reboot-force\\n'
                  f'[Service]\\nWatchdogSec={TIMEOUT}s\\nRestart=no\\n" > /etc/systemd/system/tenond.service.d/dog.conf; '
                  'systemctl daemon-reload; systemctl stop tenond; systemctl start tenond')
    check('systemd watches the agent' in dog.wait_state('fed')['reason'], 'the reason does not tell of systemd')
    check('active' not in dog.guest.run('cat /sys/class/watchdog/*/state').split(), 'a device is armed')
    dog.quiet(3 * TIMEOUT)
    dog.sync()
    dog.guest.ask('test-gate', feed=False, reason='the disk is full')
    note(f'systemd rebooted {dog.fires():.1f} s later')
    equal(dog.cause('starved'), 'the disk is full', 'reason after the reboot')


# The last one leaves a unit behind that no other test wants.
ONCE = {'sleep': sleep, 'pretimeout': pretimeout, 'reboot': reboot, 'systemd': systemd}


def add(name, function):
    """One test."""
    def run():
        function()
    run.__name__ = f'watchdog_{name}'
    run.__module__ = __name__
    test(run, timeout=1500)


for label, each in DEVICES.items():
    if chosen(label):
        for case in CASES if each.fires else CASES[:-1]:
            add(f'{label}_{case.__name__}', lambda device=each, run_case=case: run_case(device.get(), device))
for label, once in ONCE.items():
    if chosen(label):
        add(label, once)


@test
def devices_that_were_not_asked_for():
    if not os.environ.get('TENON_WATCHDOGS'):
        raise Skip('each takes minutes; TENON_WATCHDOGS=all, or a list of them, runs them')
