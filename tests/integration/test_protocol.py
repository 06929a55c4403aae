# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 the Tenon developers
"""What hosts say, well and badly, and what they hear. One agent serves all tests of this file: whatever one of
them did to it, the next one is answered."""

import json
import os
import random
import re
import socket
import struct

from cases import check, equal, shared, test
from hostport import AgentError
import tenond

PROXMOX = re.compile(rb'^.*\xff([^\n]+}\r?\n[^\n]+})\r?\n', re.S)
LIBVIRT_SYNC = b'{"execute":"guest-sync", "arguments":{"id":1700000000000}}\n'


@shared
def agent():
    """The one agent."""
    return tenond.Agent()


def alive():
    """The agent is the one that was started, and answers a new host at once."""
    check(agent().child.poll() is None, 'the agent ended')
    equal(agent().ask('guest-ping'), {}, 'guest-ping')


def lines(host, count):
    """The next replies, decoded."""
    return [json.loads(host.read_line().lstrip(b'\xff')) for _ in range(count)]


def fails(line, text):
    """A reply is an error whose text contains text."""
    check('error' in line and text in line['error']['desc'], f'{line} lacks {text!r}')


def proxmox(command):
    """One exchange as PVE::QMPClient does it: a new connection, sync and command in one write."""
    number = random.randrange(1, 1 << 31)
    host = agent().host()
    host.send(json.dumps({'execute': 'guest-sync-delimited', 'arguments': {'id': number}}) + '\n' +
              json.dumps({'execute': command, 'arguments': {}}) + '\n')
    data = b''
    while not PROXMOX.match(data):
        more = host.read_bytes(5)
        check(more, f'no more after {data!r}')
        data += more
    host.close()
    first, second = (json.loads(line) for line in PROXMOX.match(data)[1].splitlines())
    equal(first, {'return': number}, 'reply to the sync')
    return second


@test
def proxmox_exchange():
    equal(proxmox('guest-ping'), {'return': {}}, 'guest-ping')
    check('id' in proxmox('guest-get-osinfo')['return'], 'guest-get-osinfo has no id')
    fails(proxmox('guest-pong'), 'The command guest-pong has not been found')
    for _ in range(50):
        proxmox('guest-network-get-interfaces')
    alive()


@test
def libvirt_exchange():
    host = agent().host()
    host.send(LIBVIRT_SYNC)
    equal(host.read_line(), b'{"return": 1700000000000}', 'reply to the sync')
    for command in ('guest-info', 'guest-get-host-name', 'guest-get-time', 'guest-get-timezone'):
        host.send(f'{{"execute":"{command}"}}\n')
        check('return' in lines(host, 1)[0], f'{command} failed')
    host.close()


@test
def info_lists_the_commands():
    commands = {row['name']: row for row in agent().ask('guest-info')['supported_commands']}
    equal(commands['guest-shutdown'], {'name': 'guest-shutdown', 'enabled': True, 'success-response': False},
          'guest-shutdown in guest-info')
    for name in ('guest-sync', 'guest-sync-delimited', 'guest-ping', 'guest-info', 'guest-get-osinfo',
                 'guest-network-get-interfaces', 'guest-get-fsinfo', 'guest-get-vcpus', 'guest-set-time'):
        check(name in commands, f'{name} is missing in guest-info')


@test
def two_requests_in_one_write():
    host = agent().host()
    host.send('{"execute":"guest-ping","id":1}{"execute":"guest-get-time","id":2}\n{"execute":"guest-pong","id":3}')
    replies = lines(host, 3)
    equal([reply['id'] for reply in replies], [1, 2, 3], 'ids')
    host.close()


@test
def request_byte_by_byte():
    host = agent().host()
    host.socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1)
    for byte in b"{'execute': 'guest-sync', 'arguments': {'id': 77}}":
        host.send(bytes([byte]))
    equal(lines(host, 1), [{'return': 77}], 'reply')
    host.close()


@test
def ff_anywhere():
    text = b'{"execute":"guest-sync","arguments":{"id":5}}'
    host = agent().host()
    for at in range(len(text)):
        host.send(text[:at] + b'\xff' + text + b'\n')
    equal(lines(host, len(text)), [{'return': 5}] * len(text), 'replies, and nothing else')
    equal(host.read_bytes(0.2), b'', 'what comes after them')
    host.close()


@test
def malformed_requests():
    rows = {
        '{"execute":}': 'JSON parse error, ', '{"execute":"guest-ping",}': 'JSON parse error, ',
        '{"execute":"guest-ping","execute":"guest-ping"}': 'JSON parse error, ', 'hello': 'JSON parse error, ',
        '7': 'QMP input must be a JSON object', '[]': 'QMP input must be a JSON object',
        '{}': "QMP input lacks member 'execute'", '{"execute":7}': "QMP input member 'execute' must be a string",
        '{"execute":"guest-ping","arguments":null}': "QMP input member 'arguments' must be an object",
        '{"exec-oob":"guest-ping"}': "QMP input member 'exec-oob' is unexpected",
        '{"execute":"guest-ping","arguments":{"foo":1}}': "Parameter 'foo' is unexpected",
        '{"execute":"guest-sync"}': "Parameter 'id' is missing",
        '{"execute":"guest-sync","arguments":{"id":1.0}}': "Invalid parameter type for 'id', expected: integer",
        '{"execute":"guest-sync","arguments":{"id":18446744073709551616}}':
        "Invalid parameter type for 'id', expected: integer",
        '{"execute":"guest-exec","arguments":{}}': 'guest-exec',
        ']': 'JSON parse error, ', '"unfinished': 'JSON parse error, ',
    }
    host = agent().host()
    for text, wanted in rows.items():
        host.send(text + '\n')
        fails(lines(host, 1)[0], wanted)
        host.send('{"execute":"guest-ping"}\n')
        equal(lines(host, 1), [{'return': {}}], f'ping after {text}')
    host.close()


@test
def abandoned_halves():
    halves = [b'{"execute":"guest-pi', b'{"execute":', b'{"a":"b\\', b"{'execute':'gu", b'[[[[', b'{"id":{"id":{"id":',
              b'{"execute":"guest-ping"}{"execute":"guest-sync","arguments":{"id":1', b'\x00\x01\x02{"', b'{"a":"\xff{"']
    for half in halves:
        host = agent().host()
        host.send(half + LIBVIRT_SYNC)
        replies = []
        while {'return': 1700000000000} not in replies:
            replies += lines(host, 1)
        host.send('{"execute":"guest-ping"}\n')
        equal(lines(host, 1), [{'return': {}}], f'ping after {half!r}')
        host.send(half)
        host.close()
        alive()


@test
def binary_rubbish():
    rand = random.Random(1)
    for _ in range(20):
        host = agent().host()
        host.send(rand.randbytes(20000))
        host.send(b'\xff' + LIBVIRT_SYNC)
        while host.read_line() != b'{"return": 1700000000000}':
            pass
        host.close()
    alive()


@test
def other_protocols():
    for words in (b'GET / HTTP/1.1\r\nHost: x\r\n\r\n', b'\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03' + b'\x00' * 512,
                  b'SSH-2.0-OpenSSH_9.2\r\n', b'\x7fELF\x02\x01\x01' + bytes(4096)):
        host = agent().host()
        host.send(words)
        host.read_bytes(0.1)
        host.close()
    alive()


def push(host, head, piece, size):
    """Send head, then pieces until size bytes have gone."""
    host.send(head)
    sent = len(head)
    while sent < size:
        host.send(piece)
        sent += len(piece)


@test(timeout=120)
def largest_message():
    host = agent().host()
    agent().ask('guest-ping')
    before = agent().status_kib()
    push(host, b'{"execute":"guest-ping","arguments":{"x":"', b'y' * (1 << 16), (64 << 20) - (1 << 17))
    host.send(b'"}}\n')
    fails(json.loads(host.read_line(60)), "Parameter 'x' is unexpected")
    push(host, b'{"execute":"guest-ping","arguments":{"x":"', b'y' * (1 << 16), 80 << 20)
    host.send(b'"}}\n{"execute":"guest-ping"}\n')
    fails(json.loads(host.read_line(60)), 'JSON parse error, the message is larger than 67108864 bytes')
    equal(lines(host, 1), [{'return': {}}], 'ping after it')
    equal(host.read_bytes(0.3), b'', 'more than one error')
    host.close()
    agent().check_growth(before, 2048)


@test(timeout=120)
def array_of_zeros():
    host = agent().host()
    text = b'{"execute":"guest-ping","arguments":{"x":[0' + b',0' * ((2 << 20) - 64) + b']}}\n'
    before = agent().status_kib()
    for _ in range(3):
        host.send(text)
        fails(json.loads(host.read_line(60)), "Parameter 'x' is unexpected")
    alive()  # and so has done with it
    agent().check_growth(before, 2048)
    host.close()


@test
def deep_nesting():
    host = agent().host()
    host.send(b'[' * 1024 + b']' * 1024)
    fails(lines(host, 1)[0], 'QMP input must be a JSON object')
    host.send(b'[' * 1025 + b']' * 1025 + b'\n')
    fails(lines(host, 1)[0], 'nesting is deeper than 1024 levels')
    host.send(b'{"a":' * 200000 + b'\n{"execute":"guest-ping"}\n')
    fails(lines(host, 1)[0], 'nesting is deeper than 1024 levels')
    equal(lines(host, 1), [{'return': {}}], 'ping, after one error and not a storm of them')
    host.close()


@test(timeout=180)
def host_that_never_reads():
    count = 100000
    silent = agent().host()
    silent.socket.setblocking(False)
    data = b''.join(b'{"execute":"guest-ping","id":%d}\n' % i for i in range(count))
    before = agent().status_kib()
    sent = 0
    try:
        while sent < len(data):
            sent += silent.socket.send(data[sent:sent + 65536])
            alive()
    except BlockingIOError:
        pass
    check(sent < len(data), 'all requests were let in')
    agent().check_growth(before, 8192)
    ticks = agent().cpu_ticks()
    alive()
    check(agent().cpu_ticks() - ticks < 10, 'it spins')
    expected = 0
    while expected < count:
        if sent < len(data):
            silent.socket.setblocking(False)
            try:
                sent += silent.socket.send(data[sent:])
            except BlockingIOError:
                pass
        reply = json.loads(silent.read_line())
        equal(reply, {'return': {}, 'id': expected}, 'next reply')
        expected += 1
    silent.close()


@test
def reset_in_mid_reply():
    for _ in range(20):
        host = agent().host()
        host.send(b'{"execute":"tenon-get-status"}\n' * 500)
        host.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
        host.close()
        alive()


@test
def half_close_after_a_request():
    host = agent().host()
    host.send('{"execute":"guest-get-osinfo"}')
    host.socket.shutdown(socket.SHUT_WR)
    check('return' in lines(host, 1)[0], 'no reply')
    try:
        host.read_line(5)
        raise AssertionError('the agent did not close')
    except ConnectionError:
        pass


@test
def seventeen_clients():
    hosts = [agent().host() for _ in range(17)]
    for host in hosts[:16]:
        host.sync()
    hosts[16].send('{"execute":"guest-ping"}\n')
    equal(hosts[16].read_bytes(0.3), b'', 'the seventeenth waits')
    hosts[0].close()
    equal(lines(hosts[16], 1), [{'return': {}}], 'the seventeenth, when one has gone')
    for host in hosts[1:]:
        host.close()
    alive()


@test
def refusal_names_its_remedy():
    locked = tenond.Agent('[policy]\npreset=locked\n')
    try:
        locked.ask('guest-set-time', time=1)
        raise AssertionError('guest-set-time was allowed')
    except AgentError as error:
        equal(error.klass, 'CommandNotFound', 'class')
        check('preset=standard or allow=guest-set-time in [policy] of tenond.conf would allow it' in error.desc,
              error.desc)
    locked.close()


@test
def queries_leave_no_log():
    before = os.path.getsize(agent().log)
    for command in ('guest-ping', 'guest-info', 'guest-get-osinfo', 'guest-get-users', 'tenon-get-status'):
        agent().ask(command)
    equal(os.path.getsize(agent().log), before, 'size of the log')
