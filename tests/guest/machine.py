# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 the Tenon developers
"""A guest under QEMU's software emulation: the vocabulary of the guest tests.

    guest = boot_micro(files={'/usr/sbin/x': 'build/x'}, devices=virtio_serial() + port())
    guest.sh('uname -r')                        -> (0, '6.1.0-…')
    guest.ask('guest-get-osinfo')               -> what the agent returned
    guest.qmp('device_del', id='port-qga0'); guest.wait_event('DEVICE_DELETED', 10)
    guest.close()

Never /dev/kvm: every guest must behave the same on every machine that builds. The first serial line is
the boot log (boot.log in the guest's folder); its tail is printed when a test fails.
"""

import os
import re
import time

import cases
import devices
import image
import initramfs
import procs
from console import Console
from hostport import HostPort
from qmp import Qmp

# With a small cache of translated code: QEMU's own, of 1 GiB, keeps that of what ran before a reset, and guests came back from
# one in 30 s instead of 16 s.
TCG = 'tcg,thread=multi,tb-size=128'
# What protects a processor costs an emulated one much: a fifth of the boot. A fifth level of page tables is walked at each
# miss: a tenth of an installation.
FULL_CPU = 'max,-smap,-smep,-la57'
KERNEL_LINE = 'root=/dev/vda rw console=ttyS0 loglevel=4 systemd.show_status=yes no_timer_check mitigations=off'
MICRO_LINE = 'console=ttyS0 quiet panic=-1 no_timer_check mitigations=off'
X86 = 'qemu-system-x86_64'
TWO_LINES = ('-serial', 'file:boot.log', '-serial', 'chardev:shell')  # the boot log, the harness's shell
LIVING = []


class Guest:
    """One QEMU process with its sockets, its log and its temporary folder."""

    def __init__(self, folder, arguments, program=X86, lines=TWO_LINES):
        self.folder = folder
        self.arguments = arguments
        self.log_path = os.path.join(folder, 'boot.log')
        self.process = self._start(program, [*lines, *arguments])
        self.monitor = Qmp(self._socket('qmp.sock'))
        self.console = Console(self._socket('shell.sock'))
        self.port = HostPort(os.path.join(folder, 'qga0.sock'))
        self.tell_more = lambda: ''  # what else is worth reading after a failure
        LIVING.append(self)

    def _start(self, program, arguments):
        command = [program, '-nodefaults', '-no-user-config', '-display', 'none',
                   '-accel', TCG, '-rtc', 'base=utc',
                   '-chardev', 'socket,id=shell,path=shell.sock,server=on,wait=off',
                   '-qmp', 'unix:qmp.sock,server=on,wait=off']
        with open(os.path.join(self.folder, 'qemu.log'), 'w', encoding='utf-8') as log:
            return procs.start(command + arguments, cwd=self.folder, stdout=log, stderr=log)

    def _socket(self, name):
        """The path of one of QEMU's sockets, once it is there."""
        path = os.path.join(self.folder, name)

        def there():
            if self.process.poll() is not None:
                raise RuntimeError(f'QEMU ended at once: {self.read("qemu.log")}')
            return os.path.exists(path)
        procs.wait_for(there, 20, f'QEMU to make {name}')
        return path

    def read(self, name):
        """A log as text, without the colours and carriage returns of a terminal."""
        with open(os.path.join(self.folder, name), encoding='utf-8', errors='replace', newline='') as file:
            return re.sub(r'\x1b\[[0-9;?]*[A-Za-z]|\r', '', file.read())

    def log(self):
        """The boot log so far."""
        return self.read('boot.log')

    def tell(self):
        """The ends of all logs, indented."""
        lines = self.log().splitlines()[-25:] + self.read('qemu.log').splitlines()[-5:]
        try:
            lines += self.tell_more().splitlines()[-25:]
        except (OSError, AssertionError) as error:
            lines.append(f'(nothing more from the guest: {error})')
        return '\n'.join(f'    | {line}' for line in lines)

    def expect(self, pattern, timeout, after=0):
        """Wait until the boot log has a line like this, in its part from the offset `after` on."""
        return procs.wait_for(lambda: re.search(pattern, self.log()[after:]), timeout,
                              f'{pattern!r} in the boot log')

    def sh(self, script, timeout=30):
        """Run a script in the guest; (status, output)."""
        return self.console.sh(script, timeout)

    def run(self, script, timeout=30):
        """Run a script that must succeed; its output."""
        status, output = self.sh(script, timeout)
        if status != 0:
            raise AssertionError(f'in the guest: {script!r} ended with status {status}: {output[-1500:]}')
        return output

    def ask(self, command, timeout=20, **arguments):
        """Ask the agent over its port; the value it returns."""
        return self.port.ask(command, timeout, **arguments)

    def qmp(self, command, **arguments):
        """Ask QEMU itself. An '_' in a name stands for '-'."""
        named = {name.replace('_', '-'): value for name, value in arguments.items()}
        return self.monitor.execute(command, named)

    def wait_event(self, name, timeout, **data):
        """Wait for an event of QEMU."""
        return self.monitor.wait_event(name, timeout, **data)

    def wait_end(self, timeout):
        """Wait until QEMU has ended by itself."""
        self.process.wait(timeout)

    def kill(self):
        """Pull the plug."""
        self.process.kill()
        self.process.wait()

    def close(self):
        """End QEMU and remove the folder."""
        if self in LIVING:
            LIVING.remove(self)
        for part in (self.port, self.console, self.monitor):
            part.close()
        procs.end(self.process)
        procs.remove_dir(self.folder)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def tell_logs():
    """The ends of the living guests' logs, for the runner to print when a test failed."""
    return '\n    ----\n'.join(guest.tell() for guest in LIVING)


cases.ON_FAILURE.append(tell_logs)


def started(folder, arguments, timeout, **options):
    """Start a guest and wait for its shell; nothing is left when it does not come up."""
    guest = Guest(folder, arguments, **options)
    try:
        guest.console.wait_ready(timeout)
    except Exception as error:
        text = guest.tell()
        guest.close()
        raise RuntimeError(f'{error}\n{text}') from error
    return guest


def again(source, *arguments):
    """A second QEMU with the initramfs of `source` and these arguments."""
    folder = procs.temp_dir()
    os.symlink(os.path.join(source.folder, 'initrd.img'), os.path.join(folder, 'initrd.img'))
    return Guest(folder, list(arguments))


def incoming(source):
    """A second QEMU like the one of `source`, waiting for its guest at incoming.sock in its folder."""
    return again(source, *source.arguments, '-incoming', 'unix:incoming.sock')


def boot_micro(files=None, modules=(), extra=(), cpu='qemu64', memory=256, machine='q35,vmport=on',
               timeout=60):
    """Boot a kernel with only busybox, the given files (guest path -> host path or bytes) and modules."""
    folder = procs.temp_dir()
    made = image.get()
    initramfs.make(os.path.join(folder, 'initrd.img'), made, files or {}, modules)
    return started(folder, ['-M', machine, '-cpu', cpu, '-m', str(memory), '-kernel', made.kernel,
                            '-initrd', 'initrd.img', '-append', MICRO_LINE, *extra], timeout)


def overlay(folder, base=None):
    """A throw-away disk on top of the cached one, or of another overlay; its path."""
    path, base = os.path.join(folder, 'disk.qcow2'), base or image.get().disk
    form = 'raw' if base.endswith('.img') else 'qcow2'
    procs.run(['qemu-img', 'create', '-q', '-f', 'qcow2', '-F', form, '-b', base, path])
    return path


def full_arguments(disk, extra=(), cpu=FULL_CPU, memory=1024, machine='q35', line='', smp=1):
    """QEMU's arguments for the Debian guest on that disk; `line` is for its kernel.

    One processor: where guests run beside each other, two of one guest wait for each other often, and boot and installation
    took 73 s of this machine's time instead of 57 s.
    """
    made = image.get()
    return ['-M', machine, '-cpu', cpu, '-smp', str(smp), '-m', str(memory), '-kernel', made.kernel,
            '-initrd', made.initrd, '-append', f'{KERNEL_LINE} {line}'.strip(), *devices.disk(disk), *extra]


def boot_full(extra=(), timeout=180, base=None, **settings):
    """Boot the Debian guest with systemd; its root disk is vda, on top of `base` or the cached one, `extra` disks follow."""
    folder = procs.temp_dir()
    return started(folder, full_arguments(overlay(folder, base), extra, **settings), timeout)


def data_disk(folder, files, name='data.img', size='64M'):
    """An ext4 disk that carries host files in its root, made without mounting; its path.

    Its blocks are large enough to be read from a CD-ROM drive, too.
    """
    tree, path = os.path.join(folder, name + '.d'), os.path.join(folder, name)
    os.makedirs(tree)
    procs.run(['cp', '-L', *files, tree])
    procs.run(['mke2fs', '-q', '-t', 'ext4', '-b', '4096', '-d', tree, path, size])
    return path


def wait_booted(guest, timeout=120):
    """Wait until systemd has finished booting; returns its state (running, degraded)."""
    status, state = guest.sh('systemctl is-system-running --wait', timeout)
    begin = time.monotonic()
    while state in ('', 'initializing', 'starting') and time.monotonic() < begin + timeout:
        time.sleep(1)
        status, state = guest.sh('systemctl is-system-running')
    if status and state != 'degraded':
        raise AssertionError(f'the guest did not finish booting: {state}')
    return state
