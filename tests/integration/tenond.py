# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 the Tenon developers
"""The agent of the build directory on this machine, in a folder of its own, with a unix socket for a host.

Nothing of the machine is used or changed: configuration, state, log and sockets are in the folder. Commands that
would change something (guest-shutdown, guest-set-time) are never sent to it.
"""

import functools
import glob
import os
import re
import signal
import subprocess

import cases
import hostport
import procs

TOP = os.path.realpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', '..'))
BUILD = os.path.abspath(os.environ.get('TENON_BUILD') or os.path.join(TOP, 'build'))
PLUGINS = ('guestinfo', 'power', 'timesync')
ALL_PLUGINS = ('accounts', 'exec', 'files', 'freeze', 'guestinfo', 'hotplug', 'power', 'timesync')
AGENTS = []


def built(path):
    """The path of a file of the build directory, which must be there."""
    full = os.path.join(BUILD, path)
    if not os.path.exists(full):
        raise FileNotFoundError(f'{full} is not built')
    return full


@functools.cache
def sanitized():
    """Are the programs built with a sanitizer? It needs more memory, and its figures mean nothing."""
    with open(built('agent/tenond'), 'rb') as file:
        return b'__asan_init' in file.read()


def plugin_options(names=PLUGINS):
    """The options that make tenond take the plugins of the build directory."""
    return [f"--plugin-dir={built(os.path.join('plugins', name))}" for name in names]


def run(*argv, timeout=20, **options):
    """Run a program to its end; exit status, stdout and stderr."""
    options.setdefault('stdin', subprocess.DEVNULL)
    done = subprocess.run([*map(str, argv)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=timeout,
                          check=False, **options)
    return done.returncode, done.stdout.decode(), done.stderr.decode()


class Agent:
    """One running tenond. extra is the text of more configuration."""

    def __init__(self, extra='', options=None, command=None, start=True):
        self.dir = procs.temp_dir()
        self.socket = self.path('host.sock')
        self.control = self.path('control.sock')
        self.log = self.path('log')
        self.conf = self.path('tenond.conf')
        self.extra_options = plugin_options() if options is None else options
        self.command = command or [built('agent/tenond')]
        self.child = None
        self.configure(extra)
        AGENTS.append(self)
        if start:
            self.start()

    def path(self, name):
        """A path in the agent's folder."""
        return os.path.join(self.dir, name)

    def configure(self, extra=''):
        """Write the configuration file. Unless a test says otherwise, the clock of this machine is only looked at."""
        clock = "" if "[timesync]" in extra else "[timesync]\nmode=observe\n"
        with open(self.conf, 'w', encoding='utf-8') as file:
            file.write(f'[channel]\nmethod=unix-listen\npath={self.socket}\n'
                       f'[agent]\nstatedir={self.dir}\ncontrol-socket={self.control}\n'
                       f'[log]\nlevel=info\nfile={self.log}\n'
                       f'[power]\nhook-directory=\n{clock}{extra}')

    def argv(self):
        """The command line."""
        return [*self.command, '-c', self.conf, *self.extra_options]

    def start(self):
        """Start and wait for the socket."""
        with open(self.path('stderr'), 'a', encoding='utf-8') as stderr:
            # Not on this machine's bus, unless a test names one.
            self.child = procs.start(self.argv(), stdout=subprocess.DEVNULL, stderr=stderr,
                                     env={'DBUS_SYSTEM_BUS_ADDRESS': 'unix:path=/nonexistent/bus', **os.environ})
        procs.wait_for(lambda: self.ready() or self.child.poll() is not None, 20, 'the agent to listen')
        cases.check(self.child.poll() is None, f'tenond ended: {self.text("stderr")}')
        return self

    def ready(self):
        """Does it listen?"""
        return os.path.exists(self.socket) and 'host reached by' in self.text('log')

    @property
    def pid(self):
        """Its process id; setpriv has become it."""
        return self.child.pid

    def host(self):
        """A new host connection."""
        return hostport.HostPort(self.socket).open()

    def ask(self, command, **arguments):
        """Ask over a connection of its own."""
        host = self.host()
        try:
            return host.ask(command, **arguments)
        finally:
            host.close()

    def ctl(self, *arguments):
        """Run tenonctl against it; exit status, stdout and stderr."""
        return run(built('cli/tenonctl'), '--socket', self.control, *arguments)

    def text(self, name):
        """The content of a file in its folder, '' when it is not there."""
        try:
            with open(self.path(name), encoding='utf-8') as file:
                return file.read()
        except FileNotFoundError:
            return ''

    def kill(self, number):
        """Send a signal."""
        os.kill(self.pid, number)

    def status_kib(self, field='VmRSS'):
        """A line of /proc/PID/status, in KiB."""
        with open(f'/proc/{self.pid}/status', encoding='utf-8') as file:
            return int(re.search(rf'^{field}:\s+(\d+)', file.read(), re.M)[1])

    def check_growth(self, before_kib, limit_kib):
        """Fail when it has grown by more; notes by how much. A sanitizer's figures mean nothing."""
        growth = self.status_kib() - before_kib
        cases.note(f'{growth} KiB more than before')
        cases.check(sanitized() or growth < limit_kib, f'{growth} KiB more than before')

    def fds(self):
        """The number of open descriptors."""
        return len(os.listdir(f'/proc/{self.pid}/fd'))

    def wakeups(self):
        """Voluntary context switches of all its threads."""
        total = 0
        for path in glob.glob(f'/proc/{self.pid}/task/*/status'):
            with open(path, encoding='utf-8') as file:
                total += int(re.search(r'^voluntary_ctxt_switches:\s+(\d+)', file.read(), re.M)[1])
        return total

    def cpu_ticks(self):
        """Processor time used, in clock ticks."""
        with open(f'/proc/{self.pid}/stat', encoding='utf-8') as file:
            fields = file.read().rsplit(')', 1)[1].split()
        return int(fields[11]) + int(fields[12])

    def stop(self, number=signal.SIGTERM, patience=10):
        """Signal it and wait; its exit status."""
        self.kill(number)
        return self.child.wait(patience)

    def close(self):
        """End it, remove its folder."""
        if self.child is not None:
            procs.end(self.child)
        procs.remove_dir(self.dir)
        if self in AGENTS:
            AGENTS.remove(self)


def logs():
    """What the agents that still run have said; for after a failure."""
    return '\n'.join(f'    {name} of {agent.dir}: {agent.text(name)[-2000:].strip()}'
                     for agent in AGENTS for name in ('log', 'stderr'))


def watch_failures():
    """Let the runner print logs() after a failed test; once for all files."""
    if logs not in cases.ON_FAILURE:
        cases.ON_FAILURE.append(logs)


watch_failures()
