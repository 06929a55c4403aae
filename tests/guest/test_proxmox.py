# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 the Tenon developers
"""The agent as Proxmox VE talks to it: a new connection for every command.

guest-sync-delimited and the command are written at once, and the answer is what one expression finds: a
0xFF byte, then exactly two lines. A reply of the connection before must not come into it. There is a limit
to that: bytes and "the host is there" reach the guest by different queues, so the bytes of a host that
left at once look like those of one that is just arriving, and are kept for it for a moment.
"""

import json
import re
import time

import agent
from cases import check, equal, note, shared, test

ANSWER = re.compile(rb'^.*\xff([^\n]+}\r?\n[^\n]+})\r?\n', re.DOTALL)


@shared
def guest():
    """One guest for all tests of this file."""
    return agent.boot_micro()


def command(number, name, timeout=3, **arguments):
    """One command over a connection of its own; the value it returns."""
    port = guest().port.reopen()
    sync = {'execute': 'guest-sync-delimited', 'arguments': {'id': number}}
    request = {'execute': name, **({'arguments': arguments} if arguments else {})}
    port.send(json.dumps(sync) + '\n' + json.dumps(request) + '\n')
    data, deadline = b'', time.monotonic() + timeout
    while not (match := ANSWER.match(data)):
        check(time.monotonic() < deadline, f'{name}: no answer in {timeout} s, only {data!r}')
        data += port.read_bytes(0.5)
    port.close()
    first, second = match.group(1).split(b'\n')
    equal(json.loads(first)['return'], number, 'the id of the sync')
    return json.loads(second)


@test
def every_command_on_a_new_connection():
    begin = time.monotonic()
    for number in range(20):
        equal(command(number, 'guest-ping'), {'return': {}}, 'guest-ping')
    note(f'20 connections in {time.monotonic() - begin:.1f} s')


@test
def what_its_api_asks_for():
    for number, name in enumerate(('guest-info', 'guest-get-osinfo', 'guest-get-time', 'guest-get-host-name',
                                   'guest-get-timezone', 'guest-get-users', 'guest-network-get-interfaces',
                                   'guest-get-fsinfo')):
        check('return' in command(number, name), f'{name} has no value')


@test
def an_error_is_the_second_line():
    reply = command(7, 'guest-no-such-command')
    equal(reply['error']['class'], 'CommandNotFound', 'class of the error')


def leave(stay):
    """Connect, ask, and leave after some seconds without having read an answer."""
    port = guest().port.reopen()
    port.send('{"execute": "guest-sync-delimited", "arguments": {"id": 4711}}\n{"execute": "guest-info"}\n')
    time.sleep(stay)
    port.close()


@test
def a_host_that_left_without_reading_does_not_confuse_the_next():
    for number in range(10):
        leave(0.1)
        time.sleep(0.2)
        equal(command(number, 'guest-ping'), {'return': {}}, 'guest-ping')


@test
def a_host_that_left_at_once_is_forgotten():
    for number in range(10):
        leave(0)
        time.sleep(0.2)
        equal(command(number, 'guest-ping'), {'return': {}}, 'guest-ping')
