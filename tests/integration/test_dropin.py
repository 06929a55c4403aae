# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 the Tenon developers
"""tenond in qemu-ga's place: its name, its command line, its configuration, and to the byte what it answers.

What is expected here was seen from qemu-ga (Debian's 7.2), run beside tenond with the same requests; where
QEMU 10 and 11 differ, from them.
"""

import base64
import configparser
import os
import subprocess

from cases import check, equal, shared, test
import procs
import tenond

ALL_PLUGINS = ('guestinfo', 'power', 'timesync', 'freeze', 'exec', 'files', 'accounts', 'hotplug')
CONFIG = '''[general]
daemon=false
method=virtio-serial
path=/path/to/org.qemu.guest_agent.0
pidfile=/var/foo/qemu-ga.pid
statedir=/var/state
verbose=true
block-rpcs=guest-ping;guest-get-time
'''


class DropIn(tenond.Agent):
    """The agent under the name qemu-ga, in its folder, with qemu-ga's options only."""

    def __init__(self, *options, **environment):
        super().__init__(start=False)
        self.name = self.path('qemu-ga')
        os.symlink(tenond.built('agent/tenond'), self.name)
        with open(self.conf, 'w', encoding='utf-8') as file:
            file.write(f'[agent]\ncontrol-socket=\nhelper={tenond.built("plugins/helper/tenon-system-helper")}\n'
                       f'[accounts]\nhelper={tenond.built("plugins/accounts/tenon-accounts-helper")}\n')
        self.options = options
        self.environment = {**os.environ, 'QGA_CONF': 'tenond.conf', **environment}

    def start(self):
        """Start in the folder and wait for the socket, which is given as a relative path."""
        command = [self.name, '-m', 'unix-listen', '-t', self.dir, '-p', 'host.sock', '-l', 'log', '-v',
                   *self.options, *tenond.plugin_options(ALL_PLUGINS)]
        with open(self.path('stderr'), 'a', encoding='utf-8') as stderr:
            self.child = procs.start(command, cwd=self.dir, env=self.environment, stdout=subprocess.DEVNULL,
                                     stderr=stderr)
        procs.wait_for(lambda: os.path.exists(self.socket) or self.child.poll() is not None, 20,
                       'qemu-ga to listen')
        check(self.child.poll() is None, f'it ended: {self.text("stderr")}')
        return self

    def run(self, *arguments, **environment):
        """Run it to its end; exit status, stdout and stderr."""
        return tenond.run(self.name, *arguments, cwd=self.dir, env={**self.environment, **environment})


@shared
def agent():
    """The agent that most tests ask."""
    return DropIn().start()


def b64(text):
    """Base64 of text or bytes."""
    return base64.b64encode(text.encode() if isinstance(text, str) else text).decode()


def execute(**arguments):
    """Run a program by guest-exec; its status, with the outputs decoded."""
    pid = agent().ask('guest-exec', **arguments)['pid']
    status = {}

    def exited():
        status.update(agent().ask('guest-exec-status', pid=pid))
        return status['exited']
    procs.wait_for(exited, 10, 'the program to end')
    return {key: base64.b64decode(value) if key.endswith('-data') else value for key, value in status.items()}


@test
def relative_paths_start_where_the_agent_was_started():
    handle = agent().ask('guest-file-open', path='foo', mode='w+')
    check(handle >= 1000, f'the first handle is {handle}')
    equal(agent().ask('guest-file-write', handle=handle, buf_b64=b64('Hello World!\n')),
          {'count': 13, 'eof': False}, 'write')
    equal(agent().text('foo'), 'Hello World!\n', 'the file')
    equal(agent().ask('guest-file-read', handle=handle), {'count': 0, 'buf-b64': '', 'eof': True}, 'read at the end')
    equal(agent().ask('guest-file-seek', handle=handle, offset=6, whence='set'), {'position': 6, 'eof': False}, 'seek')
    equal(agent().ask('guest-file-read', handle=handle), {'count': 7, 'buf-b64': b64('World!\n'), 'eof': True}, 'read')
    agent().ask('guest-file-close', handle=handle)
    equal(execute(path='/bin/pwd', capture_output=True)['out-data'].decode().strip(), os.path.realpath(agent().dir), 'pwd')


@test
def programs_are_found_as_execvp_finds_them():
    with open(agent().path('bare'), 'w', encoding='utf-8') as file:
        file.write('echo "$0 $1"\n')
    os.chmod(agent().path('bare'), 0o755)
    status = execute(path='./bare', arg=['x'], capture_output=True)
    check(status['out-data'].endswith(b'/bare x\n'), f'{status}')
    missing = agent().host().request('guest-exec', {'path': 'env', 'env': ['PATH=/nonesuch']})
    equal(missing['error']['desc'], 'Failed to execute child process “env” (No such file or directory)',
          'a program that is not in the PATH of env')
    equal(execute(path='env', env=['PATH=/usr/bin:/bin'], capture_output=True)['out-data'],
          b'PATH=/usr/bin:/bin\n', 'one that is')


@test
def all_capture_modes():
    script = 'for i in 1 2 3 4; do if [ $((i % 2)) = 1 ]; then echo stdout; else echo stderr >&2; fi; done'
    out, err = {'out-data': b'stdout\nstdout\n', 'out-truncated': False}, \
        {'err-data': b'stderr\nstderr\n', 'err-truncated': False}
    merged = {'out-data': b'stdout\nstderr\nstdout\nstderr\n', 'out-truncated': False}
    for mode, wanted in ((False, {}), ('none', {}), (True, {**out, **err}), ('separated', {**out, **err}),
                         ('stdout', out), ('stderr', err), ('merged', merged)):
        equal(execute(path='sh', arg=['-c', script], capture_output=mode),
              {'exited': True, 'exitcode': 0, **wanted}, f'capture-output {mode}')


@test
def one_stream_is_captured_many_times():
    """qemu-ga closes a descriptor that it never opened, once in some hundred times."""
    execute(path='true')
    before = agent().fds()
    for turn in range(150):
        mode = ('stdout', 'stderr')[turn % 2]
        status = execute(path='sh', arg=['-c', 'echo o; echo e >&2'], capture_output=mode)
        equal(status.get('out-data', b'') + status.get('err-data', b''), (b'o\n', b'e\n')[turn % 2], mode)
    procs.wait_for(lambda: agent().fds() <= before, 5, f'the {before} descriptors of the start')


WIRE = (  # a request and its reply, to the byte
    ("{'execute': 'guest-ping', 'id': 1}", '{"return": {}, "id": 1}'),
    ('{"execute":"guest-ping","id":{"a":[1,null,"\\u00e9"]}}', '{"return": {}, "id": {"a": [1, null, "\\u00E9"]}}'),
    ('{"execute":"nosuch","id":5}',
     '{"id": 5, "error": {"class": "CommandNotFound", "desc": "The command nosuch has not been found"}}'),
    ("{'exec-oob': 'guest-ping'}",
     '{"error": {"class": "GenericError", "desc": "QMP input member \'exec-oob\' is unexpected"}}'),
    ("{'execute': 'guest-ping', 'arguments': {'foo': 42}, 'id': null}",
     '{"id": null, "error": {"class": "GenericError", "desc": "Parameter \'foo\' is unexpected"}}'),
    ('{"execute":"guest-file-read","arguments":{"handle":99}}',
     '{"error": {"class": "GenericError", "desc": "handle \'99\' has not been found"}}'),
    ('{"execute":"guest-file-open","arguments":{"path":"/x","mode":"rw"}}',
     '{"error": {"class": "GenericError", "desc": "invalid file open mode \'rw\'"}}'),
    ('{"execute":"guest-file-open","arguments":{"path":"/nonesuch"}}',
     '{"error": {"class": "GenericError", "desc": "failed to open file \'/nonesuch\' (mode: \'r\'): '
     'No such file or directory"}}'),
    ('{"execute":"guest-set-vcpus","arguments":{"vcpus":[{"logical-id":0}]}}',
     '{"error": {"class": "GenericError", "desc": "Parameter \'vcpus[0].online\' is missing"}}'),
    ('{"execute":"guest-set-vcpus","arguments":{"vcpus":[]}}', '{"return": 0}'),
    ('{"execute":"guest-set-memory-blocks","arguments":{"mem-blks":[]}}', '{"return": []}'),
    ('{"execute":"guest-fsfreeze-freeze-list","arguments":{"mountpoints":["/nosuch"]}}', '{"return": 0}'),
    ('{"execute":"guest-fsfreeze-thaw"}', '{"return": 0}'),
    ('{"execute":"guest-fsfreeze-status"}', '{"return": "thawed"}'),
    ('{"execute":"guest-exec","arguments":{"path":"true","capture-output":"bogus"}}',
     '{"error": {"class": "GenericError", "desc": "Parameter \'capture-output\' does not accept value \'bogus\'"}}'),
    ('{"execute":"guest-exec-status","arguments":{"pid":0}}',
     '{"error": {"class": "GenericError", "desc": "PID 0 does not exist"}}'),
    ('{"execute":"guest-exec","arguments":{"path":"/nonesuch"}}',
     '{"error": {"class": "GenericError", "desc": "Failed to execute child process \\u201C/nonesuch\\u201D '
     '(No such file or directory)"}}'),
)


@test
def replies_are_qemu_gas_to_the_byte():
    host = agent().host()
    for request, reply in WIRE:
        host.send(request + '\n')
        equal(host.read_line().decode(), reply, f'the reply to {request}')
    host.close()


@test
def lists_of_the_command_line():
    for options, allowed, refused in ((['-b', 'guest-ping,guest-get-time'], ['guest-get-fsinfo'],
                                       ['guest-ping', 'guest-get-time']),
                                      (['-a', 'guest-ping', '--allow-rpcs=guest-get-time'],
                                       ['guest-ping', 'guest-get-time'], ['guest-get-fsinfo', 'guest-exec'])):
        one = DropIn(*options).start()
        host = one.host()
        host.synced = True  # guest-sync itself is not in the list
        for command in allowed:
            check('return' in host.request(command), f'{command} with {options}')
        for command in refused:
            error = host.request(command)['error']
            equal(error['class'], 'CommandNotFound', f'{command} with {options}')
            check(f'Command {command} has been disabled: the command is not allowed' in error['desc'], error['desc'])
        host.close()
        equal(one.stop(), 0, 'exit status')
        one.close()


@test
def configuration_is_dumped_as_it_came():
    one = DropIn()
    with open(one.path('qga.conf'), 'w', encoding='utf-8') as file:
        file.write(CONFIG)
    for status, out, err in (one.run('-D', QGA_CONF='qga.conf'), one.run('--dump-conf', '-c', 'qga.conf')):
        equal((status, err), (0, ''), 'exit status and stderr')
        dumped = configparser.ConfigParser()
        dumped.read_string(out)
        wanted = configparser.ConfigParser()
        wanted.read_string(CONFIG)
        for key, value in wanted['general'].items():
            equal(dumped['general'][key], value, f'{key} of the dump')
    out = one.run('-D', '-b', 'guest-exec', '-b', 'guest-info', '--allow-rpcs=guest-ping', '-d', '-r', '-v',
                  '-F/hook', '-f', 'pid', '-p', '/x', '-mvsock-listen', '-t', '/y', '-l', '/z')[1]
    equal(out, '[general]\ndaemon=true\nmethod=vsock-listen\npath=/x\nlogfile=/z\n'
          f'pidfile={os.path.realpath(one.dir)}/pid\nfsfreeze-hook=/hook\nstatedir=/y\nverbose=true\n'
          'retry-path=true\nblock-rpcs=guest-exec,guest-info\nallow-rpcs=guest-ping\n', 'the dump of all options')
    # The unit of older Red Hat systems, with nothing set in /etc/sysconfig/qemu-ga.
    status, out, err = one.run('--method=virtio-serial', '--path=/dev/virtio-ports/org.qemu.guest_agent.0', '-D',
                               '--blacklist=guest-exec,guest-file-open', '--block-rpcs=', '--allow-rpcs=', '-F')
    equal((status, err), (0, ''), 'exit status and stderr')
    check('\nblock-rpcs=guest-exec,guest-file-open\nallow-rpcs=\n' in out, out)
    out = one.run('-D')[1]
    for line in ('pidfile=/var/run/qemu-ga.pid', 'statedir=/var/run', 'block-rpcs=', 'allow-rpcs=',
                 'path=/dev/virtio-ports/org.qemu.guest_agent.0'):
        check(f'\n{line}\n' in out, f'{line} is not in {out}')
    one.close()


@test
def words_of_the_command_line():
    one = DropIn()
    status, out, _ = one.run('--version')
    equal((status, out.split()[:3]), (0, ['QEMU', 'Guest', 'Agent']), '--version')
    equal(one.run('-V'), one.run('--version'), '-V')
    for words in (('-b', 'help'), ('--allow-rpcs=help',), ('-a', '?')):
        status, out, _ = one.run(*words, *tenond.plugin_options(ALL_PLUGINS))
        check(status == 0 and {'guest-ping', 'guest-exec', 'guest-get-load'} <= set(out.split()), f'{words}: {out}')
    for words in (('--nosuch',), ('-m',), ('-m', 'pigeon'), ('-m', 'unix-listen'), ('extra',), ('-c', '/nonesuch')):
        status, out, err = one.run(*words)
        equal((status, out), (1, ''), f'status and output of {words}')
        check(err.startswith('qemu-ga: ') or err.startswith('tenond: '), f'{words}: {err!r}')
    check('--fsfreeze-hook' in one.run('-h')[1], 'no --fsfreeze-hook in the help')
    one.close()


@test
def os_release_of_the_environment():
    one = DropIn(QGA_OS_RELEASE='./os-release')
    with open(one.path('os-release'), 'w', encoding='utf-8') as file:
        file.write('ID=qemu-ga-test\nNAME=QEMU-GA\nPRETTY_NAME="QEMU Guest Agent test"\nVERSION=\'Test 1\'\n'
                   'VERSION_ID=1\nVARIANT="Unit test \\"\\\'\\$\\`\\\\ and \\\\\\\\ etc."\nVARIANT_ID=unit-test\n')
    one.start()
    told = one.ask('guest-get-osinfo')
    wanted = {'id': 'qemu-ga-test', 'name': 'QEMU-GA', 'pretty-name': 'QEMU Guest Agent test', 'version': 'Test 1',
              'version-id': '1', 'variant-id': 'unit-test'}
    equal({key: told.get(key) for key in wanted}, wanted, 'guest-get-osinfo')
    equal(told['variant'], 'Unit test "\'$`\\ and \\\\ etc.', 'variant')
    one.close()


@test
def daemon_with_a_pid_file():
    one = DropIn('-d', '-f', 'pid')
    status = one.run('-m', 'unix-listen', '-t', one.dir, '-p', one.socket, '-l', 'log', '-d', '-f', 'pid')[0]
    equal(status, 0, 'exit status of the parent')
    pid = int(one.text('pid'))
    try:
        equal(one.ask('guest-ping'), {}, 'guest-ping')
        second = one.run('-m', 'unix-listen', '-t', one.dir, '-p', one.path('other.sock'), '-d', '-f', 'pid')
        check(second[0] == 1 and 'is locked: another agent runs' in second[2], f'a second one: {second}')
    finally:
        os.kill(pid, 15)
    procs.wait_for(lambda: not os.path.exists(f'/proc/{pid}'), 10, 'the daemon to end')
    one.close()
