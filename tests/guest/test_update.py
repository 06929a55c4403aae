# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 the Tenon developers
"""A guest without a network whose apt has a repository on a disk with a newer package: the check finds it, the host
lets it be installed, and the agent comes back as the newer version."""

import json

import agent
import procs
from cases import check, equal, shared, test
from newer import NEWER, newer_package, offer, wait_installed

@shared
def guest():
    """The guest with the package as it is."""
    made = agent.resume_installed(files=newer_package())
    made.tell_more = lambda: made.sh('journalctl -n 40 --no-pager -o cat -u "tenon*"')[1]
    made.run('systemctl start tenond; rm -f /etc/apt/sources.list /etc/apt/sources.list.d/*; mkdir -p /repository; mount -o ro /dev/vdb /repository')
    made.port.wait_agent(60)
    return made


@test(timeout=600)
def nobody_has_it_before_there_is_a_repository():
    status, text = guest().sh('tenonctl update check --json', 60)
    answer = json.loads(text)
    equal((status, answer['status'], answer['source']), (20, 'unmanaged', 'apt'), 'answer')


@test(timeout=600)
def timer_is_there():
    equal(guest().run('systemctl is-enabled tenon-update-check.timer'), 'enabled', 'timer')
    equal(guest().run('systemctl is-active tenon-update-check.timer'), 'active', 'timer')
    check(guest().run('systemctl show -P NextElapseUSecRealtime tenon-update-check.timer'), 'it is not planned')


@test(timeout=600)
def check_finds_it():
    offer(guest())
    status, text = guest().sh('tenonctl update check --json', 60)
    answer = json.loads(text)
    equal((status, answer['status'], answer['candidate'], answer['verified-by']), (10, 'out-of-date', f'{NEWER}-1', 'apt'),
          'root')
    told = guest().ask('tenon-get-status')
    equal(told['update']['candidate'], f'{NEWER}-1', 'what the host is told')
    check(any('is out of date' in text for text in told['health']['problems']), told['health'])
    before = guest().run('cat /var/lib/tenon/update/result.json')
    status, text = guest().sh('setpriv --reuid=65534 --regid=65534 --clear-groups tenonctl update check --json', 60)
    equal((status, json.loads(text)['candidate']), (10, f'{NEWER}-1'), 'an unprivileged user')
    equal(guest().run('cat /var/lib/tenon/update/result.json'), before, 'what is kept')
    status, text = guest().sh('tenonctl update')
    check(status == 10 and f'{NEWER}-1 is available' in text, text)


@test(timeout=600)
def unit_checks_in_its_sandbox():
    offer(guest())
    guest().run('rm -f /var/lib/tenon/update/result.json')
    answer = guest().ask('tenon-update-check', timeout=200)
    equal((answer['status'], answer['candidate']), ('out-of-date', f'{NEWER}-1'), 'answer')
    equal(guest().run('systemctl show -P Result tenon-update-check.service'), 'success', 'unit')
    equal(guest().run('systemctl show -P Result tenon-fetch.service'), 'success', 'tenon-fetch with nothing to fetch')


@test(timeout=900)
def host_may_let_it_be_installed_and_the_agent_comes_back():
    offer(guest())
    try:
        guest().ask('tenon-update-install')
        refused = ''
    except Exception as error:  # pylint: disable=broad-except
        refused = str(error)
    check('has been disabled' in refused, f'the preset standard lets the host install: {refused}')
    guest().run('printf "[policy]\\nallow=tenon-update-install\\n" >/etc/tenon/tenond.conf.d/update.conf && '
                'systemctl reload tenond')
    before = agent.pid(guest())
    equal(guest().ask('tenon-update-install', timeout=60), {'state': 'begun'}, 'answer')
    wait_installed(guest())
    told = guest().ask('tenon-get-status')
    equal((told['version'], told['update']['installed']), (NEWER, f'{NEWER}-1'), 'versions')
    procs.wait_for(lambda: guest().ask('tenon-get-status')['update'].get('installation', {}).get('to') == f'{NEWER}-1', 60,
                   'the record of the installation')
    check(agent.pid(guest()) != before, 'the agent was not started anew')
    equal(guest().sh('tenonctl update check')[0], 0, 'exit status of a check now')
    equal(guest().run("dpkg-query -W -f '${Version}' tenon"), f'{NEWER}-1', 'what dpkg says')
