# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 the Tenon developers
"""tenonctl on a terminal and in a pipe: colour, marks, width, hostile text."""

import json
import os
import re
import socket
import threading
import unicodedata

from cases import check, equal, test
import procs
import tenond
import terminal

CTL = tenond.built('cli/tenonctl')
NOWHERE = ('--socket', '/nonexistent/control.sock')


def columns_of(line):
    """How many columns a terminal needs for it."""
    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in 'WF' else 1 for c in line)


@test
def colour_is_for_terminals():
    for words, environment, wanted in (
            ((), {}, True), ((), {'NO_COLOR': '1'}, False), ((), {'NO_COLOR': ''}, True), ((), {'TERM': 'dumb'}, False),
            (('--color=never',), {}, False), (('--color=always',), {'NO_COLOR': '1'}, True),
            (('--color', 'always'), {'TERM': 'dumb'}, True)):
        _, output = terminal.run([CTL, *words, *NOWHERE, 'status'], environment=environment)
        equal('\x1b[' in output, wanted, f'colour with {words} and {environment}')
    check('\x1b' not in tenond.run(CTL, *NOWHERE, 'status')[1], 'colour in a pipe')
    check('\x1b[' in tenond.run(CTL, *NOWHERE, 'status', '--color=always')[1], 'no colour with --color=always')
    check('\x1b' not in tenond.run(CTL, *NOWHERE, 'status', '--color=always', '--json')[1], 'colour in JSON')


@test
def marks_are_for_terminals():
    _, output = terminal.run([CTL, *NOWHERE, 'status'], environment={'NO_COLOR': '1'})
    check('\n▲ Agent        not running\n' in output, output)
    _, output = terminal.run([CTL, *NOWHERE, 'status'], environment={'NO_COLOR': '1', 'LC_ALL': 'C'})
    check('\n! Agent        not running\n' in output, output)
    check('\nAgent        not running\n' in '\n' + tenond.run(CTL, *NOWHERE, 'status')[1], 'a mark in a pipe')


@test
def no_agent_is_said_first():
    code, output = terminal.run([CTL, *NOWHERE, 'status'])
    equal(code, 3, 'exit status')
    check(output.startswith('tenonctl: the agent is not running'), output)


@test
def lines_are_wrapped_at_the_width():
    for width in (40, 60, 80, 200):
        _, output = terminal.run([CTL, *NOWHERE, 'status', '--color=never'], columns=width)
        lines = output.splitlines()[1:]  # the first one is the error message
        lines = lines[next(i for i, line in enumerate(lines) if re.match(r'. (Advice|Attention|Agent) ', line)):]
        for line in lines:
            check(columns_of(line) <= width, f'{columns_of(line)} of {width}: {line!r}')
    words = ' '.join(tenond.run(CTL, *NOWHERE, 'drivers', '--color=never')[1].split())
    check(words, 'nothing in a pipe')


def hostile_agent(path, text):
    """An agent whose answer has the text wherever a text may be; serves every client until its socket is gone."""
    status = {'version': text, 'uptime-seconds': 1, 'health': {'state': text, 'problems': [text], 'remedies': [text]},
              'hypervisor': {'primary': {'kind': text, 'id': text},
                             'facts': [{'kind': text, 'id': text, 'evidence': text}]},
              'channels': [{'role': 'host', 'method': text, 'path': text, 'state': text, 'clients': []}],
              'policy': {'preset': text}, 'plugins': [{'name': text, 'state': text, 'commands': []}],
              'drivers': [{'kind': 'paravirtual', 'driver': text}],
              'watchdog': {'state': text, 'device': text, 'reason': text, 'last-reset': {'cause': text, 'reason': text}},
              'time': {'realtime': 0, 'clocksource': text},
              'facts': {'checks': {'checks': [{'name': text, 'state': text}]}, 'time-sync': {'owner': text},
                        'update': {'status': text, 'candidate': text, 'message': text}}}
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(path)
    listener.listen()
    listener.settimeout(30)

    def run():
        for _ in range(2):  # the status, and the time
            try:
                client, _ = listener.accept()
            except TimeoutError:
                break
            client.recv(4096)
            client.sendall(json.dumps({'return': status}).encode() + b'\n')
            client.close()
        listener.close()
    thread = threading.Thread(target=run)
    thread.start()
    return thread


@test
def hostile_text_is_escaped():
    folder = procs.temp_dir()
    path = os.path.join(folder, 'control.sock')
    thread = hostile_agent(path, '\x1b]0;owned\x07\x1b[2J\u202egnp\x9b1m\r\n\tx')
    _, output = terminal.run([CTL, '--socket', path, 'status', '--color=never'], columns=200)
    thread.join()
    procs.remove_dir(folder)
    check('\\x1b]0;owned\\x07' in output and '<U+202E>' in output and '\\x9b' in output, output)
    for character in '\x1b\x07\x9b\r\t\u202e':
        check(character not in output, f'{character!r} went to the terminal: {output!r}')


@test
def hostile_cells_and_errors_are_escaped():
    folder = procs.temp_dir()
    for i, (answer, words) in enumerate((
            ({'return': {'preset': 'x', 'origin': 'y', 'commands': [{'name': 'a\x1b[2Jb\u202ec', 'category': 'z'}]}}, ('policy',)),
            ({'error': {'class': 'X', 'desc': 'a\x1b[2Jb\u202ec'}}, ('policy',)),
            ({'return': {'plugins': [{'name': 'n', 'file': 'f', 'state': 'failed', 'reason': 'a\x1b[2Jb\u202ec'}]}}, ('plugins',)))):
        path = os.path.join(folder, str(i))
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(path)
        listener.listen()
        thread = threading.Thread(target=answer_once, args=(listener, answer))
        thread.start()
        _, output = terminal.run([CTL, '--socket', path, '--color=never', *words], columns=200)
        thread.join()
        check('\\x1b[2Jb<U+202E>c' in output, output)
        check('\x1b' not in output and '\u202e' not in output, output)
    procs.remove_dir(folder)


def answer_once(listener, answer):
    """Serve one client with one answer."""
    listener.settimeout(30)
    client, _ = listener.accept()
    client.recv(4096)
    client.sendall(json.dumps(answer).encode() + b'\n')
    client.close()
    listener.close()


@test
def wrong_words():
    for words, wanted in ((('--color=blue', 'status'), "'blue' is no value of --color; write auto, always or never"),
                          (('status', '--color=blue'), "'blue' is no value of --color"),
                          (('--color',), 'the value of the option is missing')):
        code, stdout, stderr = tenond.run(CTL, *words)
        equal((code, stdout), (2, ''), f'exit status and stdout of {words}')
        check(wanted in stderr, stderr)
