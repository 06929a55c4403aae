# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 the Tenon developers
"""Something that is no agent on a control socket: it says one thing to each client, whatever it is asked."""

import json
import os
import socket
import threading

import procs


class FalseAgent:
    """Answers with bytes, or a value as a line of JSON; None: nothing, and closes. Use it with `with`.

    With `times`, only so many clients are answered, and the rest sees it close.
    """

    def __init__(self, answer, times=None):
        if not isinstance(answer, (bytes, type(None))):
            answer = json.dumps(answer).encode() + b'\n'
        self.dir = procs.temp_dir()
        self.path = os.path.join(self.dir, 'control.sock')
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(self.path)
        self.listener.listen()
        self.thread = threading.Thread(target=self._run, args=(answer or b'', times))
        self.thread.start()

    def _run(self, answer, times):
        served = 0
        try:
            while True:
                client, _ = self.listener.accept()
                with client:
                    client.recv(4096)
                    client.sendall(answer if times is None or served < times else b'')
                served += 1
        except OSError:  # the socket is shut down by __exit__
            pass

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.thread.join()
        self.listener.close()
        procs.remove_dir(self.dir)
