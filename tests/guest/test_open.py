# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 the Tenon developers
"""What preset=open allows, under the real unit's sandbox with the real systemd and bus of a Debian guest:
programs in transient units, files, passwords, keys, processors, freezing, and the QMP port with its events.
"""

import base64
import hashlib
import json
import os
import re
import time

import agent
import devices
import hostport
from cases import check, equal, note, shared, test
from hostport import AgentError


@shared
def guest():
    """A booted guest with the package installed, everything allowed, and the second port."""
    made = agent.boot_full(devices.port('org.tenon.agent.0', 'qmp0'), smp=2)
    made.run('mkdir -p /etc/tenon/tenond.conf.d; '
             'printf "[policy]\\npreset=open\\n" > /etc/tenon/tenond.conf.d/open.conf; '
             'useradd -m anna')
    agent.install(made, agent.ALL)
    made.port.wait_agent(60)
    return made


def execute(path, *arguments, wait=20, **settings):
    """Run a program in the guest and return its whole status once it has exited."""
    pid = guest().ask('guest-exec', path=path, arg=list(arguments), capture_output=True, **settings)['pid']
    deadline = time.monotonic() + wait
    while time.monotonic() < deadline:
        status = guest().ask('guest-exec-status', pid=pid)
        if status['exited']:
            return status
        time.sleep(0.1)
    raise AssertionError(f'{path} has not exited within {wait} s')


def output(status, name='out-data'):
    return base64.b64decode(status.get(name, '')).decode()


@test(timeout=400)
def programs_run_outside_the_sandbox():
    status = execute('/bin/sh', '-c', 'cat /proc/self/cgroup; touch /usr/written && rm /usr/written; echo $0 >&2; exit 3')
    equal(status['exitcode'], 3, 'exit code')
    check('tenon-exec' in output(status), f'not in a unit of its own: {output(status)!r}')
    equal(output(status, 'err-data'), '/bin/sh\n', 'standard error')
    check('Read-only' not in output(status, 'err-data'), 'the program is in the sandbox')


@test
def input_environment_and_errors_of_programs():
    status = execute('cat', input_data=base64.b64encode(b'to and fro').decode())
    equal(output(status), 'to and fro', 'output of cat')
    status = execute('/usr/bin/env', env=['A=1', 'B=x y'])
    equal(sorted(output(status).split('\n'))[1:3], ['A=1', 'B=x y'], 'environment')
    try:
        guest().ask('guest-exec', path='/no/such/program')
        raise AssertionError('a program that is not there was started')
    except AgentError as error:
        check('No such file or directory' in str(error), str(error))
    status = execute('/bin/sh', '-c', 'kill -9 $$')
    equal(status.get('signal'), 9, 'signal')


@test(timeout=120)
def a_program_that_restarts_the_agent_lives_on():
    before = agent.pid(guest())
    guest().ask('guest-exec', path='/bin/sh', arg=['-c', 'systemctl restart tenond; echo survived > /run/survived'],
                capture_output=True)
    guest().port.wait_agent(30)
    deadline = time.monotonic() + 20
    while guest().sh('test -s /run/survived')[0] and time.monotonic() < deadline:
        time.sleep(0.5)
    equal(guest().run('cat /run/survived'), 'survived', 'what the program wrote after the restart')
    check(agent.pid(guest()) != before, 'the agent was not restarted')


def read_file(path, count=4096):
    """Open, read once, close; the bytes."""
    handle = guest().ask('guest-file-open', path=path)
    reply = guest().ask('guest-file-read', handle=handle, count=count)
    guest().ask('guest-file-close', handle=handle)
    return base64.b64decode(reply['buf-b64'])


def refusal(**arguments):
    """The text of the error with which guest-file-open answers."""
    try:
        guest().ask('guest-file-open', timeout=30, **arguments)
    except AgentError as error:
        return str(error)
    raise AssertionError(f'{arguments} was opened')


@test(timeout=120)
def files_are_opened_outside_of_the_sandbox():
    guest().run('mkdir -p /usr/local/share')
    for folder in ('/var/lib/tenon', '/etc', '/home/anna', '/root', '/tmp', '/var/tmp', '/usr/local/share', '/run', '/boot'):
        path = f'{folder}/note'
        begin = time.monotonic()
        handle = guest().ask('guest-file-open', path=path, mode='w+')
        note(f'opening {path} took {(time.monotonic() - begin) * 1000:.0f} ms')
        text = base64.b64encode(f'hello {folder}\n'.encode()).decode()
        equal(guest().ask('guest-file-write', handle=handle, buf_b64=text)['count'], len(folder) + 7, 'bytes written')
        equal(guest().run(f'cat {path}; stat -c "%a %U" {path}'), f'hello {folder}\n666 root', f'{path} seen by others')
        equal(guest().ask('guest-file-seek', handle=handle, offset=0, whence='set')['position'], 0, 'position')
        equal(guest().ask('guest-file-read', handle=handle)['buf-b64'], text, 'what is read')
        equal(guest().ask('guest-file-flush', handle=handle), {}, 'guest-file-flush')
        equal(guest().ask('guest-file-close', handle=handle), {}, 'guest-file-close')
        guest().run(f'echo of the guest > {path}')
        equal(read_file(path), b'of the guest\n', f'{path}, written by the guest')
        guest().run(f'rm {path}')


@test
def a_file_larger_than_a_piece():
    guest().run('head -c 3000000 /dev/urandom > /tmp/large')
    data = read_file('/tmp/large', 3000001)
    guest().run(f'test $(sha256sum < /tmp/large | cut -c1-64) = {hashlib.sha256(data).hexdigest()}')
    equal(len(read_file('/dev/zero', 300000)), 300000, 'bytes of a device')
    check(b'root:x:0' in read_file('/proc/self/root/etc/passwd'), '/etc/passwd')


@test
def opening_fails_in_the_words_of_qemu_ga():
    check("failed to open file '/no/such' (mode: 'r'): No such file or directory" in refusal(path='/no/such'), 'missing')
    check("failed to open file '/etc' (mode: 'w'): Is a directory" in refusal(path='/etc', mode='w'), 'folder')
    check('invalid file open mode' in refusal(path='/etc/passwd', mode='rw'), 'mode')
    guest().run('ln -sfn /etc/passwd /tmp/link')
    for path in ('/tmp/link', '/lib/os-release'):
        check('symbolic link' in refusal(path=path, nofollow=True), f'nofollow: {path}')
    guest().ask('guest-file-close', handle=guest().ask('guest-file-open', path='/etc/passwd', nofollow=True))
    check('File name too long' in refusal(path='/' + 5000 * 'x'), 'long path')


@test(timeout=120)
def fifos_and_paths_that_hang_do_not_hang_the_agent():
    guest().run('mkfifo /tmp/fifo')
    check('No such device or address' in refusal(path='/tmp/fifo', mode='w'), 'a FIFO that nobody reads')
    handle = guest().ask('guest-file-open', path='/tmp/fifo')
    equal(guest().ask('guest-file-read', handle=handle)['count'], 0, 'bytes of a FIFO that nobody writes')
    guest().ask('guest-file-close', handle=handle)
    # The mount waits for a device that never comes, and whoever looks into the folder waits for the mount.
    guest().run('cd /etc/systemd/system; mkdir /hang; '
                'printf "[Mount]\\nWhat=/dev/disk/by-label/never\\nWhere=/hang\\nType=ext4\\n" > hang.mount; '
                'printf "[Automount]\\nWhere=/hang\\n" > hang.automount; '
                'systemctl daemon-reload; systemctl start hang.automount')
    guest().port.send('{"execute": "guest-file-open", "arguments": {"path": "/hang/x"}}\n')
    check('open' in guest().run('tenonctl status', timeout=8), 'the agent does not answer tenonctl')
    reply = json.loads(guest().port.read_line(30))
    check("failed to open file '/hang/x' (mode: 'r'): not done within 10 s" in reply['error']['desc'], str(reply))
    equal(read_file('/etc/hostname'), (guest().run('cat /etc/hostname') + '\n').encode(), 'the next file')
    guest().run('systemctl stop hang.automount hang.mount; rm /tmp/fifo')


@test
def helpers_have_their_sandbox():
    """Their units are transient; systemd judges the one that opens files while it is there, and one of each name."""
    guest().ask('guest-file-close', handle=guest().ask('guest-file-open', path='/etc/hostname'))
    units = guest().run("systemctl list-units --plain --no-legend 'tenon-files-helper-*' | cut -d' ' -f1").split()
    equal(len(units), 1, f'units that open files: {units}')
    for name in ('tenon-system-helper', 'tenon-accounts-helper'):
        units.append(f'{name}-probe.service')
        guest().run(f'systemd-run --quiet --unit={units[-1]} sleep 120')
    for unit in units:
        said = guest().run(f'systemd-analyze security --no-pager {unit} | tail -n 1', 60)
        found = re.search(r'exposure level for \S+ ([0-9.]+)', said)
        note(said[2:60])
        check(found and float(found[1]) <= 2.0, said)
    guest().run(f'systemctl stop {" ".join(units[1:])}')


@test
def series_of_opens_share_a_unit_that_then_ends():
    guest().ask('guest-file-close', handle=guest().ask('guest-file-open', path='/etc/hostname'))
    begin = time.monotonic()
    for _ in range(20):
        guest().ask('guest-file-close', handle=guest().ask('guest-file-open', path='/etc/hostname'))
    note(f'opening and closing one more file takes {(time.monotonic() - begin) * 50:.1f} ms')
    opener = 'pgrep -c -f "^[^ ]*/tenon-files-helper$"'
    equal(guest().run(opener), '1', 'openers in a series')
    deadline = time.monotonic() + 20
    while guest().sh(opener)[0] == 0:
        check(time.monotonic() < deadline, 'the opener does not end')
        time.sleep(1)


@test
def password_and_keys_of_a_user():
    secret = base64.b64encode(b'secret one').decode()
    equal(guest().ask('guest-set-user-password', username='anna', password=secret, crypted=False), {}, 'password')
    check(guest().run('getent shadow anna').split(':')[1].startswith('$'), 'no password was set')
    key = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGkQ0 anna@test'
    equal(guest().ask('guest-ssh-add-authorized-keys', username='anna', keys=[key]), {}, 'add')
    equal(guest().ask('guest-ssh-get-authorized-keys', username='anna'), {'keys': [key]}, 'keys')
    equal(guest().run('stat -c "%U %a" /home/anna/.ssh/authorized_keys'), 'anna 600', 'owner and mode')
    equal(guest().ask('guest-ssh-remove-authorized-keys', username='anna', keys=[key]), {}, 'remove')
    check('secret' not in guest().run('journalctl -b --no-pager | cat'), 'the password is in the journal')


@test
def links_in_a_home_are_not_followed():
    """CVE-2026-12080 of qemu-ga: what a user puts into the place of the file is written to as root."""
    guest().run('rm -rf /home/anna/.ssh; install -d -m 755 /root/target; echo secret >/root/target/file; '
                'chmod 600 /root/target/file')
    before = guest().run('cd /root/target && stat -c "%n %a %U %Y" . * && cat file')
    for trap in ('ln -s /root/target /home/anna/.ssh',
                 'install -d -o anna -m 700 /home/anna/.ssh && ln -s /root/target/file /home/anna/.ssh/authorized_keys',
                 'install -d -o anna -m 700 /home/anna/.ssh && mkfifo /home/anna/.ssh/authorized_keys'):
        guest().run(f'rm -rf /home/anna/.ssh; {trap}; chown -h anna /home/anna/.ssh')
        for command, arguments in (('guest-ssh-add-authorized-keys', {'keys': ['ssh-ed25519 AAAA evil']}),
                                   ('guest-ssh-get-authorized-keys', {})):
            try:
                reply = guest().ask(command, username='anna', **arguments)
                check('secret' not in json.dumps(reply), f'{command} read the target of {trap}')
            except AgentError:
                pass
        equal(guest().run('cd /root/target && stat -c "%n %a %U %Y" . * && cat file'), before, f'the target of {trap}')
    guest().run('rm -rf /home/anna/.ssh /root/target')


@test
def processor_off_and_on():
    for online in (False, True):
        equal(guest().ask('guest-set-vcpus', vcpus=[{'logical-id': 1, 'online': online}]), 1, 'processed')
        equal(guest().run('cat /sys/devices/system/cpu/cpu1/online'), str(int(online)), 'cpu1/online')


@test
def file_systems_freeze_under_the_sandbox():
    equal(guest().ask('guest-fsfreeze-freeze', timeout=20), 1, 'file systems frozen')
    begin = time.monotonic()
    equal(guest().ask('guest-fsfreeze-status'), 'frozen', 'state')
    equal(guest().ask('guest-ping'), {}, 'ping')
    note(f'status and ping while frozen took {(time.monotonic() - begin) * 1000:.0f} ms')
    equal(guest().ask('guest-fsfreeze-thaw', timeout=20), 1, 'file systems thawed')
    guest().run('echo written > /root/after-thaw && sync')


@test
def qmp_port_speaks_and_tells():
    port = hostport.HostPort(os.path.join(guest().folder, 'qmp0.sock')).open()
    check('QMP' in json.loads(port.read_line(10)), 'no greeting')
    port.send('{"execute": "qmp_capabilities", "id": 1}\n')
    equal(json.loads(port.read_line(10)), {'return': {}, 'id': 1}, 'negotiation')
    equal(json.loads(port.read_line(10))['event'], 'AGENT_STARTED', 'first event')
    guest().run('ip link add dummy7 type dummy && ip address add 192.0.2.7/24 dev dummy7')
    seen = []
    while not seen or '192.0.2.7' not in json.dumps(seen[-1]):  # on a busy machine the interface comes first
        event = json.loads(port.read_line(30))
        seen += [event['data']] if event['event'] == 'NETWORK_CHANGED' else []
    check(len(seen) <= 3, f'many events for one change: {seen}')
    port.close()


@test(timeout=400)
def qmp_hosts_that_change_in_an_instant():
    for number in range(5):
        port = hostport.HostPort(os.path.join(guest().folder, 'qmp0.sock')).open()
        port.send(b'\xff')  # the guest may not have seen that another one left
        while 'QMP' not in json.loads(port.read_line(20)):
            pass  # events for the one that left
        port.send(f'{{"execute": "qmp_capabilities", "id": {number}}}\n')
        while json.loads(port.read_line(20)) != {'return': {}, 'id': number}:
            pass  # the second greeting of a host that was seen
        port.close()


@test
def every_change_left_a_record():
    text = guest().run('journalctl -b -o json --no-pager MESSAGE_ID=a84c5f0e3b1d4b7e9c2f6d8017e5c3b4 | cat')
    records = [json.loads(line) for line in text.splitlines()]
    commands = {record['TENON_COMMAND'] for record in records}
    for name in ('guest-exec', 'guest-set-user-password', 'guest-fsfreeze-freeze', 'guest-set-vcpus'):
        check(name in commands, f'no record of {name}')
    check('guest-get-osinfo' not in commands, 'a reader left a record')


@test(timeout=120)
def a_port_that_another_holds_is_taken_over_later():
    node = '/dev/virtio-ports/org.qemu.guest_agent.0'
    guest().run(f'systemctl stop tenond; (exec sleep 300 <>{node}) >/dev/null 2>&1 & echo $! >/run/holder; sleep 1; '
                'systemctl start tenond')
    status = guest().sh('tenonctl status')[1]
    check('busy, owned by sleep (pid' in status, f'the owner is not told: {status}')
    guest().run('kill $(cat /run/holder)')
    guest().port.wait_agent(20)


@test
def apparmor_has_denied_nothing():
    equal(guest().run(f'cat /proc/{agent.pid(guest())}/attr/current'), 'tenond (enforce)', 'the profile of the agent')
    equal(agent.denied(guest()), [], 'what was denied')
