# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 the Tenon developers
"""The words of the watchdog's tests: a guest with one watchdog, what QEMU says of it, and what the agent says.

QEMU's own events are the judge. A watchdog that fires shows as WATCHDOG; softdog, which is only a timer of the
guest's kernel, as a RESET that the guest asked for.
"""

import json
import os
import re
import time

import agent
import devices
from cases import Skip, check, equal, note

TIMEOUT = int(os.environ.get('TENON_WATCHDOG_TIMEOUT', '10'))  # seconds; a machine that is very busy needs more
DROP_IN = '/etc/tenon/tenond.conf.d/watchdog.conf'
# Ten times a second the state that sysfs tells, for as long as the file is there. One process, not ten a second.
SAMPLER = '''touch /run/sampling; rm -f /run/samples
perl -e '$| = 1; while (-e "/run/sampling") {{ open $f, "<", "/sys/class/watchdog/{}/state"; print scalar <$f>;
select undef, undef, undef, 0.1 }}' >/run/samples 2>&1 &'''
# The driver that is older than sysfs' class is traced: its last close, and WDIOC_SETOPTIONS with WDIOS_DISABLECARD.
TRACER = '''cd /sys/kernel/tracing 2>/dev/null || {{ mount -t tracefs tracefs /sys/kernel/tracing; cd /sys/kernel/tracing; }}
[ -e events/dog ] || printf 'p:dog/close {0}:ibwdt_close\np:dog/stop {0}:ibwdt_ioctl what=%%si:x32 how=+u0(%%dx):s32\n' >kprobe_events
echo 'what == 0x80045704 && how == 1' >events/dog/stop/filter
echo >trace; echo 1 >events/dog/enable'''
DOG_CONF = '/etc/systemd/system.conf.d/dog.conf'
# What systemd-shutdown runs last, when it has armed its own.
LAST_WORDS = """#!/bin/sh
for dog in /sys/class/watchdog/*; do
    echo "at the end, $(cat $dog/uevent | sed -n s/DEVNAME=//p) is $(cat $dog/state), $(cat $dog/timeout) s"
done >/dev/console
"""
LAST_WORD = re.compile(r'at the end, (watchdog\d+) is (\w+), (\d+) s')


def on_request(name):
    """The rest of a test takes minutes."""
    if not {'all', name} & set(os.environ.get('TENON_WATCHDOGS', '').split(',')):
        raise Skip(f'takes minutes; TENON_WATCHDOGS={name}, or all, runs it')


def forget_events(guest):
    """A RESET is the judge for softdog; it comes with every other one, too, and a kernel may cause some in a row."""
    guest.qmp('query-status')  # all events of before have come
    guest.monitor.events.clear()


class Watched:
    """A guest that is watched. kind: the driver; resets: the name of the event that says so."""

    def __init__(self, kind, arguments, fires=True, in_sysfs=True, patience=180, **settings):
        self.kind, self.in_sysfs = kind, in_sysfs
        self.event = 'WATCHDOG' if fires else 'RESET'
        settings.setdefault('cpu', 'qemu64')  # few features, for which udev loads few modules at each boot
        self.guest = agent.boot_full([*devices.port('org.tenon.agent.0', 'qmp0'), '-action', 'watchdog=reset'],
                                     files=[agent.built('tests/plugins/stall.so')], watchdog=arguments, timeout=patience, **settings)
        self.guest.tell_more = self.tell
        self.load()
        self.configure()
        agent.install(self.guest)
        # The plugin health owns the fact that the test's plugin sets.
        self.guest.run('mount -o ro /dev/vdb /mnt; cp /mnt/stall.so /usr/lib/*/tenon/plugins/; umount /mnt; '
                       'systemctl restart tenond', 120)
        self.wait_state('fed', 120)

    def close(self):
        """End the guest."""
        self.guest.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def tell(self):
        """What the agent said, for the text of a failure."""
        return self.guest.sh('journalctl -q -b -u tenond --no-pager -o cat | tail -n 20; tenonctl watchdog')[1]

    def load(self):
        """Load the driver now and at each boot, as an administrator does it."""
        self.guest.run(f'echo {self.kind} >/etc/modules-load.d/dog.conf; modprobe {self.kind}', 120)

    def configure(self, mode='own', timeout=TIMEOUT, extra='', checks=None):
        """Write the settings; they are read at the next start. Without checks the plugin stall stands in for health."""
        # Without the brake, for some tests reset the guest often.
        text = (f'[watchdog]\\nmode={mode}\\ndevice={self.kind}\\ntimeout-seconds={timeout}\\nbrake-resets=0\\n{extra}\\n' +
                (checks or '[plugins]\\ndisable=health\\n'))
        self.guest.run(f'mkdir -p /etc/tenon/tenond.conf.d; printf "{text}" > {DROP_IN}')

    def use(self, kind, fires=True):
        """Change over to another device of the same guest."""
        self.kind = kind
        self.event = 'WATCHDOG' if fires else 'RESET'
        self.load()
        self.configure()
        self.guest.run('systemctl stop tenond; systemctl start tenond', 120)
        self.wait_state('fed')
        check(self.active(), f'not just {kind} is armed')

    def restart(self):
        """Restart the agent."""
        self.guest.run('systemctl restart tenond', 120)
        self.guest.port.wait_agent(120)

    def kill_agent(self):
        """Kill the agent: it comes back, and the device was armed all the time."""
        before = agent.pid(self.guest)

        def kill():
            self.guest.run(f'kill -9 {before}')
            self.wait_state('fed', 90)
        self.sampled(kill)
        note(f'{self.kind}: killed, fed again after {self.outage():.1f} s')
        check(agent.pid(self.guest) != before, f'{self.kind}: the agent is still the same process')

    def survive_a_kill(self):
        """Kill the agent, and see that the device does not fire."""
        self.kill_agent()
        self.quiet(TIMEOUT + 4)

    def outage(self):
        """The seconds from the last death of the agent until the next one fed the device, by the journal."""
        said = self.guest.run('journalctl -q -b -u tenond -o short-monotonic')
        times = [re.findall(rf'^\[ *([\d.]+)\].*{words}', said, re.MULTILINE)
                 for words in ('Main process exited', 'was kept armed over the restart')]
        check(all(times), f'the journal tells of no kill: {said}')
        return float(times[1][-1]) - float(times[0][-1])

    def told(self):
        """What the agent says of the watchdog."""
        return self.guest.ask('tenon-get-watchdog')

    def answers(self):
        """Wait until the agent does."""
        self.guest.port.wait_agent(150)

    def wait_state(self, state, timeout=60):
        """Wait until the agent says so."""
        self.answers()
        deadline = time.monotonic() + timeout
        while self.told()['state'] != state and time.monotonic() < deadline:
            time.sleep(0.2)
        told = self.told()
        equal(told['state'], state, f'state of the watchdog ({told.get("reason")})')
        return told

    def node(self):
        """The node of the device in use."""
        return self.told()['device']

    def active(self):
        """Whether sysfs says that it is armed. (It says nothing of an ib700.)"""
        return self.guest.run('cat /sys/class/watchdog/*/state').split().count('active') == 1

    def quiet(self, seconds):
        """For so long it must not fire."""
        try:
            event = self.guest.wait_event(self.event, seconds)
        except TimeoutError:
            return
        raise AssertionError(f'the watchdog fired: {event}')

    def fires(self, within=3 * TIMEOUT + 60):
        """It must fire; the seconds until it did."""
        begin = time.monotonic()
        self.guest.wait_event(self.event, within)
        return time.monotonic() - begin

    def comes_back(self):
        """Wait until the guest is up again after a reset; what the agent says of the watchdog."""
        self.guest.console.wait_ready(600)
        forget_events(self.guest)
        return self.wait_state('fed', 120)

    def cause(self, wanted):
        """The reset was seen, and its cause found; the reason."""
        last = self.comes_back()['last-reset']
        equal(last['cause'], wanted, f'cause of the reset ({last["reason"]})')
        return last['reason']

    def stops(self, action):
        """Whether the device was stopped or closed at any time during an action."""
        if not self.in_sysfs:
            self.guest.run(TRACER.format(self.kind))
            action()
            return self.guest.run('cd /sys/kernel/tracing; echo 0 >events/dog/enable; grep -v "^#" trace || true') != ''
        self.guest.run(SAMPLER.format(self.node()))
        action()
        self.guest.run('rm /run/sampling; sleep 0.2')
        samples = self.guest.run('cat /run/samples').split()
        check(len(samples) > 3, f'only {len(samples)} samples')
        return set(samples) != {'active'}

    def sampled(self, action):
        """Run an action, during which the device must have been armed all the time."""
        check(not self.stops(action), f'{self.kind} was not armed all the time')

    def leave_to_systemd(self, seconds=20):
        """Let systemd own the device, as its administrator does it; the node."""
        node = self.node()
        check(self.stops(lambda: self.guest.run('systemctl stop tenond', 90)), 'the service was stopped, and it is armed')
        self.set_systemd(f'RuntimeWatchdogSec={seconds}', f'WatchdogDevice=/dev/{node}')
        self.guest.run('systemctl start tenond', 120)
        told = self.wait_state('foreign', 60)
        check('systemd' in told['owner'], f'the owner is {told["owner"]}')
        return node

    def take_from_systemd(self):
        """Let the agent own it again."""
        self.guest.run(f'rm {DOG_CONF}; systemctl daemon-reexec; sleep 1; systemctl restart tenond', 120)
        self.wait_state('fed', 60)

    def set_systemd(self, *settings):
        """Tell systemd how to use its watchdog."""
        lines = ''.join(f'{line}\\n' for line in ('[Manager]', *settings))
        self.guest.run(f'mkdir -p {os.path.dirname(DOG_CONF)}; printf "{lines}" >{DOG_CONF}; systemctl daemon-reexec; sleep 1', 120)

    def goes_down(self):
        """Reboot in order, at which nothing fires; by node the devices that were armed at the very end, and their timeouts."""
        path = '/usr/lib/systemd/system-shutdown/last-words'
        self.guest.run(f"cat >{path} <<'END'\n{LAST_WORDS}END\nchmod 755 {path}")
        before = len(self.guest.log())
        self.guest.port.order('guest-shutdown', {'mode': 'reboot'})
        equal(self.guest.wait_event('RESET', 180)['data']['guest'], True, 'the guest itself asked for the reset')
        if self.event == 'WATCHDOG':
            self.quiet(1)
        self.comes_back()
        found = LAST_WORD.findall(self.guest.log()[before:])
        check(found, 'systemd-shutdown has told nothing')
        return {node: int(timeout) for node, state, timeout in found if state == 'active'}

    def sync(self):
        """What was written must survive the reset that is to come."""
        self.guest.run('sync')

    def stall(self):
        """Stop the agent as if it hung."""
        self.sync()
        self.guest.run(f'kill -STOP {agent.pid(self.guest)}')

    def crash(self):
        """Crash the kernel, which then stays as it is."""
        self.sync()
        self.guest.run('sysctl -q kernel.panic=0 kernel.sysrq=1')
        self.guest.run('(sleep 1; echo c >/proc/sysrq-trigger) >/dev/null 2>&1 &')

    def ctl(self, *words):
        """Run tenonctl watchdog; its JSON."""
        return json.loads(self.guest.run(f'tenonctl watchdog {" ".join(words)} --json'))
