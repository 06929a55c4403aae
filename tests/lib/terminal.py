# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 the Tenon developers
"""A program in a pseudo-terminal of a given width."""

import fcntl
import os
import pty
import struct
import termios


def run(argv, columns=80, environment=None):
    """Run argv[0], a path, to its end; (exit status, what the terminal was sent, with plain line ends)."""
    pid, master = pty.fork()
    if pid == 0:
        try:
            fcntl.ioctl(1, termios.TIOCSWINSZ, struct.pack('HHHH', 24, columns, 0, 0))
            os.execve(argv[0], argv, {'PATH': os.environ['PATH'], 'TERM': 'xterm', 'LC_ALL': 'C.UTF-8',
                                      **(environment or {})})
        finally:
            os._exit(127)
    output = b''
    while True:
        try:
            piece = os.read(master, 65536)
        except OSError:  # Linux tells the end of a terminal so
            break
        if not piece:
            break
        output += piece
    os.close(master)
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    return status, output.decode(errors='surrogateescape').replace('\r\n', '\n')
