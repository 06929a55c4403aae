# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 the Tenon developers
"""A new user's path in a Debian guest with the package: ask tenonctl status, do what it says; then a bug report.

    python3 tests/guest/test_status.py > docs/status.svg

draws what the terminal in the guest was sent.
"""

import base64
import json
import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'lib'))
# pylint: disable=wrong-import-position
import agent
import ansi_svg
import procs
from cases import check, equal, shared, test

COLUMNS = 96
CONFIG = '[check web]\ntype=unit\nunit=web.service\nin-a-row=1\ninterval-ms=1000\n'
UNIT = '[Service]\nExecStart=/bin/sleep infinity\n'


def boot():
    """The guest with the package, an emulated network card, and a service that should run and does not."""
    made = agent.boot_installed(('-device', 'e1000,netdev=old', '-netdev', 'user,id=old,restrict=on'))
    made.run(f"printf '%s' '{UNIT}' > /etc/systemd/system/web.service\n"
             f"printf '%s' '{CONFIG}' > /etc/tenon/tenond.conf.d/web.conf\n"
             'systemctl daemon-reload; systemctl restart tenond', 120)
    made.port.wait_agent(120)
    procs.wait_for(lambda: made.ask('tenon-get-health')['health']['problems'], 60, 'the check to fail')
    return made


@shared
def guest():
    """That guest."""
    return boot()


def on_terminal(made, command, columns=COLUMNS):
    """What a terminal in the guest is sent by a command."""
    text = made.run(f"TERM=xterm LANG=C.UTF-8 script -qec 'stty cols {columns}; {command}' /dev/null | base64 -w0", 60)
    return base64.b64decode(text.strip()).decode().replace('\r\n', '\n')


def plain(text):
    """Without colour."""
    return ansi_svg.SGR.sub('', text)


@test(timeout=600)
def what_needs_attention_comes_first():
    lines = plain(on_terminal(guest(), 'tenonctl status')).splitlines()
    check(re.match(r'▲ Attention +check web is critical: ', lines[0]), lines[0])
    text = '\n'.join(lines)
    check(re.search(r'\n    Remedy +look at it, then start it again: systemctl status web.service\n', text), text)
    check(re.search(r"▲ Advice .* is emulated, virtio_net would be faster", text), text)
    check(all(len(line) <= COLUMNS for line in lines), text)
    check(len(lines) <= 24, f'{len(lines)} lines are more than one screen: {text}')
    for row in ('Agent', 'Hypervisor', 'Host', 'Policy', 'Plugins', 'Drivers', 'Watchdog', 'Time', 'Health', 'Heartbeats',
                'Update'):
        check(re.search(rf'^. {row} ', text, re.M), f'{row} is not in {text}')


@test(timeout=600)
def the_remedy_mends_it():
    guest().run('systemctl start web.service')
    procs.wait_for(lambda: guest().ask('tenon-get-health')['health']['state'] == 'ok', 60, 'health')
    status, text = guest().sh('tenonctl status')
    equal(status, 0, f'exit status: {text}')
    check('Attention' not in text, text)
    guest().run('systemctl stop web.service')
    procs.wait_for(lambda: guest().ask('tenon-get-health')['health']['problems'], 60, 'the check to fail again')


@test(timeout=600)
def a_bug_report_has_the_journal():
    told = json.loads(guest().run('cd /root && tenonctl support --json --output report.tar.gz 2>/dev/null', 120))
    names = {row['name'] for row in told['contents']}
    check({'journal.txt', 'status.json', 'health.json', 'watchdog.json'} <= names, f'{told}')
    text = guest().run('tar -xOzf /root/report.tar.gz report/journal.txt report/status.json')
    check('tenond' in text, text)
    for path in ('/etc/machine-id', '/proc/sys/kernel/hostname'):
        word = guest().run(f'cat {path}').strip()
        check(word == 'debian' or not re.search(rf'\b{word}\b', text), f'{word} of {path} is in the report')
    guest().run('rm /root/report.tar.gz')


@test(timeout=600)
def a_user_may_ask_and_follow():
    who = 'setpriv --reuid=65534 --regid=65534 --clear-groups'
    status, text = guest().sh(f'{who} tenonctl status')
    check(status == 1 and text.startswith('Attention'), f'{status}: {text}')
    text = guest().run(f'{who} tenonctl events --since 1d --count 1 --json')
    check(json.loads(text)['event'], text)


@test(timeout=600)
def without_the_agent():
    guest().run('systemctl stop tenond')
    status, text = guest().sh('tenonctl status 2>&1')
    guest().run('systemctl start tenond')
    guest().port.wait_agent(120)
    equal(status, 3, 'exit status')
    check(text.startswith('tenonctl: the agent is not running'), text)
    check(re.search(r'^Drivers .*virtio', text, re.M), text)


@test(timeout=200)
def what_was_done_at_boot_is_found_by_its_unit():
    journal = guest().run('journalctl -q -b -u tenon-drivers -o cat --no-pager')
    check('ptp_kvm: refused' in journal, journal)


if __name__ == '__main__':
    procs.exit_on_signals()
    with boot() as shown:
        sys.stdout.write(ansi_svg.picture('tenonctl status', on_terminal(shown, 'tenonctl status')))
