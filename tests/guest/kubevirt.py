# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 the Tenon developers
"""A poller with KubeVirt's requests and intervals: what its virt-launcher asks a guest, for ever, through libvirt.

users 10 s, fsfreeze-status 5 s, system (interfaces, os, host name, time zone, load) 120 s, file systems 300 s,
guest-info 300 s, and the requests of its VM statistics with their time to live. Probes by guest-exec are not among
them: each leaves an audit record.
"""

import collections
import time

import agent
from libvirt import NAME

Look = collections.namedtuple('Look', 'lines switches heap_kib rss_kib')


def asked(command):
    """The words of virsh for a plain command of the agent."""
    return ('qemu-agent-command', f'{{"execute": "{command}"}}')


EVERY = (  # seconds, words of virsh
    (5, asked('guest-fsfreeze-status')),
    (10, ('guestinfo', '--user')),
    (20, asked('guest-get-load')), (20, asked('guest-get-cpustats')), (20, asked('guest-get-diskstats')),
    (60, asked('guest-get-time')), (60, asked('guest-get-vcpus')), (60, asked('guest-get-memory-block-info')),
    (120, ('guestinfo', '--os', '--hostname', '--timezone', '--interface')),
    (300, ('guestinfo', '--filesystem')), (300, asked('guest-info')), (300, asked('guest-get-disks')),
    (300, asked('guest-network-get-route')), (300, asked('guest-get-osinfo')),
)


class Poller:
    """Asks what is due, one after the other, like one connection of libvirt's."""

    def __init__(self, host, scale):
        self.host = host
        self.tasks = [[0, seconds * scale, words] for seconds, words in EVERY]
        self.count = self.slowest = 0

    def reset(self):
        """Forget the figures."""
        self.count = self.slowest = 0

    def ask(self, words):
        """One request, which must not fail."""
        begin = time.monotonic()
        self.host.virsh(words[0], NAME, *words[1:])
        self.slowest = max(self.slowest, time.monotonic() - begin)
        self.count += 1

    def run(self, seconds):
        """Poll for so long."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            for task in self.tasks:
                if task[0] <= time.monotonic():
                    task[0] = time.monotonic() + task[1]
                    self.ask(task[2])
            time.sleep(max(0, min(min(task[0] for task in self.tasks), end) - time.monotonic()))


def look(host):
    """The agent's lines in the journal, its wakeups and memory, seen from inside."""
    lines = int(host.run('journalctl -q -b -u tenond -o cat --no-pager | wc -l'))
    return Look(lines, agent.switches(host), agent.heap_kib(host), agent.rss_kib(host))
