# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 the Tenon developers
"""Runs commands in a guest over its second serial line, where recipe.SHELL listens.

Each command carries a random token that frames its output, so nothing that was left over from before
(a reboot, a command that timed out) is taken for an answer.
"""

import base64
import secrets
import time

import procs

READY = b'TENON-HARNESS-READY'


class Console:
    """The host's end of the harness's serial line."""

    def __init__(self, path):
        self.socket = procs.connect(path)
        self.buffer = b''

    def close(self):
        """Drop the connection."""
        self.socket.close()

    def _read_until(self, mark, timeout, what):
        """The bytes before a mark, which is dropped together with them."""
        deadline = time.monotonic() + timeout
        while mark not in self.buffer:
            rest = deadline - time.monotonic()
            if rest <= 0:
                raise TimeoutError(f'{what}: nothing within {timeout} s; so far: {self.buffer[-500:]!r}')
            self.socket.settimeout(rest)
            try:
                data = self.socket.recv(65536)
            except TimeoutError:
                continue
            if not data:
                raise ConnectionError(f'{what}: the guest is gone')
            self.buffer += data
        before, self.buffer = self.buffer.split(mark, 1)
        return before

    def wait_ready(self, timeout):
        """Wait until the guest's shell listens: after each boot, once."""
        self._read_until(READY, timeout, 'waiting for the guest to boot')

    def sh(self, script, timeout=30):
        """Run a script in the guest; (status, output). The guest ends it at the time-out (124 or 143)."""
        token = secrets.token_hex(8)
        code = base64.b64encode(script.encode()).decode()
        self.socket.settimeout(timeout)
        self.socket.sendall(f'{token} {timeout} {code}\n'.encode())
        what = f'sh {script[:60]!r}'
        self._read_until(f'{token} begin\n'.encode(), timeout + 10, what)
        output = self._read_until(f'\n{token} end '.encode(), timeout + 10, what)
        status = self._read_until(b'\n', 10, what)
        return int(status), output.decode(errors='replace').removesuffix('\n')
