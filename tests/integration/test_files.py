# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 the Tenon developers
"""Guest files, large and over bad connections: replies that are streams, and hosts that vanish, stop reading,
pipeline, start over, or share a handle. One agent serves all tests; a file is 48 MiB unless it says otherwise."""

import base64
import hashlib
import json
import os
import random
import socket
import time

from cases import check, equal, note, shared, test
from hostport import AgentError
import hostport
import tenond

SIZE = 48 << 20


@shared
def agent():
    """The one agent, which allows all, with a file to read."""
    made = tenond.Agent('[policy]\npreset=open\n', options=tenond.plugin_options(('files', 'exec')))
    with open(made.path('data'), 'wb') as file:
        file.write(random.Random(1).randbytes(SIZE))
    return made


def open_file(host, name='data', mode='r'):
    """A handle."""
    return host.ask('guest-file-open', path=agent().path(name), mode=mode)


def request(name, number, **arguments):
    """A request as text."""
    return json.dumps({'execute': name, 'arguments': {k.replace('_', '-'): v for k, v in arguments.items()},
                       'id': number}) + '\n'


def bytes_of(reply):
    """What a read brought, checked against its count."""
    data = base64.b64decode(reply['return']['buf-b64'], validate=True)
    equal(reply['return']['count'], len(data), 'count')
    return data


def read_reply(host):
    """The next reply. Unlike read_line() it does not look at what came before again and again."""
    parts = [host.buffer]
    deadline = time.monotonic() + 30
    while b'\n' not in parts[-1]:
        host.socket.settimeout(max(0.1, deadline - time.monotonic()))
        parts.append(host.socket.recv(1 << 20))
        check(parts[-1], 'the connection was closed')
    last, host.buffer = parts.pop().split(b'\n', 1)
    return json.loads(b''.join(parts) + last)


def stalled(handle, size=SIZE):
    """A host that has asked for much and does not read."""
    host = agent().host()
    host.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
    host.send(request('guest-file-read', 1, handle=handle, count=size))
    time.sleep(0.2)
    return host


def alive():
    """The agent is the one that was started, and answers at once."""
    check(agent().child.poll() is None, 'the agent ended')
    equal(agent().ask('guest-ping'), {}, 'guest-ping')


@test(timeout=60)
def a_large_read_is_right_and_takes_no_memory():
    host = agent().host()
    handle = open_file(host)
    before = agent().status_kib('VmHWM')
    host.send(request('guest-file-read', 7, handle=handle, count=SIZE) + request('guest-ping', 8))
    reply = read_reply(host)
    equal(reply['id'], 7, 'id')
    equal(reply['return']['eof'], False, 'eof')
    with open(agent().path('data'), 'rb') as file:
        equal(hashlib.sha256(bytes_of(reply)).digest(), hashlib.sha256(file.read()).digest(), 'sum of the bytes')
    equal(read_reply(host), {'return': {}, 'id': 8}, 'reply to the ping behind it')
    equal(host.ask('guest-file-read', handle=handle, count=SIZE), {'count': 0, 'buf-b64': '', 'eof': True}, 'the rest')
    peak = agent().status_kib('VmHWM')
    note(f'peak resident memory {peak} KiB, before the read {before} KiB')
    with open(f'/proc/{agent().pid}/maps', encoding='utf-8') as file:
        check('libasan' in file.read() or peak < before + 2048, f'{peak - before} KiB more at the peak')
    host.ask('guest-file-close', handle=handle)
    host.close()


@test(timeout=60)
def a_large_write_is_right():
    host = agent().host()
    handle = open_file(host, 'copy', 'w+')
    data = random.Random(2).randbytes((47 << 20) + 1)
    text = base64.b64encode(data).decode()
    equal(host.ask('guest-file-write', timeout=30, handle=handle, buf_b64=text)['count'], len(data), 'count')
    with open(agent().path('copy'), 'rb') as file:
        check(file.read() == data, 'other bytes were written')
    text = text[:1 << 20]
    for broken in (text[:-1] + '!', text[:1000] + '\\u00e9' + text[1000:], text[:-3]):
        host.send('{"execute": "guest-file-write", "arguments": {"handle": %d, "buf-b64": "%s"}}\n' % (handle, broken))
        check('error' in read_reply(host), 'broken base64 was taken')
    equal(host.ask('guest-file-seek', handle=handle, offset=0, whence='cur')['position'], len(data), 'position')
    host.ask('guest-file-close', handle=handle)
    host.close()


@test(timeout=60)
def hosts_that_vanish_in_mid_reply():
    host = agent().host()
    handle = open_file(host)
    fds = agent().fds()
    for _ in range(20):
        stalled(handle).close()
        host.ask('guest-file-seek', handle=handle, offset=0, whence='set')
    alive()
    host.ask('guest-file-close', handle=handle)
    host.close()
    time.sleep(0.2)
    check(agent().fds() < fds, f'{agent().fds()} descriptors, before {fds}')


@test(timeout=60)
def a_host_that_stops_reading_costs_nothing():
    other = agent().host()
    handle = open_file(other)
    host = stalled(handle)
    ticks, memory = agent().cpu_ticks(), agent().status_kib()
    time.sleep(1)
    check(agent().cpu_ticks() - ticks < 10, 'it spins')
    agent().check_growth(memory, 1024)
    equal(other.ask('guest-ping'), {}, 'ping of another host')
    second = open_file(other)
    equal(other.ask('guest-file-read', handle=second, count=10)['count'], 10, 'another handle')
    equal(len(bytes_of(read_reply(host))), SIZE, 'bytes, when it reads again')
    for number in (handle, second):
        other.ask('guest-file-close', handle=number)
    host.close()
    other.close()


@test(timeout=60)
def pipelined_close_seek_and_read_wait_their_turn():
    host = agent().host()
    handle = open_file(host)
    host.send(request('guest-file-read', 1, handle=handle, count=SIZE - 10) +
              request('guest-file-seek', 2, handle=handle, offset=0, whence='cur') +
              request('guest-file-read', 3, handle=handle, count=SIZE) +
              request('guest-file-close', 4, handle=handle) +
              request('guest-file-read', 5, handle=handle))
    replies = [read_reply(host) for _ in range(5)]
    equal([reply['id'] for reply in replies], [1, 2, 3, 4, 5], 'ids')
    equal(len(bytes_of(replies[0])), SIZE - 10, 'bytes of the first read')
    equal(replies[1]['return']['position'], SIZE - 10, 'position')
    equal((len(bytes_of(replies[2])), replies[2]['return']['eof']), (10, True), 'the second read')
    equal(replies[3]['return'], {}, 'close')
    check('has not been found' in replies[4]['error']['desc'], str(replies[4]))
    host.close()


@test(timeout=60)
def a_file_that_shrinks_in_the_middle_of_a_read():
    with open(agent().path('shrinks'), 'wb') as file:
        file.truncate(SIZE)
    other = agent().host()
    handle = open_file(other, 'shrinks')
    host = stalled(handle)
    os.truncate(agent().path('shrinks'), 20 << 20)
    reply = read_reply(host)
    equal((len(bytes_of(reply)), reply['return']['eof']), (20 << 20, True), 'bytes and eof')
    equal(other.ask('guest-file-seek', handle=handle, offset=0, whence='cur')['position'], 20 << 20, 'position')
    other.ask('guest-file-close', handle=handle)
    host.close()
    other.close()


@test(timeout=60)
def two_readers_of_one_handle():
    first, second = agent().host(), agent().host()
    handle = open_file(first)
    for host in (first, second):
        host.send(request('guest-file-read', 1, handle=handle, count=SIZE // 2))
    halves = [bytes_of(read_reply(host)) for host in (first, second)]
    with open(agent().path('data'), 'rb') as file:
        data = file.read()
    check(b''.join(halves) == data or b''.join(reversed(halves)) == data, 'the two are not the halves of the file')
    first.ask('guest-file-close', handle=handle)
    first.close()
    second.close()


@test(timeout=60)
def a_sync_ends_the_reply_and_frees_the_handle():
    handle = open_file(agent().host())
    host = stalled(handle)
    host.send('{"execute": "guest-sync-delimited", "arguments": {"id": 5}}\n')
    time.sleep(0.2)
    reply = read_reply(host)
    check(len(bytes_of(reply)) < 4 << 20, 'the whole reply was sent')
    equal(reply['return']['eof'], False, 'eof')
    equal(host.read_line(), b'\xff{"return": 5}', 'reply to the sync')
    position = host.ask('guest-file-seek', handle=handle, offset=0, whence='cur')['position']
    equal(position, reply['return']['count'], 'position')
    host.ask('guest-file-close', handle=handle)
    host.close()


@test(timeout=60)
def the_control_socket_streams_too():
    control = hostport.HostPort(agent().control).open()
    handle = open_file(control)
    control.send(request('guest-file-read', 1, handle=handle, count=SIZE))
    equal(len(bytes_of(read_reply(control))), SIZE, 'bytes')
    control.ask('guest-file-close', handle=handle)
    control.close()


@test(timeout=60)
def many_hosts_read_at_once():
    opener = agent().host()
    handles = [open_file(opener) for _ in range(8)]
    before = agent().status_kib()
    hosts = [stalled(handle) for handle in handles]
    agent().check_growth(before, 8192)
    for host in hosts:
        equal(len(bytes_of(read_reply(host))), SIZE, 'bytes')
        host.close()
    for handle in handles:
        opener.ask('guest-file-close', handle=handle)
    opener.close()
    alive()


@test(timeout=60)
def much_output_of_a_program_is_told_without_memory():
    host = agent().host()
    script = f'head -c {16 << 20} /dev/zero; head -c {16 << 20} /dev/zero >&2'
    pid = host.ask('guest-exec', path='/bin/sh', arg=['-c', script], capture_output=True)['pid']
    time.sleep(2)
    kept, begin = agent().status_kib(), time.monotonic()
    while True:
        host.send(request('guest-exec-status', 1, pid=pid))
        status = read_reply(host)['return']
        if status['exited']:
            break
        check(time.monotonic() - begin < 30, 'the program does not end')
        time.sleep(0.2)
        kept = agent().status_kib()
    for name in ('out', 'err'):
        equal(base64.b64decode(status[f'{name}-data']), bytes(16 << 20), f'{name}-data')
    note(f'{kept} KiB with the outputs, at the peak {agent().status_kib("VmHWM")} KiB')
    try:
        host.ask('guest-exec-status', pid=pid)
        check(False, 'it was told twice')
    except AgentError as error:
        check('does not exist' in str(error), str(error))
    host.close()


@test
def stopping_in_mid_reply():
    """The last test: it ends the agent."""
    handle = open_file(agent().host())
    host, other = stalled(handle), stalled(handle)
    other.send(request('guest-file-close', 2, handle=handle))
    time.sleep(0.2)
    equal(agent().stop(), 0, 'exit status')
    host.close()
    other.close()
