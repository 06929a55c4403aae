# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 the Tenon developers
"""Tenon and Debian's qemu-guest-agent in one guest: beside each other, where one has the port and the other says so,
and in each other's place, by the package tenon-qemu-ga.
"""

import re

import agent
import machine
from cases import check, equal, note, shared, test


@shared
def guest():
    """A booted guest with the predecessor installed and answering; Tenon's packages lie ready."""
    folder = machine.procs.temp_dir()
    made = agent.resume_full(files=[agent.peer_deb(folder), agent.qga_deb()])
    made.run('mkdir -p /mnt && mount -o ro /dev/vdb /mnt && dpkg -i /mnt/qemu-guest-agent_*.deb', 180)
    made.run('systemctl start qemu-guest-agent')
    made.port.wait_agent(60)
    return made


def version():
    """What guest-info says it is."""
    return guest().ask('guest-info')['version']


def packages():
    """The installed ones of the three."""
    told = guest().sh("dpkg-query -W -f '${Package} ${db:Status-Status}\\n' tenon tenon-qemu-ga qemu-guest-agent")[1]
    return {line.split()[0] for line in told.splitlines() if line.endswith(' installed')}


@test(timeout=400)
def beside_each_other_one_has_the_port():
    check(version().startswith('7.2'), f'the predecessor is {version()}')
    guest().run('dpkg -i /mnt/tenon_*.deb', 180)
    guest().run('systemctl start tenond')
    equal(packages(), {'tenon', 'qemu-guest-agent'}, 'installed')
    check(version().startswith('7.2'), 'Tenon took the port away')
    status = guest().sh('tenonctl status')[1]
    check(re.search(r'busy, owned by qemu-ga \(pid \d+', status), f'the owner is not told: {status}')
    check('degraded' in status, f'nothing is said of it: {status}')


@test(timeout=200)
def the_package_takes_the_place():
    files = 'tenon-qemu-ga_*.deb tenon-accounts_*.deb tenon-exec_*.deb tenon-files_*.deb'
    guest().run(f'cd /mnt && dpkg -i --auto-deconfigure -B {files} || '
                f'(dpkg -r qemu-guest-agent && dpkg -i {files})', 180)
    equal(packages(), {'tenon', 'tenon-qemu-ga'}, 'installed')
    guest().port.wait_agent(60)
    check(not version().startswith('7.2'), f'version {version()}')
    equal(guest().run('readlink -f /usr/sbin/qemu-ga'), '/usr/sbin/tenond', 'qemu-ga')
    equal(guest().run('qemu-ga --version').split()[:3], ['QEMU', 'Guest', 'Agent'], 'qemu-ga --version')
    dump = guest().run('qemu-ga -D')
    check(dump.startswith('[general]\n') and '\npath=/dev/virtio-ports/org.qemu.guest_agent.0\n' in dump, dump)
    check('guest-exec-status' in guest().run('qemu-ga -b help').split(), 'qemu-ga -b help')


@test
def the_unit_has_both_names():
    equal(guest().run('systemctl is-active qemu-guest-agent'), 'active', 'qemu-guest-agent')
    told = guest().run('systemctl show -p Id,Names,LoadState qemu-guest-agent')
    check('Id=tenond.service' in told and 'LoadState=loaded' in told, told)
    before = agent.pid(guest())
    guest().run('systemctl restart qemu-guest-agent')
    guest().port.wait_agent(60)
    check(agent.pid(guest()) != before, 'the agent was not restarted by its other name')
    equal(guest().run('systemctl --failed --plain --no-legend'), '', 'failed units')


@test
def an_upgrade_leaves_a_stopped_agent_stopped():
    guest().run('systemctl stop tenond; dpkg -i /mnt/tenon-qemu-ga_*.deb', 100)
    equal(guest().sh('systemctl is-active tenond')[1].strip(), 'inactive', 'the agent')
    guest().run('systemctl start tenond')
    guest().port.wait_agent(60)


@test
def a_wrapper_of_the_predecessor_works():
    """What an old unit or script does: its name and its options, everything allowed."""
    guest().run('qemu-ga -m unix-listen -p /run/wrapper.sock -t /run -l /run/wrapper.log -f /run/wrapper.pid -d -v')
    told = guest().run('for i in 1 2 3 4 5 6 7 8 9; do test -S /run/wrapper.sock && break; sleep 1; done; '
                       'cat /run/wrapper.log; kill $(cat /run/wrapper.pid)')
    check('policy open' in told, told)


@test(timeout=200)
def the_predecessor_comes_back():
    guest().run('dpkg -r tenon-qemu-ga', 120)
    equal(guest().sh('ls /usr/sbin/qemu-ga /lib/systemd/system/qemu-guest-agent.service')[0] != 0, True, 'the links went')
    guest().port.wait_agent(30)
    check(not version().startswith('7.2'), 'Tenon went on under its own name')
    guest().run('dpkg -i /mnt/qemu-guest-agent_*.deb && systemctl stop tenond && systemctl start qemu-guest-agent', 180)
    guest().port.wait_agent(60)
    check(version().startswith('7.2'), f'the predecessor is {version()}')
    note('and back again')
