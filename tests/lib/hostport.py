# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 the Tenon developers
"""The host's end of the guest agent's port: a client of the QEMU guest agent protocol.

It behaves like libvirt: a guest-sync after connecting and after any time-out, then plain requests, one
line each. Below that stand raw bytes, so that a test can misbehave in any way it likes.
"""

import json
import random
import socket
import time


class AgentError(Exception):
    """The agent answered with an error; .klass and .desc are its parts."""

    def __init__(self, command, error):
        super().__init__(f"{command}: {error.get('class')}: {error.get('desc')}")
        self.klass = error.get('class')
        self.desc = error.get('desc')


class HostPort:
    """One host connection to a port's unix socket; may be closed and opened again."""

    def __init__(self, path):
        self.path = path
        self.socket = None
        self.buffer = b''
        self.synced = False

    def open(self):
        """Connect, if not connected."""
        if self.socket is None:
            self.socket = socket.socket(socket.AF_UNIX)
            self.socket.connect(self.path)
            self.buffer = b''
            self.synced = False
        return self

    def close(self):
        """Disconnect; what the agent had said is lost, as with a real host."""
        if self.socket is not None:
            self.socket.close()
            self.socket = None

    def reopen(self):
        """Disconnect and connect anew."""
        self.close()
        return self.open()

    def send(self, data, timeout=30):
        """Send raw bytes or text; TimeoutError when the guest takes them too slowly."""
        self.open()
        self.socket.settimeout(timeout)
        self.socket.sendall(data.encode() if isinstance(data, str) else data)

    def _fill(self, deadline):
        """Read once into the buffer; TimeoutError at the deadline."""
        rest = deadline - time.monotonic()
        if rest <= 0:
            raise TimeoutError('no answer from the agent')
        self.socket.settimeout(rest)
        try:
            data = self.socket.recv(1 << 16)
        except TimeoutError:
            raise TimeoutError('no answer from the agent') from None
        if not data:
            self.close()
            raise ConnectionError('the port was closed')
        self.buffer += data

    def read_bytes(self, timeout):
        """Whatever has arrived within the time: at least one byte, b'' when nothing came."""
        self.open()
        try:
            if not self.buffer:
                self._fill(time.monotonic() + timeout)
        except TimeoutError:
            return b''
        data, self.buffer = self.buffer, b''
        return data

    def read_line(self, timeout=10):
        """One line without its newline, as bytes."""
        deadline = time.monotonic() + timeout
        while b'\n' not in self.buffer:
            self._fill(deadline)
        line, self.buffer = self.buffer.split(b'\n', 1)
        return line

    def sync(self, timeout=5):
        """guest-sync as libvirt does it: stale replies and garbage before the right id are dropped."""
        self.open()
        number = random.randrange(1, 1 << 40)
        self.send(json.dumps({'execute': 'guest-sync', 'arguments': {'id': number}}) + '\n')
        deadline = time.monotonic() + timeout
        while True:
            line = self.read_line(max(0, deadline - time.monotonic()))
            try:
                message = json.loads(line.lstrip(b'\xff'))
            except ValueError:
                continue
            if isinstance(message, dict) and message.get('return') == number:
                self.synced = True
                return

    def wait_agent(self, timeout=60):
        """Sync until the agent answers."""
        deadline = time.monotonic() + timeout
        while True:
            try:
                return self.reopen().sync(2)
            except (TimeoutError, OSError):
                if time.monotonic() > deadline:
                    raise TimeoutError(f'the agent did not answer within {timeout} s') from None
                time.sleep(0.2)

    def request(self, command, arguments=None, timeout=10):
        """Send one command and return the whole reply as a dictionary."""
        if self.socket is None or not self.synced:
            self.sync(timeout)
        message = {'execute': command}
        if arguments is not None:
            message['arguments'] = arguments
        try:
            self.send(json.dumps(message) + '\n')
            return json.loads(self.read_line(timeout))
        except TimeoutError:
            self.synced = False
            raise TimeoutError(f'{command}: no answer within {timeout} s') from None

    def order(self, command, arguments=None):
        """Send one command that has no reply (guest-shutdown)."""
        if self.socket is None or not self.synced:
            self.sync()
        self.send(json.dumps({'execute': command, 'arguments': arguments or {}}) + '\n')

    def ask(self, command, timeout=10, **arguments):
        """The value a command returns; AgentError when it is an error. An '_' in a name stands for '-'."""
        named = {name.replace('_', '-'): value for name, value in arguments.items()}
        reply = self.request(command, named or None, timeout)
        if 'error' in reply:
            raise AgentError(command, reply['error'])
        return reply['return']
