# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 the Tenon developers
"""A QMP client: commands and events over QEMU's monitor socket.

Events that arrive while a command waits for its reply are kept in order; wait_event() takes the first
that fits away, so the same event can be awaited twice.
"""

import json
import time

import procs


class QmpError(Exception):
    """QEMU refused a command."""


class Qmp:
    """One connection to QEMU's monitor."""

    def __init__(self, path):
        self.socket = procs.connect(path)
        self.buffer = b''
        self.events = []
        self._next(time.monotonic() + 20)
        self.execute('qmp_capabilities')

    def close(self):
        """Drop the connection."""
        self.socket.close()

    def _next(self, deadline):
        """The next JSON object, or None when the deadline passed; ConnectionError when QEMU is gone."""
        while b'\n' not in self.buffer:
            rest = deadline - time.monotonic()
            if rest <= 0:
                return None
            self.socket.settimeout(rest)
            try:
                data = self.socket.recv(65536)
            except TimeoutError:
                return None
            if not data:
                raise ConnectionError('QEMU closed its monitor')
            self.buffer += data
        line, self.buffer = self.buffer.split(b'\n', 1)
        return json.loads(line)

    def execute(self, command, arguments=None, timeout=20):
        """Run one command and return its value."""
        request = {'execute': command}
        if arguments:
            request['arguments'] = arguments
        self.socket.sendall(json.dumps(request).encode() + b'\n')
        deadline = time.monotonic() + timeout
        while True:
            message = self._next(deadline)
            if message is None:
                raise TimeoutError(f'QMP {command}: no reply in {timeout} s')
            if 'event' in message:
                self.events.append(message)
            elif 'error' in message:
                raise QmpError(f"{command}: {message['error']['desc']}")
            elif 'return' in message:
                return message['return']

    def wait_event(self, name, timeout, **data):
        """The first event of this name whose data has the given members; TimeoutError when none comes."""
        deadline = time.monotonic() + timeout
        seen = 0
        while True:
            for event in self.events[seen:]:
                if event['event'] == name and data.items() <= event.get('data', {}).items():
                    self.events.remove(event)
                    return event
            seen = len(self.events)
            message = self._next(deadline)
            if message is None:
                raise TimeoutError(f'no event {name} {data or ""} in {timeout} s')
            if 'event' in message:
                self.events.append(message)
