# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 the Tenon developers
"""The agent under AppArmor's profile in a Debian guest, as Debian boots by itself: confined, working, and denied what it has
no business with. Each other test in the full guest runs under the profile, too; test_open.py asks for most.
"""

import base64
import time

import agent
import confined
import demo
import procs
from cases import check, equal, note, shared, test

# The agent itself, under its profile and as root, told to read that file.
READ = 'systemd-run --quiet --wait --pipe {} /usr/sbin/tenond -D -c {} 2>&1'


@shared
def guest():
    """A booted guest with the packages installed and everything allowed."""
    made = agent.resume_full()
    made.run('mkdir -p /etc/tenon/tenond.conf.d; printf "[policy]\\npreset=open\\n" >/etc/tenon/tenond.conf.d/open.conf')
    agent.install(made, agent.ALL)
    made.port.wait_agent(90)
    return made


def profile(pid):
    """The confinement of a process, as the kernel tells it."""
    return guest().run(f'cat /proc/{pid}/attr/current')


@test(timeout=600)
def agent_is_confined_and_enforced():
    equal(guest().run('cat /sys/module/apparmor/parameters/enabled'), 'Y', 'AppArmor')
    equal(profile(agent.pid(guest())), 'tenond (enforce)', 'the profile of the agent')
    told = guest().run('aa-status')
    confined = told.split('processes are in enforce mode', 1)[1].split('processes are', 1)[0]
    check(f'/usr/sbin/tenond ({agent.pid(guest())}) tenond' in confined, f'aa-status says: {told}')
    # Who sets the clock has a sandbox that is tighter than a profile.
    equal(profile(guest().run('pidof tenon-clock')), 'unconfined', 'the profile of tenon-clock')


@test(timeout=300)
def requests_are_answered():
    confined.answers(guest())


@test(timeout=200)
def clock_is_set():
    confined.sets_the_clock(guest())


@test(timeout=200)
def programs_of_the_host_are_not_confined():
    equal(confined.execute(guest(), '/bin/cat', '/proc/self/attr/current'), 'unconfined', 'the profile of the program')
    handle = guest().ask('guest-file-open', path='/root/written', mode='w')
    guest().ask('guest-file-write', handle=handle, **{'buf-b64': base64.b64encode(b'hello').decode()})
    guest().ask('guest-file-close', handle=handle)
    equal(guest().run('cat /root/written'), 'hello', 'what was written')


@test(timeout=200)
def nothing_of_all_this_was_denied():
    equal(agent.denied(guest()), [], 'what was denied')


@test(timeout=200)
def other_files_are_denied_and_logged():
    guest().run('cp /etc/tenon/tenond.conf /root/tenond.conf; chmod 644 /root/tenond.conf')
    check('[general]' in guest().run(READ.format('', '/root/tenond.conf')), 'it cannot even be read without a profile')
    status, told = guest().sh(READ.format('-p AppArmorProfile=tenond', '/root/tenond.conf'))
    check(status != 0 and 'Permission denied' in told, f'status {status}: {told}')
    lines = procs.wait_for(lambda: agent.denied(guest()), 30, 'the kernel to tell it')
    check(any('operation="open"' in line and 'name="/root/tenond.conf"' in line for line in lines), f'{lines}')
    note(lines[0])
    check('[general]' in guest().run(READ.format('-p AppArmorProfile=tenond', '/etc/tenon/tenond.conf')), 'its own file')


@test(timeout=200)
def host_shuts_it_down():
    begin = time.monotonic()
    demo.shut_down(guest())
    note(f'down {time.monotonic() - begin:.1f} s after guest-shutdown')
