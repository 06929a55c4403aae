# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 the Tenon developers
"""tenonctl on a terminal and in a pipe: colour, marks, width, hostile text."""

import os
import re
import shutil
import unicodedata

from cases import check, equal, test
from falseagent import FalseAgent
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


HOSTILE = '\x1b]0;owned\x07\x1b[2J\u202egnp\x9b1m\r\n\tx'


def hostile_status(text):
    """An answer that has the text wherever a text may be."""
    return {'version': text, 'uptime-seconds': 1, 'health': {'state': text, 'problems': [text], 'remedies': [text]},
            'hypervisor': {'primary': {'kind': text, 'id': text}, 'facts': [{'kind': text, 'id': text, 'evidence': text}]},
            'channels': [{'role': 'host', 'method': text, 'path': text, 'state': text, 'clients': []}],
            'policy': {'preset': text}, 'plugins': [{'name': text, 'state': text, 'commands': []}],
            'drivers': [{'kind': 'paravirtual', 'driver': text}],
            'watchdog': {'state': text, 'device': text, 'reason': text, 'last-reset': {'cause': text, 'reason': text}},
            'time': {'realtime': 0, 'clocksource': text},
            'facts': {'checks': {'checks': [{'name': text, 'state': text}]}, 'time-sync': {'owner': text},
                      'update': {'status': text, 'candidate': text, 'message': text}}}


def is_tame(output, what):
    """Nothing of HOSTILE steers the terminal, and it is there to be read."""
    check('\\x1b]0;owned\\x07' in output and '<U+202E>' in output and '\\x9b' in output, f'{what}: {output}')
    for character in '\x1b\x07\x9b\r\t\u202e':
        check(character not in output, f'{what}: {character!r} went to the terminal: {output!r}')


@test
def hostile_text_is_escaped():
    with FalseAgent({'return': hostile_status(HOSTILE)}) as false:
        _, output = terminal.run([CTL, '--socket', false.path, 'status', '--color=never'], columns=200)
    is_tame(output, 'status')


@test
def hostile_answers_of_other_verbs_are_escaped():
    for answer, words in (
            ({'preset': HOSTILE, 'origin': 'y', 'commands': [{'name': 'a', 'category': 'z'}]}, ('policy',)),
            ({'preset': 'x', 'origin': 'y', 'commands': [{'name': HOSTILE, 'category': 'z'}]}, ('policy',)),
            ({'plugins': [{'name': HOSTILE, 'file': 'f', 'state': 'failed', 'reason': 'z'}]}, ('plugins',)),
            ({'plugins': [{'name': 'n', 'file': 'f', 'state': 'failed', 'reason': HOSTILE}]}, ('plugins',)),
            ({'file-systems': [], 'hooks': [{'hook': HOSTILE}]}, ('freeze', '--check')),
            ({'file-systems': [], 'hooks': [{'hook': 'h', 'refused': HOSTILE}]}, ('freeze', '--check')),
            ({'device': HOSTILE, 'identity': 'i', 'timeout-seconds': 1}, ('watchdog', 'arm')),
            ({'state': HOSTILE, 'mode': 'm'}, ('watchdog',)),
            ({'owner': HOSTILE, 'mode': 'm'}, ('time',)),
            ({'health': {'state': 'ok'}, 'checks': [{'name': HOSTILE}]}, ('health',)),
            ({'heartbeats': [{'name': HOSTILE, 'state': 'ok'}]}, ('heartbeat', 'list'))):
        with FalseAgent({'return': answer}) as false:
            _, output = terminal.run([CTL, '--socket', false.path, '--color=never', *words], columns=400)
        is_tame(output, words)
    with FalseAgent({'error': {'class': 'X', 'desc': HOSTILE}}) as false:
        _, output = terminal.run([CTL, '--socket', false.path, 'policy'], columns=400)
    is_tame(output, 'an error')


@test
def hostile_devices_are_escaped():
    """A recording is what somebody sent: the names of its files are the names of devices and interfaces."""
    folder = os.path.join(procs.temp_dir(), 'machine')
    shutil.copytree(os.path.join(tenond.TOP, 'tests', 'machines', 'drivers-vmware-old-template'), folder, symlinks=True)
    name = HOSTILE.replace('\n', '')
    os.rename(os.path.join(folder, 'root/sys/class/net/ens33'), os.path.join(folder, 'root/sys/class/net', name))
    _, output = terminal.run([CTL, 'drivers', '--machine', folder], columns=400)
    procs.remove_dir(os.path.dirname(folder))
    is_tame(output, 'drivers')


@test
def long_work_shows_progress():
    """A check of updates may ask for minutes: on a terminal a bar says whom, in a pipe and with --json nothing does."""
    folder = procs.temp_dir()
    path = os.path.join(folder, 'tenond.conf')
    with open(path, 'w', encoding='utf-8') as file:
        file.write(f'[agent]\nstatedir={folder}\n[update]\npackage-manager=apt\n')
    words = ('update', 'check', '--file', path)
    _, output = terminal.run([CTL, *words], environment={'DBUS_SYSTEM_BUS_ADDRESS': 'unix:path=/nonexistent/bus'})
    check('[##########          ] asking the package manager' in output, output)
    check('[##' not in terminal.run([CTL, *words, '--json'])[1], 'a bar with --json')
    equal(tenond.run(CTL, *words, timeout=100)[2], '', 'standard error in a pipe')
    procs.remove_dir(folder)


# An hour of looks at the clock: a pause of ten seconds in the middle, else a fifth of a millisecond.
HOUR = {'owner': 'tenon', 'mode': 'discipline', 'configured-mode': 'auto', 'source': 'rtc', 'interval-seconds': 10,
        'offset': 200_000, 'error': 4_000_000, 'problems': [], 'history': [200_000] * 180 + [10**10] + [-200_000] * 179}


@test
def time_draws_the_last_hour():
    for width in (40, 80, 200):
        with FalseAgent({'return': HOUR}) as false:
            code, output = terminal.run([CTL, '--socket', false.path, '--color=never', 'time'], columns=width)
        equal(code, 0, 'exit status')
        check('the last 60 min, size of the offset' in output, output)
        plot = output[output.index('the last 60 min'):].splitlines()[1:]
        rows = {line[:12].strip(): line[13:] for line in plot}
        equal((rows['10 s'].count('█'), rows['100 s'].count('█')), (1, 0), 'columns that reach 10 s, and 100 s')
        check(0.4 < rows['10 s'].index('█') / len(rows['100 µs']) < 0.6, f'the pause is not in the middle: {plot}')
        check(set(rows['100 µs']) == {'█'} and max(map(columns_of, plot)) <= width, f'at {width}: {plot}')
    with FalseAgent({'return': HOUR}) as false:
        check('█' not in tenond.run(CTL, '--socket', false.path, 'time')[1], 'a plot in a pipe')


@test(timeout=120)
def time_watch_goes_on():
    """Each time on a screen that was cleared, until there is no agent to ask."""
    with FalseAgent({'return': HOUR}, times=2) as false:
        _, output = terminal.run([CTL, '--socket', false.path, '--color=never', 'time', '--watch'])
    screens = output.split('\x1b[H\x1b[J')
    equal(len(screens), 4, f'screens: {screens}')
    for screen in screens[1:3]:
        check('kept by tenon, mode discipline' in screen and 'the last 60 min' in screen, screen)


@test
def wrong_words():
    for words, wanted in ((('--color=blue', 'status'), "'blue' is no value of --color; write auto, always or never"),
                          (('status', '--color=blue'), "'blue' is no value of --color"),
                          (('--color',), 'the value of the option is missing')):
        code, stdout, stderr = tenond.run(CTL, *words)
        equal((code, stdout), (2, ''), f'exit status and stdout of {words}')
        check(wanted in stderr, stderr)
