# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 the Tenon developers
"""Several guests with a watchdog each, walked through the same steps at the same time: most of a watchdog's test is
waiting, which costs as much for three devices as for one.

Each guest has a thread of its own for as long as it lives: the kernel ends a QEMU when the thread that has started it
ends (PR_SET_PDEATHSIG).
"""

import concurrent.futures
import time

import agent
import devices
import machine
from cases import equal, note
from watchdogs import TIMEOUT, forget_events

CONFIG = '''[agent]
statedir=/state
control-socket=/run/tenon/control.sock
[log]
level=info
file=/run/tenond.log
[plugins]
disable=health
[watchdog]
mode=own
device={}
timeout-seconds={}
'''
DISK_MODULES = ('virtio_blk', 'crc32c_generic', 'ext4')
ERST = ('-device', 'acpi-erst,memdev=erst', '-object',
        'memory-backend-file,id=erst,size=64K,mem-path=erst.img,share=on')


class MicroDog:
    """A micro guest with one watchdog; the agent's state is on a disk, so that it survives the reset."""

    def __init__(self, driver, arguments=(), modules=None, fires=True, **settings):
        self.kind, self.event = driver, 'WATCHDOG' if fires else 'RESET'
        stall = agent.built('tests/plugins/stall.so')
        disk = machine.data_disk(machine.procs.temp_dir(), [stall])
        files = {**agent.micro_files(), '/plugins/stall.so': stall,
                 '/etc/tenond.conf': CONFIG.format(driver, TIMEOUT).encode()}
        self.guest = machine.boot_micro(files, (*agent.MODULES, *DISK_MODULES, *(modules or [driver])), [
            *devices.disk(disk, 'raw'), *devices.virtio_serial(), *devices.port(),
            *devices.port('org.tenon.agent.0', 'qmp0'), *arguments, '-action', 'watchdog=reset'], timeout=300, **settings)
        self.guest.tell_more = lambda: agent.tell_log(self.guest)
        self.start()

    def close(self):
        """End the guest."""
        self.guest.close()

    def start(self):
        """Start the agent; what it says of the watchdog."""
        self.guest.run('mkdir -p /state; mountpoint -q /state || mount -t ext4 /dev/vda /state; '
                       'mount -t pstore pstore /sys/fs/pstore || true')
        agent.start(self.guest)
        self.guest.port.wait_agent(120)
        told = self.told()
        equal(told['state'], 'fed', f'state of {self.kind} ({told.get("reason")})')
        return told

    def told(self):
        """What the agent says of the watchdog."""
        return self.guest.ask('tenon-get-watchdog')

    def gate(self, feed, reason=''):
        """Say in the place of the plugin health whether the guest is well."""
        self.guest.ask('test-gate', feed=feed, reason=reason)

    def quiet(self, seconds):
        """For so long it must not fire."""
        try:
            event = self.guest.wait_event(self.event, seconds)
        except TimeoutError:
            return
        raise AssertionError(f'{self.kind} fired: {event}')

    def fires(self, what):
        """It must fire."""
        begin = time.monotonic()
        self.guest.wait_event(self.event, 3 * TIMEOUT + 60)
        note(f'{self.kind}: {what}, fired {time.monotonic() - begin:.1f} s later')

    def after_reset(self, what='it'):
        """It must fire; what the agent says in the next boot."""
        self.fires(what)
        self.guest.console.wait_ready(300)
        forget_events(self.guest)
        self.guest.port.close()
        return self.start()

    def crash(self):
        """Crash the kernel, which then stays as it is."""
        self.guest.run('sync; echo 0 >/proc/sys/kernel/panic; echo 1 >/proc/sys/kernel/sysrq; '
                       '(sleep 1; echo c >/proc/sysrq-trigger) >/dev/null 2>&1 &')


class Herd:
    """Guests, one for each of these functions that makes one."""

    def __init__(self, makers):
        self.threads = concurrent.futures.ThreadPoolExecutor(len(makers))
        self.dogs = self.each(lambda make: make(), makers)

    def each(self, step, dogs=None):
        """Take a step with each of the guests at the same time; what each brought, in their order."""
        return list(self.threads.map(step, self.dogs if dogs is None else dogs))

    def quiet(self, seconds):
        """For so long none must fire."""
        self.each(lambda dog: dog.quiet(seconds))

    def close(self):
        """End the guests."""
        self.each(lambda dog: dog.close())
        self.threads.shutdown()
