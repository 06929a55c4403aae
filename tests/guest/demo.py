# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 the Tenon developers
"""The second half of scripts/demo: a guest under QEMU, the package in it, a report from it, a clean end.

    python3 tests/guest/demo.py [--first STEP] [--keep]

With --keep it takes requests from standard input before the guest is shut down.
"""

import argparse
import json
import os
import re
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'lib'))
# pylint: disable=wrong-import-position
import agent
import image
import procs
import report
from hostport import AgentError

QUESTIONS = ('guest-ping', 'guest-get-osinfo', 'guest-get-host-name', 'guest-get-time',
             'guest-network-get-interfaces', 'guest-get-fsinfo', 'tenon-get-status')
STEPS = 7

HELP = '''Type a command of the guest agent, if need be with its arguments as JSON:
  guest-ping
  guest-get-time
  guest-set-time {"time": 1}
  guest-info                (lists all commands)
quit, or the end of the input, shuts the guest down.'''


class Progress:
    """Numbered steps with their seconds."""

    def __init__(self, first):
        self.number = first - 1
        self.begin = None

    def step(self, text):
        """The step before is done, this one begins."""
        self.done()
        self.number += 1
        self.begin = time.monotonic()
        print(f'[{self.number}/{STEPS}] {text} …', flush=True)

    def done(self):
        """The seconds of the step that ends."""
        if self.begin is not None:
            print(f'      {time.monotonic() - self.begin:.0f} s', flush=True)
        self.begin = None


def shut_down(guest):
    """Ask the agent for a powerdown and wait until QEMU says that the guest itself has switched off."""
    guest.port.order('guest-shutdown', {'mode': 'powerdown'})
    event = guest.wait_event('SHUTDOWN', 120)
    guest.wait_end(30)
    if event['data'] != {'guest': True, 'reason': 'guest-shutdown'}:
        raise RuntimeError(f'QEMU says {event["data"]}, not that the guest shut down by itself')
    if 'Power down' not in guest.log():
        raise RuntimeError("the guest's log does not end with the kernel's 'Power down'")


def check_disk(path):
    """The ext4 file system on a guest's disk is unmounted and without errors; what e2fsck said last."""
    raw = path + '.raw'
    procs.run(['qemu-img', 'convert', '-f', 'qcow2', '-O', 'raw', path, raw])
    head = procs.run(['dumpe2fs', '-h', raw])
    told = procs.run(['e2fsck', '-f', '-n', raw], timeout=300)
    os.unlink(raw)
    if not re.search(r'Filesystem state:\s+clean\n', head):
        raise RuntimeError('the file system of the guest is not clean')
    if 'needs_recovery' in head:
        raise RuntimeError('the file system of the guest was not unmounted')
    return told.strip().splitlines()[-1]


def answer(guest, line):
    """Answer one line of the prompt."""
    name, _, rest = line.partition(' ')
    try:
        arguments = json.loads(rest) if rest.strip() else None
        reply = guest.port.request(name, arguments, 60)
    except ValueError as error:
        print(f'the arguments are no JSON: {error}')
    except (TimeoutError, OSError) as error:
        print(error)
    else:
        print(json.dumps(reply.get('return', reply), indent=2, ensure_ascii=False), flush=True)


def read_line():
    """A line that was typed, or one of a file, which is shown as if it had been typed."""
    if sys.stdin.isatty():
        return input('tenon> ').strip()
    line = input().strip()
    print(f'tenon> {line}')
    return line


def converse(guest):
    """The prompt of --keep: until quit, the end of the input, or the end of the guest."""
    print(HELP, flush=True)
    while guest.process.poll() is None:
        try:
            line = read_line()
        except (EOFError, KeyboardInterrupt):
            print()
            return
        if line in ('quit', 'exit'):
            return
        if line in ('help', '?'):
            print(HELP)
        elif line:
            answer(guest, line)


def ask_all(guest):
    """Put the questions; {command: value}. The first one waits until the agent is up."""
    guest.port.wait_agent(60)
    return {name: guest.ask(name) for name in QUESTIONS}


def finish(guest, progress):
    """Shut down, unless somebody asked for that at the prompt, and look at the disk."""
    progress.step('shutting the guest down through the agent')
    if guest.process.poll() is None:
        shut_down(guest)
        print('      QEMU: SHUTDOWN, guest-shutdown, asked for by the guest itself')
    else:
        print('      it has gone down already')
    state = check_disk(os.path.join(guest.folder, 'disk.qcow2'))
    print(f"      the guest's log: {guest.log().strip().splitlines()[-1]}")
    print(f'      its disk: clean, unmounted; e2fsck: {state}')
    progress.done()


def main():
    """Run the steps."""
    parser = argparse.ArgumentParser(description='show the agent in a guest')
    parser.add_argument('--first', type=int, default=1, help='number of the first step')
    parser.add_argument('--keep', action='store_true', help='ask for more requests before the end')
    options = parser.parse_args()
    procs.exit_on_signals()
    progress = Progress(options.first)
    progress.step('guest image: Debian with systemd, from the cache or made now')
    image.get()
    progress.step('booting it under QEMU: virtio-serial port, i6300esb watchdog, balloon')
    with agent.boot_full(smp=2) as guest:
        progress.step('dpkg -i inside the guest')
        print('      ' + agent.install(guest).strip().splitlines()[-1])
        progress.step('asking the agent over the port')
        answers = ask_all(guest)
        progress.done()
        print('\n' + report.page(answers) + '\n', flush=True)
        if options.keep:
            converse(guest)
        finish(guest, progress)
    print('The demo is through: everything was answered, the guest went down cleanly.')


if __name__ == '__main__':
    try:
        main()
    except (RuntimeError, AssertionError, OSError, AgentError) as failure:
        sys.exit(f'demo: {failure}')
    except KeyboardInterrupt:
        sys.exit('demo: interrupted; the guest was ended')
