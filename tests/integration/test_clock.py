# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 the Tenon developers
"""tenon-clock as a process, with the socket that systemd would give it. No test asks for what would change a clock."""

import os
import socket
import struct
import subprocess
import time

from cases import check, equal, shared, test
import procs

PROGRAM = os.path.join(os.environ['TENON_BUILD'], 'plugins', 'helper', 'tenon-clock')
CALL = struct.Struct('=IIqq')  # version, verb, value, until
ANSWER = struct.Struct('=iiiiqq')  # errno, state, status, tai, maxerror, freq
VERSION, LOOK, STEP = 1, 0, 1
EPROTO, ETIMEDOUT = 71, 110


class Clock:
    """A running tenon-clock."""

    def __init__(self):
        self.path = os.path.join(procs.temp_dir(), 'clock.socket')
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listener:
            listener.bind(self.path)
            listener.listen()
            script = f'exec 3<&{listener.fileno()} && LISTEN_PID=$$ LISTEN_FDS=1 exec {PROGRAM}'
            self.process = procs.start(['bash', '-c', script], pass_fds=[listener.fileno()])

    def close(self):
        """End it."""
        procs.end(self.process)


@shared
def clock():
    """The one that all tests ask."""
    return Clock()


def connected():
    """A connection."""
    client = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    client.settimeout(30)
    client.connect(clock().path)
    return client


def ask(client, verb, until=None, version=VERSION, value=0):
    """The answer's fields."""
    until = time.monotonic_ns() + 30 * 10**9 if until is None else until
    client.send(CALL.pack(version, verb, value, until))
    return ANSWER.unpack(client.recv(100))


@test
def look_is_answered():
    with connected() as client:
        for _ in range(3):
            errnum, _, _, _, maxerror, _ = ask(client, LOOK)
            equal(errnum, 0, 'errno of a look')
            check(maxerror >= 0, f'maxerror is {maxerror}')


@test
def late_and_strange_calls_are_refused():
    with connected() as client:
        equal(ask(client, STEP, until=0, value=1)[0], ETIMEDOUT, 'errno of a late call')
        equal(ask(client, LOOK, version=VERSION + 1)[0], EPROTO, 'errno of another version')
        equal(ask(client, 99)[0], EPROTO, 'errno of an unknown verb')


@test
def packets_of_another_size_end_the_connection():
    for packet in (b'x', b'x' * 1000):
        with connected() as client:
            client.send(packet)
            equal(client.recv(100), b'', f'after {len(packet)} bytes')
    with connected() as client:
        equal(ask(client, LOOK)[0], 0, 'errno for the next client')


@test
def more_clients_than_places_wait():
    clients = [connected() for _ in range(12)]
    try:
        for client in clients[:8]:
            equal(ask(client, LOOK)[0], 0, 'errno of a look')
        clients[8].send(CALL.pack(VERSION, LOOK, 0, time.monotonic_ns() + 30 * 10**9))
        clients[0].close()
        equal(ANSWER.unpack(clients[8].recv(100))[0], 0, 'errno once there is a place')
    finally:
        for client in clients:
            client.close()


@test
def wants_its_socket():
    done = subprocess.run([PROGRAM], capture_output=True, text=True, timeout=30, check=False)
    equal(done.returncode, 2, 'exit status')
    check('tenon-clock.socket' in done.stderr, f'it said: {done.stderr}')
