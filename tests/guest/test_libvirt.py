# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 the Tenon developers
"""The agent under a real libvirtd: what virsh can ask an agent for.

libvirt is the strictest of its clients: a reply that lacks a mandatory member fails the whole command,
and shutdown and reboot count only when the guest really goes.
"""

import json
import os
import re
import time

import agent
import kubevirt
from cases import check, equal, note, shared, test
from libvirt import NAME, Libvirt


@shared
def host():
    """Our libvirtd with the guest booted and the agent installed."""
    made = Libvirt()
    try:
        made.boot()
    except Exception:
        made.close()
        raise
    return made


def virsh(verb, *words, **options):
    """virsh VERB tenon WORD…"""
    return host().virsh(verb, NAME, *words, **options)


@test(timeout=400)
def channel_is_connected():
    check("state='connected'" in virsh('dumpxml'), 'libvirt does not see the agent')


@test
def qemu_agent_command():
    equal(json.loads(virsh('qemu-agent-command', '{"execute": "guest-ping"}')), {'return': {}}, 'guest-ping')
    info = json.loads(virsh('qemu-agent-command', '{"execute": "guest-info"}'))['return']
    check(any(command['name'] == 'guest-get-fsinfo' for command in info['supported_commands']),
          'guest-info does not list guest-get-fsinfo')


@test
def guestinfo():
    told = dict(re.findall(r'^(\S+)\s*: (.*)$', virsh('guestinfo'), re.MULTILINE))
    equal(told['os.id'], 'debian', 'os.id')
    equal(told['hostname'], 'tenon-guest', 'hostname')
    equal(told['fs.0.mountpoint'], '/', 'fs.0.mountpoint')
    check('timezone.offset' in told, 'no timezone.offset')
    check(int(told['if.count']) >= 2, f"if.count is {told.get('if.count')}")
    for kind, member in (('--user', 'user.count'), ('--os', 'os.id'), ('--timezone', 'timezone.name'),
                         ('--hostname', 'hostname'), ('--filesystem', 'fs.count'), ('--interface', 'if.count'),
                         ('--disk', 'disk.count')):
        check(member in virsh('guestinfo', kind), f'no {member} in guestinfo {kind}')


@test
def interface_addresses():
    told = virsh('domifaddr', '--source', 'agent')
    check('127.0.0.1' in told and '10.0.2.15' in told, told)


@test
def host_name():
    equal(virsh('domhostname', '--source', 'agent'), 'tenon-guest', 'domhostname')


@test
def fs_info():
    check(re.search(r'^/\s+vda\s+ext4', virsh('domfsinfo'), re.MULTILINE), virsh('domfsinfo'))


@test
def clock():
    now = int(virsh('domtime').split()[-1])
    check(abs(now - int(host().run('date +%s'))) < 10, 'domtime is not the time of date')
    virsh('domtime', '--time', '1800000000')
    check(0 <= int(virsh('domtime').split()[-1]) - 1800000000 < 10, 'domtime does not show what was set')
    virsh('domtime', '--now')


@test
def time_limits():
    for seconds in ('5', '0', '-1'):  # libvirt's own; -1: its default again
        virsh('guest-agent-timeout', '--timeout', seconds)
        if seconds != '0':  # 0 does not wait for the agent at all
            equal(json.loads(virsh('qemu-agent-command', '{"execute": "guest-ping"}')), {'return': {}},
                  f'guest-ping with the limit {seconds}')
    virsh('guest-agent-timeout', '--timeout', '-2')  # wait for ever, as at the start


@test
def unsupported_command_is_an_error_and_no_more():
    try:
        virsh('qemu-agent-command', '{"execute": "guest-no-such-command"}')
    except RuntimeError as error:
        check('has not been found' in str(error), str(error))
    else:
        raise AssertionError('virsh succeeded with an unknown command')
    virsh('qemu-agent-command', '{"execute": "guest-ping"}')


def freeze_state():
    """What guest-fsfreeze-status says."""
    return json.loads(virsh('qemu-agent-command', '{"execute": "guest-fsfreeze-status"}'))['return']


@test
def freeze_thaw_trim():
    virsh('domfsfreeze')
    equal(freeze_state(), 'frozen', 'state after domfsfreeze')
    virsh('domfsthaw')
    equal(freeze_state(), 'thawed', 'state after domfsthaw')
    virsh('domfstrim')
    virsh('domfstrim', '--minimum', '1048576')
    virsh('domfsfreeze', '--mountpoint', '/')
    equal(freeze_state(), 'frozen', 'state after domfsfreeze --mountpoint /')
    virsh('domfsthaw')  # libvirt has no list for the thaw
    equal(freeze_state(), 'thawed', 'state after the second thaw')
    host().run('echo written >/root/after-thaw && sync')


@test
def snapshot_that_is_quiesced():
    # --no-metadata and an external snapshot of the disk: what backup programs do.
    virsh('snapshot-create-as', 'backup', '--disk-only', '--quiesce', '--no-metadata', '--atomic')
    equal(freeze_state(), 'thawed', 'state after the snapshot')
    host().run('echo written >/root/after-snapshot && sync')


@test
def what_standard_refuses_open_allows():
    host().run('useradd -m anna')
    try:
        virsh('set-user-password', 'anna', 'secret one')
        raise AssertionError('a password was set under the preset standard')
    except RuntimeError as error:
        check('preset=open' in str(error), str(error))
    host().run('printf "[policy]\\npreset=open\\n" >/etc/tenon/tenond.conf.d/open.conf && systemctl reload tenond')
    virsh('set-user-password', 'anna', 'secret one')
    check(host().run('getent shadow anna').split(':')[1].startswith('$'), 'no password was set')


@test
def keys_of_a_user():
    key = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGkQ0 anna@test'
    path = os.path.join(host().folder, 'keys')
    with open(path, 'w', encoding='utf-8') as file:
        file.write(key + '\n')
    virsh('set-user-sshkeys', 'anna', '--file', path)
    equal(virsh('get-user-sshkeys', 'anna'), key, 'get-user-sshkeys')


@test
def processors():
    check(re.search(r'^online\s*: 0-1$', virsh('guestvcpus'), re.MULTILINE), virsh('guestvcpus'))
    virsh('setvcpus', '1', '--guest')
    check(re.search(r'^online\s*: 0$', virsh('guestvcpus'), re.MULTILINE), virsh('guestvcpus'))
    virsh('guestvcpus', '--enable', '--cpulist', '1')
    equal(host().run('cat /sys/devices/system/cpu/cpu1/online'), '1', 'cpu1/online')


@test(timeout=1200)
def kubevirt_polls_and_nobody_notices():
    """KubeVirt's requests at its intervals, which are compressed to a tenth; TENON_POLL_SECONDS=600 takes them as
    they are, for as many seconds."""
    seconds = int(os.environ.get('TENON_POLL_SECONDS', '0'))
    poller = kubevirt.Poller(host(), 1 if seconds else 0.1)
    poller.run(15)  # caches, and the buffers of the first answers
    before = kubevirt.look(host())
    poller.reset()
    poller.run(seconds or 60)
    after = kubevirt.look(host())
    told = (f'{poller.count} requests in {seconds or 60} s, the slowest {poller.slowest:.2f} s with virsh around it; '
            f'{after.switches - before.switches} wakeups, {after.lines - before.lines} lines in the journal; memory: '
            f'{after.heap_kib - before.heap_kib} KiB more of its own, {after.rss_kib - before.rss_kib} resident')
    note(told)
    check(poller.count >= 30, f'only {poller.count} requests')
    equal(after.lines - before.lines, 0, 'lines that the agent wrote into the journal')
    check(after.heap_kib - before.heap_kib < 256, f'memory grew: {told}')
    # A request of virsh is up to four of the agent's; much more than that is a timer or a loop.
    check(after.switches - before.switches <= 10 * poller.count, f'too many wakeups: {told}')


def domain_state():
    """What virsh domstate says."""
    return virsh('domstate')


def wait_state(wanted, seconds):
    """Wait for it."""
    deadline = time.monotonic() + seconds
    while domain_state() != wanted:
        check(time.monotonic() < deadline, f'the domain is {domain_state()}, not {wanted}')
        time.sleep(0.5)


@test(timeout=400)
def sleep_and_wakeup():
    virsh('dompmsuspend', 'mem', timeout=120)
    wait_state('pmsuspended', 60)
    virsh('dompmwakeup')
    wait_state('running', 60)
    deadline = time.monotonic() + 120
    while True:
        try:
            equal(json.loads(virsh('qemu-agent-command', '{"execute": "guest-ping"}')), {'return': {}}, 'guest-ping')
            break
        except RuntimeError as error:
            check(time.monotonic() < deadline, f'no answer after the wakeup: {error}')
            time.sleep(1)
    check(host().run('journalctl -b -k --no-pager | grep -c "PM: suspend entry (deep)"') == '1', 'it did not sleep')


@test(timeout=200)
def sleep_that_the_guest_cannot():
    """Without swap there is no hibernation: an error that says so, at once, and the guest goes on."""
    for target in ('disk', 'hybrid'):
        try:
            virsh('dompmsuspend', target, timeout=120)
            raise AssertionError(f'dompmsuspend {target} succeeded')
        except RuntimeError as error:
            note(f'{target}: {str(error).splitlines()[-1][-120:]}')
            check('guest-suspend-' in str(error), str(error))
        equal(domain_state(), 'running', f'state after dompmsuspend {target}')
    equal(json.loads(virsh('qemu-agent-command', '{"execute": "guest-ping"}')), {'return': {}}, 'guest-ping')


@test(timeout=300)
def reboot_through_the_agent():
    begin = time.monotonic()
    virsh('reboot', '--mode', 'agent', timeout=90)
    host().console.wait_ready(180)
    host().wait_agent()
    equal(json.loads(virsh('qemu-agent-command', '{"execute": "guest-ping"}')), {'return': {}}, 'guest-ping')
    note(f'answered {time.monotonic() - begin:.1f} s after the reboot was asked for')


@test(timeout=200)
def shutdown_through_the_agent():
    virsh('shutdown', '--mode', 'agent', timeout=90)
    deadline = time.monotonic() + 60
    while NAME in host().virsh('list', '--name'):
        check(time.monotonic() < deadline, 'the guest did not go down')
        time.sleep(0.5)
    check('Power down' in host().log(), "the guest's log does not end with the kernel's 'Power down'")
