# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 the Tenon developers
"""The agent under SELinux in a Debian guest: Debian's policy and data/selinux/ are made here and brought in, the file system
is labelled, and after a reboot both are enforced. Agent, tenon-clock and helpers are in domains of their own and work, and
what the agent has no business with is denied. With TENON_LONG=1 only.
"""

import base64
import os
import re
import shutil
import time

import agent
import confined
import demo
import machine
import packages
import procs
from cases import Skip, check, equal, note, shared, test
from hostport import AgentError
from newer import NEWER, newer_package, offer, wait_installed

MAKEFILE = '/usr/share/selinux/devel/Makefile'
LINE = 'security=selinux selinux=1'
CONTEXTS = '/etc/selinux/default/contexts/files/file_contexts'
CONFIG = 'SELINUX={}\\nSELINUXTYPE=default\\nSETLOCALDEFS=0\\n'


def policy_module():
    """data/selinux compiled as its users do; the path of the module."""
    folder = os.path.join(procs.temp_dir(), 'selinux')
    shutil.copytree(os.path.join(agent.TOP, 'data', 'selinux'), folder)
    procs.run(['make', '-C', folder, '-f', MAKEFILE, 'tenon.pp'], timeout=600)
    return os.path.join(folder, 'tenon.pp')


def policy_store():
    """All modules of Debian's policy and Tenon's, installed into a folder as in a guest's root; the path of its archive."""
    root = procs.temp_dir()
    procs.run(['dpkg-deb', '-x', packages.download('selinux-policy-default')[0], root])
    shutil.copy('/etc/selinux/semanage.conf', os.path.join(root, 'etc/selinux'))
    places = os.path.join(root, 'usr/share/selinux/default')
    with open(os.path.join(places, '.modules'), encoding='utf-8') as file:
        modules = [os.path.join(places, f'{name}.pp.bz2') for name in file.read().split()]
    procs.run(['semodule', '-p', root, '-n', '-s', 'default', '-X', '100', *(f'-i{path}' for path in modules),
               '-X', '400', f'-i{policy_module()}'], timeout=900)
    archive = os.path.join(root, 'policy.tar')
    procs.run(['tar', '-C', root, '-cf', archive, 'etc/selinux', 'var/lib/selinux'])
    return archive


@shared
def guest():
    """A guest that has booted with the policy enforced, the packages installed and everything allowed."""
    if os.environ.get('TENON_LONG') != '1':
        raise Skip('takes many minutes; TENON_LONG=1 runs it')
    if not os.path.exists(MAKEFILE) or not shutil.which('semodule'):
        raise Skip('selinux-policy-dev or policycoreutils is not installed')
    debs = packages.fetch('policycoreutils', 'selinux-utils')
    made = agent.boot_full(files=[policy_store(), *debs, *newer_package(*agent.part_debs())], timeout=600,
                           line=LINE, smp=2)
    made.tell_more = lambda: '\n'.join(denials(made))
    names = ' '.join('/mnt/' + os.path.basename(path) for path in debs)
    made.run('useradd -m anna; mkdir -p /mnt && mount -o ro /dev/vdb /mnt && '
             f'dpkg -i {names} && dpkg -i {agent.ALL} && tar -C / -xf /mnt/policy.tar && mkdir /repository && '
             f'cp /mnt/Packages /mnt/newer-*.deb /repository && {agent.UMOUNT}', 900)
    # Without a policy the kernel knows no label, so that none could be written.
    made.run('printf "[policy]\\npreset=open\\n" >/etc/tenon/tenond.conf.d/open.conf; '
             f'printf "{CONFIG.format("permissive")}" >/etc/selinux/config; load_policy -i', 300)
    made.run(f'setfiles -F -e /proc -e /sys -e /dev -e /run {CONTEXTS} / && '
             f'printf "{CONFIG.format("enforcing")}" >/etc/selinux/config && chcon --reference=/etc/selinux/semanage.conf '
             '/etc/selinux/config && sync', 900)
    equal(made.run('stat -c %C /usr/sbin/tenond').split(':')[2], 'tenond_exec_t', 'label of the agent')
    reboot(made)
    return made


def reboot(made):
    """Start the guest anew, and wait for agent and shell."""
    made.sh('systemctl --no-block reboot')
    made.console.wait_ready(900)
    machine.wait_booted(made, 900)
    made.port.close()
    made.port.wait_agent(300)


def denials(made):
    """What SELinux has denied to our domains since the boot: lines of the kernel's audit."""
    said = made.sh("journalctl -b --no-pager -o cat _TRANSPORT=audit + _TRANSPORT=kernel | grep 'avc: *denied' | "
                   "grep -E 'context=[^ ]*:tenon' | sort -u")[1]
    return said.splitlines()


def domain(pid):
    """The type in which a process runs."""
    return guest().run(f'tr -d "\\0" </proc/{pid}/attr/current').split(':')[2]


def read_file(path):
    """The beginning of a file, by the host's commands."""
    handle = guest().ask('guest-file-open', 60, path=path)
    data = base64.b64decode(guest().ask('guest-file-read', handle=handle)['buf-b64'])
    guest().ask('guest-file-close', handle=handle)
    return data.decode()


@test(timeout=6000)
def policy_is_enforced_and_domains_are_entered():
    equal(guest().run('getenforce'), 'Enforcing', 'mode')
    modules = guest().run('semodule -l', 120).split()
    check('tenon' in modules, 'the module is not loaded')
    equal([name for name in modules if name.startswith('permissive')], [], 'domains that are permissive')
    equal(domain(agent.pid(guest())), 'tenond_t', 'domain of the agent')
    equal(domain(guest().run('pidof tenon-clock')), 'tenon_clock_t', 'domain of tenon-clock')


@test(timeout=600)
def requests_are_answered():
    confined.answers(guest())


@test(timeout=300)
def clock_is_set():
    confined.sets_the_clock(guest())


@test(timeout=300)
def agent_is_restarted_with_the_watchdog_armed():
    guest().run('systemctl restart tenond', 120)
    guest().port.wait_agent(120)
    equal(domain(agent.pid(guest())), 'tenond_t', 'domain of the agent')
    check('kept armed over the restart' in guest().run('journalctl -b -u tenond -o cat --no-pager', 60), 'the watchdog')


@test(timeout=300)
def hooks_are_not_in_the_domain_of_the_agent():
    guest().run('cd /etc/tenon/freeze.d && printf "#!/bin/sh\\ncat /proc/self/attr/current >>/run/hook\\n" >10-test && '
                'chmod 755 10-test && restorecon 10-test')
    guest().ask('guest-fsfreeze-freeze', 60)
    guest().ask('guest-fsfreeze-thaw', 60)
    told = guest().run('tr "\\0" " " </run/hook; rm /etc/tenon/freeze.d/10-test').split()
    note(f'a hook runs in {told[0]}')
    equal([label.split(':')[2] for label in told], 2 * ['initrc_t'], 'domains of the hook')


@test(timeout=600)
def programs_of_the_host_are_not_in_the_domain_of_the_agent():
    equal(confined.execute(guest(), '/bin/sh', '-c', 'echo out of the unit'), 'out of the unit', 'what the program printed')
    equal(confined.execute(guest(), '/bin/cat', '/proc/self/attr/current').split(':')[2], 'initrc_t', 'domain of the program')


@test(timeout=900)
def files_of_the_host_are_opened_by_the_helper():
    for folder in ('/etc', '/root', '/home/anna', '/tmp', '/var/lib/tenon', '/usr/local/share'):
        path = f'{folder}/note'
        guest().run(f'mkdir -p {folder}')
        handle = guest().ask('guest-file-open', 60, path=path, mode='w')
        guest().ask('guest-file-write', handle=handle, **{'buf-b64': base64.b64encode(path.encode()).decode()})
        guest().ask('guest-file-close', handle=handle)
        equal(guest().run(f'cat {path}'), path, 'what was written')
        equal(read_file(path), path, 'what is read')
    equal(domain(guest().run('pgrep -f "^[^ ]*/tenon-files-helper$"')), 'tenon_files_helper_t', 'domain of the helper')
    check('root:' in read_file('/etc/shadow'), 'the passwords, which root may read')
    check('Linux version' in read_file('/proc/version'), 'a file of the kernel')


@test(timeout=600)
def keys_passwords_and_processors_are_set():
    key = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGkQ0 anna@test'
    equal(guest().ask('guest-ssh-add-authorized-keys', 60, username='anna', keys=[key]), {}, 'add')
    equal(guest().ask('guest-ssh-get-authorized-keys', 60, username='anna'), {'keys': [key]}, 'keys')
    label = guest().run('ls -Z /home/anna/.ssh/authorized_keys')
    check(':ssh_home_t:' in label, f'label of the keys: {label}')
    secret = base64.b64encode(b'secret one').decode()
    equal(guest().ask('guest-set-user-password', 60, username='anna', password=secret, crypted=False), {}, 'password')
    check(guest().run('getent shadow anna').split(':')[1].startswith('$'), 'no password was set')
    for online in (False, True):
        equal(guest().ask('guest-set-vcpus', 60, vcpus=[{'logical-id': 1, 'online': online}]), 1, 'processed')
        equal(guest().run('cat /sys/devices/system/cpu/cpu1/online'), str(int(online)), 'cpu1/online')


@test(timeout=600)
def drivers_and_a_move_are_told():
    check(any(row.get('driver') == 'virtio_net' for row in guest().ask('tenon-get-drivers', 60)['devices']), 'drivers')
    equal(guest().ask('tenon-drivers-plan', 120, target='kvm')['target'], 'kvm', 'plan')
    equal(guest().run('systemctl show -P Result tenon-drivers.service'), 'success', 'what was done at boot')


@test(timeout=600)
def newer_version_is_found():
    offer(guest())
    answer = guest().ask('tenon-update-check', 200)
    equal((answer['status'], answer['candidate']), ('out-of-date', f'{NEWER}-1'), 'answer')
    for unit in ('tenon-update-check', 'tenon-fetch'):
        equal(guest().run(f'systemctl show -P Result {unit}.service'), 'success', unit)


@test(timeout=300)
def nothing_of_all_this_was_denied():
    equal(denials(guest()), [], 'what was denied')


# The agent's program as root, told to read that file: systemd starts it in tenond_t by its label, and a copy without the
# label elsewhere.
READ = 'systemd-run --quiet --wait --pipe {} -D -c {} 2>&1 | cat'


@test(timeout=300)
def other_files_are_denied_and_logged():
    guest().run('cp /usr/sbin/tenond /usr/local/bin/copy && restorecon /usr/local/bin/copy')
    told = guest().run(READ.format('/usr/local/bin/copy', '/etc/shadow'), 60)
    check('Permission denied' not in told, f'it cannot even be read without a domain: {told}')
    told = guest().run(READ.format('/usr/sbin/tenond', '/etc/shadow'), 60)
    check('Permission denied' in told, f'it was read: {told}')
    lines = procs.wait_for(lambda: denials(guest()), 60, 'the kernel to tell it')
    check(any(re.search(r'\{ open \}.*:tenond_t:.*:shadow_t:', line) for line in lines), f'{lines}')
    note(lines[0])
    told = guest().run(READ.format('/usr/sbin/tenond', '/etc/tenon/tenond.conf'), 60)
    check('[general]' in told, f'its own file cannot be read: {told}')


@test(timeout=300)
def boolean_takes_writing_to_the_system_away():
    guest().run('setsebool tenon_write_system_files off', 60)
    for path in ('/etc/note', '/etc/other', '/usr/bin/other'):
        try:
            guest().ask('guest-file-open', 60, path=path, mode='w')
            raise AssertionError(f'{path} was opened for writing')
        except AgentError as error:
            check('Permission denied' in str(error), str(error))
    equal(read_file('/etc/note'), '/etc/note', 'what is read')
    guest().ask('guest-file-close', handle=guest().ask('guest-file-open', 60, path='/root/note', mode='w'))
    guest().run('setsebool tenon_write_system_files on', 60)
    guest().ask('guest-file-close', handle=guest().ask('guest-file-open', 60, path='/etc/note', mode='w'))


@test(timeout=1200)
def newer_version_is_installed_by_the_host():
    before = denials(guest())
    check(guest().ask('tenon-get-status')['update']['candidate'] == f'{NEWER}-1', 'the newer version was not found')
    equal(guest().ask('tenon-update-install', 60), {'state': 'begun'}, 'answer')
    wait_installed(guest(), 900)
    equal(domain(agent.pid(guest())), 'tenond_t', 'domain of the newer agent')
    equal(domain(guest().run('pidof tenon-clock')), 'tenon_clock_t', 'domain of the newer tenon-clock')
    equal(denials(guest()), before, 'what was denied')


@test(timeout=600)
def host_shuts_it_down():
    demo.shut_down(guest())
