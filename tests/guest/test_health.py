# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 the Tenon developers
"""Checks, heartbeats and the gate in a Debian guest, under the shipped sandbox, with the real systemd, the real bus
and the kernel's own pressure.

Each test leaves the guest well: the gate is open at its end.
"""

import json
import os
import time

import agent
import procs
from cases import check, equal, note, shared, test
from qmp import Qmp

CONFIG = '''
[check victim]
type=unit
unit=victim.service
required=yes
in-a-row=2
interval-ms=1000

[check root]
type=filesystem
required=yes
interval-ms=2000

[check hang]
type=script
path=/etc/tenon/check-hang
required=yes
in-a-row=1
interval-ms=2000
timeout-ms=1000

[check script]
type=script
path=/etc/tenon/check-file
required=yes
in-a-row=2
interval-ms=1000
timeout-ms=60000

[check sleeper]
type=process
process=victim-sleep
in-a-row=1
interval-ms=1000

[check memory]
type=memory-pressure
warning=10
critical=40
in-a-row=1
interval-ms=1000
required=yes

[check mistaken]
type=load
path=/
'''

FILES = {
    '/etc/systemd/system/victim.service': '[Service]\nExecStart=/usr/local/bin/victim-sleep infinity\n',
    '/etc/tenon/check-hang': '#!/bin/sh\nexec sleep 77\n',
    '/etc/tenon/check-file': '#!/bin/sh\ntest ! -e /run/bad || { echo "there is /run/bad"; exit 2; }\n',
    '/usr/local/bin/beats': '#!/bin/sh\nfor i in 1 2 3; do systemd-notify WATCHDOG=1; sleep 1; done\nexec sleep 300\n',
    '/etc/tenon/tenond.conf.d/health.conf': CONFIG,
}
BUS = 'org.tenon.Agent1 /org/tenon/Agent1 org.tenon.Agent1.Heartbeats'
AS_NOBODY = 'setpriv --reuid=65534 --regid=65534 --clear-groups'


@shared
def guest():
    """The guest with the package, the configuration above, and a QMP port for events."""
    made = agent.resume_installed()
    made.run('systemctl start tenond', 60)
    made.port.wait_agent(60)  # the watchdog is armed before there is a mistake
    made.run('cp /bin/sleep /usr/local/bin/victim-sleep')
    for path, text in FILES.items():
        mode = '644' if path.endswith(('.conf', '.service')) else '755'
        made.run(f"cat >{path} <<'END'\n{text}END\nchmod {mode} {path}")
    made.run('systemctl daemon-reload; systemctl start victim; systemctl restart tenond', 120)
    made.port.wait_agent(120)
    made.events = Qmp(os.path.join(made.folder, 'qmp0.sock'))
    return made


def health():
    """What the host is told."""
    return guest().ask('tenon-get-health')


def checks():
    """The checks by their names."""
    return {row['name']: row for row in health()['checks']}


def beats():
    """The heartbeats by their names."""
    return {row['name']: row for row in health()['heartbeats']}


def wait_state(name, state, timeout=60):
    """Wait until a check has this state; the check."""
    procs.wait_for(lambda: checks().get(name, {}).get('state') == state, timeout, f'check {name} to be {state}')
    return checks()[name]


def wait_gate(feed, timeout=60):
    """Wait until the gate is open, or closed; the gate."""
    procs.wait_for(lambda: health()['gate']['feed'] is feed, timeout, f'the gate with feed={feed}')
    return health()['gate']


@test(timeout=400)
def all_is_well_in_the_sandbox():
    rows = checks()
    for name, state in (('victim', 'ok'), ('root', 'ok'), ('script', 'ok'), ('sleeper', 'ok'), ('memory', 'ok'),
                        ('loop', 'ok')):
        procs.wait_for(lambda name=name: 'message' in checks().get(name, {}), 60, f'check {name} to be measured')
        equal(wait_state(name, state)['state'], state, f'state of check {name}')
    check('mistaken' not in rows, 'a check with a mistake runs')
    told = health()['health']['problems']
    check(any("[check mistaken], key 'path' is not for type=load" in text for text in told), f'not in {told}')
    armed = guest().ask('tenon-get-watchdog')  # before the mistake
    equal((armed['state'], armed['reason']),
          ('fed', 'there is a mistake in the configuration, so its timeout is the one of before; see tenonctl config'),
          'what becomes of the watchdog')
    by = {name: row['by'] for name, row in checks().items()}
    equal((by['victim'], by['sleeper'], by['memory'], by['root']), ('event', 'event', 'event', 'interval'),
          'what tells of changes')
    access = health()['heartbeat-access']
    equal(access, {'socket': '/run/tenon/heartbeat.sock', 'dbus': True}, 'heartbeat-access')
    equal(guest().run('stat -c %a /run/tenon/heartbeat.sock'), '666', 'mode of the socket')


@test(timeout=240)
def script_that_hangs_is_unknown_and_closes_nothing():
    row = wait_state('hang', 'unknown')
    check('took longer than timeout-ms' in row['reason'], row['reason'])
    equal(health()['gate']['feed'], True, 'the gate')
    # systemd ends each unit a second later: they do not pile up. (Two of those that match are the harness's own.)
    count = int(guest().run('pgrep -fc "sleep 77" || true').splitlines()[-1])
    check(count <= 6, f'{count} scripts hang at the same time')


@test(timeout=240)
def unit_that_is_stopped_closes_the_gate():
    guest().run('systemctl stop victim')
    gate = wait_gate(False)
    check(gate['reason'].startswith('check victim is critical: victim.service is inactive'), gate['reason'])
    event = guest().events.wait_event('HEALTH_GATE_CHANGED', 10)
    equal(event['data']['feed'], False, 'feed in the event')
    record = json.loads(guest().run('cat /var/lib/tenon/health-gate.json'))
    equal((record['feed'], record['culprit']), (False, 'victim'), 'the record on disk')
    equal(record['boot-id'], guest().run('cat /proc/sys/kernel/random/boot_id'), 'boot-id of the record')
    status, text = guest().sh('tenonctl health')
    equal(status, 1, 'exit status of tenonctl health')
    check('Gate closed since' in ' '.join(text.split()), text)
    check('check victim is critical' in guest().run('tenonctl status || true'), 'tenonctl status says nothing')
    # The process that the other check wants is gone as well, and that was an event.
    wait_state('sleeper', 'critical')
    journal = guest().run('journalctl -q -u tenond -o json --no-pager TENON_CHECK=victim | tail -n 1')
    check('MESSAGE_ID' in journal, journal)
    guest().run('systemctl start victim')
    equal(wait_gate(True)['reason'], '', 'reason of the open gate')
    wait_state('sleeper', 'ok')


@test(timeout=240)
def script_that_says_critical_closes_the_gate():
    guest().run('touch /run/bad')
    check('there is /run/bad' in wait_gate(False)['reason'], 'the reason is not what the script said')
    guest().run('rm /run/bad')
    wait_gate(True)


@test(timeout=240)
def program_that_stops_beating_is_missed():
    guest().run('systemd-run -q --unit=db tenonctl heartbeat run --name db --timeout 10 --required -- beats')
    procs.wait_for(lambda: beats().get('db', {}).get('beats', 0) >= 2, 60, 'two beats')
    equal(beats()['db']['state'], 'ok', 'state while it beats')
    check('heartbeat db was missed: no beat for 10 s' in wait_gate(False)['reason'], 'the reason')
    equal(guest().sh('tenonctl heartbeat list')[0], 1, 'exit status of tenonctl heartbeat list')
    guest().run('systemctl stop db')  # a proper end
    wait_gate(True)
    equal(beats(), {}, 'heartbeats after the end')


@test(timeout=240)
def program_that_crashes_is_missed():
    status, _ = guest().sh("tenonctl heartbeat run --name web --required -- sh -c 'kill -SEGV $$'")
    equal(status, 128 + 11, 'exit status')
    check('its command ended with signal 11' in wait_gate(False)['reason'], 'the reason')
    guest().run('tenonctl heartbeat remove web')
    wait_gate(True)


@test(timeout=240)
def child_with_another_user_beats():
    out = guest().run(f'tenonctl heartbeat run --name low -- {AS_NOBODY} sh -c '
                      '"systemd-notify WATCHDOG=1 && tenonctl heartbeat list --json"')
    equal(json.loads(out)[0]['beats'], 1, 'beats')
    status, text = guest().sh(f'{AS_NOBODY} tenonctl heartbeat run --name mine -- true')
    equal(status, 2, 'exit status for a user who may not')
    check('user 65534 may not register heartbeats; users= in [heartbeat]' in text, text)


@test(timeout=240)
def bus_serves_by_user():
    guest().run(f'busctl call {BUS} Register su cron 30 && busctl call {BUS} Beat s cron')
    equal(guest().run(f'{AS_NOBODY} busctl call {BUS} List'), 'a(ssub) 1 "cron" "ok" 30 false', 'List')
    status, text = guest().sh(f'{AS_NOBODY} busctl call {BUS} Beat s cron')
    check(status != 0 and 'Access denied' in text, text)
    status, text = guest().sh(f'{AS_NOBODY} busctl call {BUS} Register su x 30')
    check(status != 0 and 'Access denied' in text, text)
    check('.RegisterRequired' in guest().run('busctl introspect org.tenon.Agent1 /org/tenon/Agent1'), 'introspection')
    guest().run(f'busctl call {BUS} Unregister s cron')


@test(timeout=240)
def frozen_file_systems_are_no_missed_beat():
    guest().run('systemd-run -q --unit=short tenonctl heartbeat run --name short --timeout 6 --required -- '
                "sh -c 'while :; do date >/beat; sync /beat; systemd-notify WATCHDOG=1; sleep 0.5; done'")
    procs.wait_for(lambda: beats().get('short', {}).get('beats', 0) >= 2, 60, 'two beats')
    guest().ask('guest-fsfreeze-freeze', timeout=60)
    time.sleep(10)
    frozen = beats()['short']['state'], health()['gate']['feed']
    guest().ask('guest-fsfreeze-thaw', timeout=60)
    equal(frozen, ('ok', True), 'heartbeat and gate while frozen')
    count = beats()['short']['beats']
    procs.wait_for(lambda: beats()['short']['beats'] > count, 60, 'beats after the thaw')
    equal(beats()['short']['state'], 'ok', 'state after the thaw')
    guest().run('systemctl stop short')


@test(timeout=240)
def heartbeat_outlives_a_restart_of_the_agent():
    guest().run("systemd-run -q --unit=long tenonctl heartbeat run --name long --timeout 9 -- "
                "sh -c 'while :; do systemd-notify WATCHDOG=1; sleep 1; done'")
    procs.wait_for(lambda: 'long' in beats(), 60, 'the heartbeat')
    guest().run('systemctl restart tenond', 120)
    guest().port.wait_agent(60)
    procs.wait_for(lambda: beats().get('long', {}).get('beats', 0) >= 2, 60, 'beats with the new agent')
    guest().run('systemctl stop long')


@test(timeout=200)
def memory_hog_is_warned_of_and_then_closes_the_gate():
    # A program that wants more memory than it may have: it stalls. The kernel wakes the agent for it.
    guest().run('systemd-run -q --unit=hog -p MemoryHigh=16M -p MemoryMax=400M tail /dev/zero')
    check('waited for memory' in wait_gate(False, 90)['reason'], 'the reason')
    log = guest().run('journalctl -q -b -u tenond --no-pager -o cat TENON_CHECK=memory')
    check('check memory is warning, was ok' in log, f'no warning before: {log}')
    note(log.splitlines()[-1])
    guest().run('systemctl stop hog')
    wait_gate(True, 60)


@test(timeout=240)
def journal_has_no_errors_but_those():
    errors = guest().run('journalctl -q -b -u tenond -p err --no-pager -o cat | grep -v -e "is critical" -e "was missed" '
                         '-e "not to be fed" -e "check mistaken" || true')
    equal(errors, '', 'errors in the journal')
