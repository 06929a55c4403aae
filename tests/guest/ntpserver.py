# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 the Tenon developers
"""A stand-in for an NTP server: start() starts one in the background.

It answers on a UDP port of 127.0.0.1 with this machine's time, put ahead by some
seconds. A guest reaches it through QEMU's user network as 10.0.2.2. It reads the clock and never touches it.
"""

import os
import socket
import struct
import sys
import time

import procs

ERA = 2208988800  # seconds from 1900 to 1970
HEADER = '!BBbbII4sQQQQ'  # RFC 5905, 7.3


def stamp(ahead):
    """Now as NTP has it: seconds since 1900, and 32 bits of fraction."""
    now = time.time_ns() + int(ahead * 1e9)
    return ((now // 10**9 + ERA) << 32) + (now % 10**9 << 32) // 10**9


def answer(request, ahead):
    """The reply to one request of a client; None when it is none."""
    received = stamp(ahead)
    if len(request) < struct.calcsize(HEADER) or request[0] & 7 != 3:
        return None
    sent = struct.unpack(HEADER, request[:48])[-1]
    return struct.pack(HEADER, (request[0] & 0x38) | 4, 1, request[2], -20, 0, 16, b'HOST',
                       received, sent, received, stamp(ahead))


def serve(port_file, ahead):
    """Answer for ever."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(('127.0.0.1', 0))
        with open(port_file + '.new', 'w', encoding='ascii') as file:
            file.write(str(server.getsockname()[1]))
        os.rename(port_file + '.new', port_file)
        while True:
            request, sender = server.recvfrom(1024)
            reply = answer(request, ahead)
            if reply:
                server.sendto(reply, sender)


def start(ahead=0.0):
    """Start one in the background; its port."""
    path = os.path.join(procs.temp_dir(), 'port')
    folders = [os.path.dirname(os.path.abspath(module)) for module in (__file__, procs.__file__)]
    procs.start([sys.executable, '-c', f'import sys; sys.path[:0] = {folders!r}; import ntpserver; '
                 f'ntpserver.serve({path!r}, {ahead})'])
    procs.wait_for(lambda: os.path.exists(path), 20, 'the stand-in for an NTP server')
    with open(path, encoding='ascii') as file:
        return int(file.read())
