# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 the Tenon developers
"""tenon-host beside a real agent, in both dialects, and beside guests that do it wrong.

The plugin that freezes is never loaded here: the file systems are this machine's. Freezing is asked of a fake.
"""

import base64
import json
import os
import re
import signal
import subprocess
import time

from cases import check, equal, shared, test
from fakeguest import SILENCE, FakeGuest
import procs
import tenond

MIB = 1 << 20
CONTROL = re.compile('[\0-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]')


@shared
def agent():
    """An agent with both sockets, which allows everything."""
    made = tenond.Agent(start=False, options=tenond.plugin_options(('exec', 'files', 'timesync')))
    made.configure(f'[policy]\npreset=open\n[qmp]\nmethod=unix-listen\npath={made.path("qmp.sock")}\n')
    return made.start()


def host(socket, *arguments, timeout=30, **options):
    """Run tenon-host; exit status, stdout and stderr."""
    environment = {**os.environ, 'LC_ALL': 'C.UTF-8', 'TZ': 'UTC'}
    return tenond.run(tenond.built('host/tenon-host'), '--socket', socket, *arguments, timeout=timeout,
                      env=environment, **options)


def both():
    """The sockets of the real agent, one for each dialect."""
    return agent().path('qmp.sock'), agent().socket


def fails(socket, arguments, status, text, seconds=8):
    """It must end with this status and this text, in time; returns the text."""
    begin = time.monotonic()
    got, _, stderr = host(socket, *arguments)
    equal(got, status, f'exit status of {arguments} ({stderr.strip()})')
    check(text in stderr, f'{stderr!r} lacks {text!r}')
    check(time.monotonic() - begin < seconds, f'{arguments} took {time.monotonic() - begin:.1f} s')
    check(not CONTROL.search(stderr), f'{stderr!r} has control characters')
    return stderr


@test
def status_of_tenon():
    for socket, dialect in zip(both(), ('QMP', 'QEMU guest agent')):
        status, out, stderr = host(socket, 'status')
        equal((status, stderr), (0, ''), 'status')
        check(re.search(rf'^Agent +Tenon .*{dialect}', out, re.M), out)
        check(re.search(r'^Plugins +3 of 3 running', out, re.M), out)
        parsed = json.loads(host(socket, '--json', 'status')[1])
        equal(parsed['health']['state'], 'ok', 'health')


@test
def ask():
    for socket in both():
        equal(json.loads(host(socket, 'ask', 'guest-sync', 'id=77', '--json')[1]), 77, 'guest-sync')
        equal(host(socket, 'ask', 'guest-sync', '{"id": 78}')[1], '78\n', 'guest-sync')
        check('  guest-ping ' in host(socket, 'ask', 'guest-info')[1], 'guest-info lacks a table of commands')
        fails(socket, ['ask', 'guest-nope'], 1, 'The command guest-nope has not been found')
        fails(socket, ['ask', 'guest-sync', 'id=x'], 1, "Invalid parameter type for 'id'")
        fails(socket, ['ask', 'guest-sync', 'x'], 2, 'neither KEY=VALUE')


@test
def exec_gives_output_and_status():
    script = r'printf "a\033[31mb\n"; echo err >&2; exit 7'
    for socket in both():
        equal(host(socket, 'exec', '--', 'sh', '-c', script), (7, 'a\\x1b[31mb\n', 'err\n'), 'exec')
        equal(host(socket, 'exec', '--raw', 'sh', '-c', script)[1], 'a\x1b[31mb\n', 'exec --raw')
        status, out, _ = host(socket, 'exec', '--json', 'sh', '-c', script)
        equal((status, json.loads(out)['exitcode']), (7, 7), 'exec --json')
        equal(host(socket, 'exec', '--cwd', '/usr', '--env', 'A=b c', '/bin/sh', '-c', 'pwd; echo $A')[1],
              '/usr\nb c\n', 'exec --cwd --env')
        equal(host(socket, 'exec', 'sh', '-c', 'kill -9 $$')[0], 128 + 9, 'status after a signal')
        fails(socket, ['exec', '/nonexistent'], 1, 'No such file')
        fails(socket, ['exec', '--timeout', '0.3', 'sleep', '60'], 124, 'did not end in time')


@test
def exec_input():
    data = os.urandom(300000)
    argv = [tenond.built('host/tenon-host'), '--socket', both()[0], 'exec', '--input', '--raw', 'cat']
    equal(subprocess.run(argv, input=data, stdout=subprocess.PIPE, check=True, timeout=30).stdout, data, 'cat')


@test
def cp_there_and_back():
    folder = agent().path('copies')
    os.mkdir(folder)
    source, guest, back = (os.path.join(folder, name) for name in ('source', 'guest', 'back'))
    for size in (0, 1, 5 * MIB + 7):
        data = os.urandom(size)
        with open(source, 'wb') as file:
            file.write(data)
        for socket in both():
            equal(host(socket, 'cp', source, 'guest:' + guest), (0, '', ''), f'cp of {size} bytes to the guest')
            equal(host(socket, 'cp', '--force', 'guest:' + guest, back), (0, '', ''), f'cp of {size} bytes')
            with open(back, 'rb') as file:
                check(file.read() == data, f'{size} bytes came back differently')
    fails(both()[0], ['cp', 'guest:' + guest, back], 2, '--force')
    fails(both()[0], ['cp', 'guest:' + guest, folder], 2, '--force')
    fails(both()[0], ['cp', '--force', '--max-size', '2', 'guest:' + guest, back], 2, '--max-size')
    fails(both()[0], ['cp', 'guest:/nonexistent/x', folder], 1, 'No such file')
    for words in (['a', 'b'], ['guest:/a', 'guest:/b'], ['guest:a', 'b'], ['guest:/a/..', 'b'], ['guest:/', 'b']):
        fails(both()[0], ['cp', *words], 2, 'guest:/PATH')
    equal(sorted(os.listdir(folder)), ['back', 'guest', 'source'], 'files that are left')


@test
def watch():
    status, out, _ = host(both()[0], 'watch', '--count', '1')
    equal(status, 0, 'status of watch')
    check(re.match(r'\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{6} AGENT_STARTED version=', out), out)
    out = host(both()[0], 'watch', '--count', '1', '--json', 'AGENT_STARTED')[1]
    equal(json.loads(out)['event'], 'AGENT_STARTED', 'event')
    fails(both()[1], ['watch'], 2, 'org.tenon.agent.0')


@test
def freeze_and_thaw():
    guest = FakeGuest({'guest-fsfreeze-freeze': 3, 'guest-fsfreeze-thaw': 3})
    equal(host(guest.path, 'freeze', '--timeout', '20')[:2],
          (0, 'File systems frozen: 3\n'), 'freeze')
    equal(host(guest.path, 'thaw'), (0, 'File systems thawed: 3\n', ''), 'thaw')
    equal(guest.asked, [('guest-fsfreeze-freeze', {'timeout': 20}), ('guest-fsfreeze-thaw', {})], 'asked')
    guest.answers['guest-fsfreeze-freeze'] = b'garbage\n'
    fails(guest.path, ['freeze'], 3, 'whether the guest is frozen is not known')
    guest.close()


@test
def status_of_another_agent():
    guest = FakeGuest({'guest-info': {'version': '7.2\x1b]0;x\x07', 'supported_commands': [{}, {}]},
                       'guest-get-osinfo': {'pretty-name': 'Other \u202e OS', 'kernel-release': '6.1'},
                       'guest-network-get-interfaces': [{'name': 'eth0', 'ip-addresses': [
                           {'ip-address': '192.0.2.1'}]}]})
    status, out, _ = host(guest.path, 'status')
    equal(status, 0, 'exit status')
    check('7.2\\x1b]0;x\\x07, 2 commands' in out and 'Other \\u202e OS' in out, out)
    check(re.search('^Network +eth0: 192.0.2.1$', out, re.M), out)
    guest.close()


@test
def hostile_text_is_escaped_everywhere():
    bad = 'x\x1b[2J\x9b31m\x7f\u202e\u2066y'
    event = {'event': bad, 'data': {bad: bad}, 'timestamp': {'seconds': 1 << 62, 'microseconds': -5}}
    guest = FakeGuest({'guest-a': {bad: bad}, 'guest-b': [{bad: bad}], 'guest-c': bad, 'guest-d': OSError(bad),
                       'guest-exec': {'pid': 1},
                       'guest-exec-status': {'exited': True, 'exitcode': 0,
                                             'out-data': base64.b64encode(bad.encode()).decode()}},
                      qmp=True, after=json.dumps(event).encode() + b'\n')
    runs = [['ask', f'guest-{letter}', *json_too] for letter in 'abcd' for json_too in ([], ['--json'])]
    runs += [['watch', '-n', '1'], ['watch', '-n', '1', '--json'], ['exec', 'x'], ['exec', '--json', 'x']]
    for arguments in runs:
        _, out, stderr = host(guest.path, *arguments)
        check(len(out + stderr) > 10, f'{arguments} says nothing')
        check(not CONTROL.search(out + stderr), f'{arguments}: {out + stderr!r} has control characters')
    guest.close()


@test
def guests_that_do_not_answer():
    quick = ['--timeout', '1']
    for qmp in (False, True):
        guest = FakeGuest({'guest-ping': SILENCE, 'guest-shutdown': SILENCE}, qmp=qmp)
        fails(guest.path, [*quick, 'ask', 'guest-ping'], 124, 'did not answer in time')
        equal(host(guest.path, *quick, 'ask', 'guest-shutdown')[0], 0, 'a command that has no answer')
        guest.close()
    fails('/nonexistent/socket', ['status'], 3, 'nobody listens on')
    guest = FakeGuest(qmp=True, after=b'{"event": "FLOOD"}\n' * 200000)
    guest.answers['guest-ping'] = SILENCE
    fails(guest.path, [*quick, 'ask', 'guest-ping'], 124, 'did not answer in time')
    guest.close()


def run_within(mib, socket, *arguments):
    """Exit status of tenon-host with no more than this memory; a sanitizer needs more, and gets it."""
    limit = [] if tenond.sanitized() else ['prlimit', f'--data={mib * MIB}']
    argv = [*limit, tenond.built('host/tenon-host'), '--socket', socket, *arguments]
    return subprocess.run(argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=60,
                          check=False).returncode


@test
def memory_is_bounded():
    rows = {
        'an endless line': ('x', b'{"return": "' + b'x' * (80 * MIB), 64, 3),
        'endless output': ('exec-status', b'{"return": "' + b'x' * (200 * MIB), 256, 3),
        'many values': ('x', b'{"return": [' + b'0,' * (7 * MIB) + b'0]}\n', 64, 3),
        'much depth': ('x', b'{"return": ' + b'[' * (15 * MIB) + b'\n', 64, 3),
        'a long list': ('x', b'{"return": [' + b'{"a":0},' * 300000 + b'{}]}\n', 256, 0),
    }
    for name, (command, answer, mib, wanted) in rows.items():
        guest = FakeGuest({'guest-exec': {'pid': 1}, f'guest-{command}': answer})
        arguments = ['exec', 'x'] if command == 'exec-status' else ['ask', 'guest-x']
        equal(run_within(mib, guest.path, *arguments), wanted, f'exit status after {name} with {mib} MiB')
        guest.close()
    # The test itself can fail: this needs more memory than it gets.
    guest = FakeGuest({'guest-x': rows['a long list'][1]})
    check(run_within(24, guest.path, 'ask', 'guest-x') != 0 or tenond.sanitized(), 'the limit of memory is none')
    guest.close()


def without_time_limit(answer):
    """guest-exec of an agent that does not know timeout-ms."""
    refusal = ValueError("Parameter 'timeout-ms' is unexpected")
    return lambda arguments: refusal if 'timeout-ms' in arguments else answer


@test
def exec_that_lies():
    rows = [({'guest-exec': {}}, 3, 'no pid'),
            ({'guest-exec-status': {'exited': True}}, 3, 'does not say how'),
            ({'guest-exec-status': {'exited': True, 'exitcode': 256}}, 3, 'does not say how'),
            ({'guest-exec-status': {'exited': True, 'exitcode': 0, 'out-data': 'x'}}, 3, 'no base64'),
            ({'guest-exec-status': {'exited': True, 'exitcode': 0, 'out-data': 5}}, 3, 'no text'),
            ({'guest-exec-status': {'exited': 'no'}}, 124, 'still runs in the guest')]
    for wrong, status, text in rows:
        answers = {'guest-exec': {'pid': 1}, **wrong}
        answers['guest-exec'] = without_time_limit(answers['guest-exec'])
        guest = FakeGuest(answers)
        fails(guest.path, ['exec', '--timeout', '0.5', 'x'], status, text)
        guest.close()


@test
def interrupted_copy_leaves_nothing():
    guest = FakeGuest({'guest-file-open': 1000, 'guest-file-read': SILENCE})
    folder = procs.temp_dir()
    child = procs.start([tenond.built('host/tenon-host'), '--socket', guest.path, 'cp', 'guest:/a', folder])
    procs.wait_for(lambda: os.listdir(folder), 10, 'the temporary file')
    child.send_signal(signal.SIGINT)
    child.wait(10)
    equal((child.returncode, os.listdir(folder)), (-signal.SIGINT, []), 'status, and files that are left')
    guest.close()


@test
def usage():
    program = tenond.built('host/tenon-host')
    for arguments, text in (([], 'a verb is missing'), (['status'], 'which guest?'), (['fly'], 'unknown verb fly'),
                            (['-s', 'a', '-d', 'b', 'status'], 'which guest?'), (['-s', 'a', 'cp', 'x'], 'too few'),
                            (['-s', 'a', '-t', 'nan', 'status'], 'in seconds'), (['-s', 'a', 'ask'], 'too few')):
        status, _, stderr = tenond.run(program, *arguments)
        equal(status, 2, f'status of {arguments}')
        check(text in stderr, f'{stderr!r} lacks {text!r}')
    out = tenond.run(program, '--help')[1]
    for verb in ('status', 'ask', 'watch', 'exec', 'cp', 'freeze', 'thaw'):
        check(f'\n  {verb} ' in out, f'--help lacks {verb}')
        equal(tenond.run(program, verb, '--help')[0], 0, f'status of {verb} --help')


@test
def libvirt_that_is_not_there():
    folder = procs.temp_dir()
    with open(os.path.join(folder, 'libvirt.so.0'), 'w', encoding='utf-8') as file:
        file.write('this is no library')
    status, _, stderr = tenond.run(tenond.built('host/tenon-host'), '--domain', 'x', 'status',
                                   env={**os.environ, 'LD_LIBRARY_PATH': folder})
    equal(status, 2, 'exit status')
    check('install the package libvirt0' in stderr, stderr)
