# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 the Tenon developers
"""tenonctl support: what is in the tarball, what is not, and that it is whole or not there."""

import io
import json
import os
import socket
import stat
import subprocess
import tarfile

from cases import check, equal, shared, test
import procs
import tenond

CTL = tenond.built('cli/tenonctl')


@shared
def agent():
    """The agent that is reported about; its configuration and log have things that must not leave."""
    return tenond.Agent()


def report(folder, *words, control=None):
    """Make a report; (what --json says, {name: bytes})."""
    path = os.path.join(folder, 'report.tar.gz')
    code, out, err = tenond.run(CTL, '--socket', control or agent().control, 'support', '--json', '--output', path,
                                *words, timeout=120)
    equal(code, 0, f'exit status: {err}')
    with tarfile.open(path) as archive:
        files = {member.name.split('/', 1)[1]: archive.extractfile(member).read()
                 for member in archive.getmembers() if member.isfile()}
        owners = {(member.uname, member.gname) for member in archive.getmembers()}
    equal(owners, {('', '')}, 'names of users in the archive')
    return json.loads(out), files


@test
def contents():
    folder = procs.temp_dir()
    told, files = report(folder)
    equal(told['file'], os.path.join(folder, 'report.tar.gz'), 'file')
    equal(os.listdir(folder), ['report.tar.gz'], 'what is in the folder afterwards')
    equal(stat.S_IMODE(os.stat(told['file']).st_mode), 0o600, 'mode')
    for name in ('README.txt', 'versions.txt', 'detect.json', 'drivers.json', 'config.json', 'status.json', 'policy.json',
                 'time.json', 'machine/cpuid.txt' if os.uname().machine == 'x86_64' else 'README.txt'):
        check(name in files, f'{name} is missing in {sorted(files)}')
    for name, data in files.items():
        if name.endswith('.json') and not name.startswith('machine/'):
            json.loads(data)
    listed = {row['name'] for row in told['contents']}
    equal(listed - {'machine/'}, {name for name in files if not name.startswith('machine/')}, 'the list')
    readme = files['README.txt'].decode()
    for row in (*told['contents'], *told['missing']):
        check(row['name'] in readme or row['name'] == 'README.txt', f'{row["name"]} is not in {readme}')
    check('health.json' in {row['name'] for row in told['missing']}, 'a plugin that does not run')
    procs.remove_dir(folder)


@test
def the_machine_in_it_is_a_test():
    folder = procs.temp_dir()
    told, _ = report(folder)
    with tarfile.open(told['file']) as archive:
        archive.extractall(folder, filter='data')
    code, out, _ = tenond.run(CTL, 'detect', '--json', '--machine', os.path.join(folder, 'report', 'machine'))
    check(code in (0, 1), 'exit status')
    equal(json.loads(out)['primary'], json.loads(tenond.run(CTL, 'detect', '--json')[1])['primary'], 'primary')
    procs.remove_dir(folder)


def own_words():
    """What this machine is called and has: must not be in a report."""
    words = {socket.gethostname()} - {'localhost'}
    for path in ('/etc/machine-id', '/proc/sys/kernel/random/boot_id'):
        try:
            with open(path, encoding='utf-8') as file:
                words.add(file.read().strip())
        except FileNotFoundError:
            pass
    done = subprocess.run(['ip', '-json', 'address'], capture_output=True, text=True, check=False) \
        if os.path.exists('/usr/sbin/ip') or os.path.exists('/usr/bin/ip') else None
    for link in json.loads(done.stdout) if done and done.returncode == 0 else []:
        if link['ifname'] != 'lo':
            words.update(address['local'] for address in link['addr_info'])
            words.add(link.get('address', ''))
    for interface in agent().ask('guest-network-get-interfaces'):
        if interface['name'] != 'lo':
            words.update(address['ip-address'] for address in interface.get('ip-addresses', []))
            words.add(interface.get('hardware-address', ''))
    return {word for word in words if len(word) > 3}


@test
def nothing_of_this_machine_leaves():
    folder = procs.temp_dir()
    told, files = report(folder)
    words = own_words()
    for name, data in files.items():
        for word in words:
            check(word.encode().lower() not in data.lower(), f'{word} is in {name}')
    check(told['masked'] > 0 or not words, f'nothing was masked, but this machine has {words}')
    procs.remove_dir(folder)


@test
def whole_or_not_there():
    folder = procs.temp_dir()
    path = os.path.join(folder, 'there.tar.gz')
    with open(path, 'w', encoding='utf-8') as file:
        file.write('precious')
    code, out, err = agent().ctl('support', '--output', path)
    equal((code, out), (2, ''), 'exit status and stdout for a file that exists')
    check('exists; choose another name with --output' in err, err)
    with open(path, encoding='utf-8') as file:
        equal(file.read(), 'precious', 'the file')
    code, _, err = agent().ctl('support', '--output', os.path.join(folder, 'none', 'x.tar.gz'))
    equal(code, 2, 'exit status for a folder that is not there')
    check('No such file or directory' in err, err)
    equal(os.listdir(folder), ['there.tar.gz'], 'what is left')
    procs.remove_dir(folder)


@test
def a_signal_leaves_nothing():
    """An agent that never answers holds the report up; then it is ended."""
    folder = procs.temp_dir()
    control = os.path.join(folder, 'control.sock')
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(control)
    listener.listen()
    child = procs.start([CTL, '--socket', control, 'support', '--output', os.path.join(folder, 'x.tar.gz')],
                        stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    with listener:
        listener.settimeout(30)
        first, _ = listener.accept()  # is it there?
        first.recv(4096)
        first.sendall(b'{"return": {}}\n')
        second, _ = listener.accept()  # the status, which never comes
        check(any(name.startswith('.tenon-support-') for name in os.listdir(folder)), 'no folder to work in')
        child.terminate()
        second.close()
        _, err = child.communicate(timeout=60)
        first.close()
    equal(child.returncode, 2, 'exit status')
    check(b'ended by a signal; nothing was written' in err, err)
    equal(os.listdir(folder), ['control.sock'], 'what is left')
    procs.remove_dir(folder)


@test
def without_an_agent():
    folder = procs.temp_dir()
    told, files = report(folder, control='/nonexistent/x')
    check({'status.json', 'policy.json'} <= {row['name'] for row in told['missing']}, f'{told}')
    check('drivers.json' in files and 'versions.txt' in files, f'{sorted(files)}')
    code, _, err = tenond.run(CTL, '--socket', '/nonexistent/x', 'support', '--output', os.path.join(folder, 'y.tar.gz'))
    equal(code, 0, 'exit status')
    check(err.startswith('tenonctl: the agent is not running'), err)
    procs.remove_dir(folder)


@test
def for_people():
    folder = procs.temp_dir()
    done = subprocess.run([CTL, '--socket', agent().control, 'support'], cwd=folder, capture_output=True, text=True,
                          timeout=120, check=False)
    equal(done.returncode, 0, 'exit status')
    made = os.listdir(folder)
    check(len(made) == 1 and made[0].startswith('tenon-support-2') and made[0].endswith('.tar.gz'), f'{made}')
    check(done.stdout.startswith(made[0] + '\n') and 'status.json' in done.stdout, done.stdout)
    check('Look through it' in done.stdout and '[1/13] ' in done.stderr, done.stdout + done.stderr)
    with open(os.path.join(folder, made[0]), 'rb') as file:
        with tarfile.open(fileobj=io.BytesIO(file.read())) as archive:
            check(archive.getnames(), 'an empty archive')
    procs.remove_dir(folder)
