# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 the Tenon developers
"""A guest that answers tenon-host as a test likes: honest, but for what it is told to do wrong.

answers is a dictionary: command → what it returns, or a function of the arguments that returns it. bytes are
sent as they are, an Exception becomes an error, SILENCE nothing at all.
"""

import json
import os
import socket
import threading

import procs

SILENCE = object()


class FakeGuest:
    """Listens on a unix socket; serves one connection after the other, in a thread."""

    def __init__(self, answers=None, qmp=False, after=b''):
        self.dir = procs.temp_dir()
        self.path = os.path.join(self.dir, 'guest.sock')
        self.answers = answers or {}
        self.qmp = qmp
        self.after = after  # sent when a QMP client has negotiated
        self.asked = []
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(self.path)
        self.listener.listen()
        self.thread = threading.Thread(target=self._serve, daemon=True)
        self.thread.start()

    def close(self):
        """No more connections. The thread must have left accept() before the number of its socket is another guest's."""
        self.listener.shutdown(socket.SHUT_RDWR)
        self.thread.join(5)
        self.listener.close()
        procs.remove_dir(self.dir)

    def _serve(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            try:
                self._talk(client)
            except OSError:
                pass
            client.close()

    def _talk(self, client):
        if self.qmp:
            client.sendall(b'{"QMP": {"version": {}, "capabilities": []}}\n')
        for line in client.makefile('rb'):
            request = json.loads(line.lstrip(b'\xff'))
            answer = self._answer(request['execute'], request.get('arguments', {}))
            if answer is SILENCE:
                continue
            if not isinstance(answer, bytes):
                answer = self._line(request, answer)
            client.sendall(answer)
            if request['execute'] == 'qmp_capabilities':
                client.sendall(self.after)

    def _answer(self, command, arguments):
        if command == 'qmp_capabilities':
            return {}
        if command == 'guest-sync-delimited':
            return b'\xff' + json.dumps({'return': arguments['id']}).encode() + b'\n'
        self.asked.append((command, arguments))
        answer = self.answers.get(command, KeyError(f'The command {command} has not been found'))
        return answer(arguments) if callable(answer) else answer

    def _line(self, request, answer):
        reply = {'id': request['id']} if self.qmp else {}
        if isinstance(answer, Exception):
            reply['error'] = {'class': 'GenericError', 'desc': answer.args[0]}
        else:
            reply['return'] = answer
        return json.dumps(reply).encode() + b'\n'
