# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 the Tenon developers
"""The agent under a real libvirtd: what virsh can ask an agent for.

libvirt is the strictest of its clients: a reply that lacks a mandatory member fails the whole command,
and shutdown and reboot count only when the guest really goes.
"""

import json
import re
import time

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
    for kind in ('--user', '--os', '--timezone', '--hostname', '--filesystem', '--interface'):
        virsh('guestinfo', kind)


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
def unsupported_command_is_an_error_and_no_more():
    try:
        virsh('qemu-agent-command', '{"execute": "guest-no-such-command"}')
    except RuntimeError as error:
        check('has not been found' in str(error), str(error))
    else:
        raise AssertionError('virsh succeeded with an unknown command')
    virsh('qemu-agent-command', '{"execute": "guest-ping"}')


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
