# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 the Tenon developers
"""Health over a whole agent: the bus policy with real users, tenonctl heartbeat run and its ends, floods, mistakes,
and an agent that sleeps while all is well."""

import json
import os
import signal
import socket
import subprocess
import time

import cases
import procs
import tenond
from bus import NOBODY, Bus, need_root
from cases import check, equal, note, shared, test
from qmp import Qmp

HEARTBEATS = 'org.tenon.Agent1.Heartbeats'


class Healthy(tenond.Agent):
    """An agent with the plugin health and a heartbeat socket of its own."""

    def __init__(self, extra='', bus=None, heartbeat=''):
        self.bus = bus
        address = bus.address if bus else 'unix:path=/nonexistent/bus'
        super().__init__(f'{extra}\n', tenond.plugin_options(('health',)),
                         ['env', f'DBUS_SYSTEM_BUS_ADDRESS={address}', tenond.built('agent/tenond')], start=False)
        os.chmod(self.dir, 0o755)
        self.beat = self.path('hb.sock')
        self.events = self.path('qmp.sock')
        self.configure(f'{extra}\n[heartbeat]\nsocket={self.beat}\n{heartbeat}\n'
                       f'[qmp]\nmethod=unix-listen\npath={self.events}\n')
        self.start()
        procs.wait_for(lambda: os.path.exists(self.beat), 20, 'the heartbeat socket')

    def health(self):
        """What tenonctl health --json says."""
        return json.loads(self.ctl('health', '--json')[1])

    def beats(self):
        """The heartbeats by their names."""
        return {row['name']: row for row in self.health()['heartbeats']}

    def run_beating(self, *command, name='db', options=()):
        """tenonctl heartbeat run; exit status, stdout and stderr."""
        return self.ctl('heartbeat', 'run', '--name', name, '--heartbeat-socket', self.beat, *options, '--', *command)

    def wait_gate(self, feed):
        """Wait for the gate; its reason."""
        procs.wait_for(lambda: self.health()['gate']['feed'] is feed, 20, f'the gate with feed={feed}')
        return self.health()['gate']['reason']

    def send(self, *datagrams):
        """Send bytes to the heartbeat socket."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
            for data in datagrams:
                sock.sendto(data, self.beat)


@shared
def bus():
    """The bus of all tests."""
    return Bus()


@shared
def agent():
    """The agent of most tests."""
    return Healthy(bus=bus())


@test
def bus_knows_its_callers():
    need_root()
    procs.wait_for(lambda: agent().health()['heartbeat-access']['dbus'], 20, 'the name on the bus')
    equal(bus().call(HEARTBEATS, 'Register', 'su', 'db', '30')[0], 0, 'Register as root')
    equal(bus().call(HEARTBEATS, 'List', uid=NOBODY)[1], 'a(ssub) 1 "db" "ok" 30 false\n', 'List as another user')
    status, _, stderr = bus().call(HEARTBEATS, 'Beat', 's', 'db', uid=NOBODY)
    check(status != 0 and 'Access denied' in stderr, stderr)  # busctl's own words for AccessDenied
    status, _, stderr = bus().call(HEARTBEATS, 'Register', 'su', 'x', '30', uid=NOBODY)
    check(status != 0 and 'Access denied' in stderr, stderr)
    status, _, stderr = bus().call(HEARTBEATS, 'Register', 's', 'x')
    check(status != 0 and "Register takes the arguments 'su', not 's'" in stderr, stderr)
    equal(bus().call(HEARTBEATS, 'Beat', 's', 'db')[0], 0, 'Beat as root')
    equal(agent().beats()['db']['beats'], 1, 'beats')
    equal(bus().call(HEARTBEATS, 'Unregister', 's', 'db')[0], 0, 'Unregister as root')


@test
def listed_users_may_register():
    need_root()
    with_users = Healthy(heartbeat='users=4711\nrequired-users=4712')
    try:
        def run_as(uid, *options):
            return tenond.run('setpriv', f'--reuid={uid}', f'--regid={uid}', '--clear-groups',
                              tenond.built('cli/tenonctl'), 'heartbeat', 'run', '--name', f'of-{uid}',
                              '--heartbeat-socket', with_users.beat, *options, '--', 'true')
        equal(run_as(4711)[0], 0, 'a listed user')
        status, _, stderr = run_as(4711, '--required')
        check(status == 2 and 'required-users= in [heartbeat]' in stderr, stderr)
        equal(run_as(4712, '--required')[0], 0, 'a user who may register required ones')
        equal(run_as(4713)[0], 2, 'a user who is not listed')
    finally:
        with_users.close()


@test
def nobody_else_can_be_the_agent():
    need_root()
    status, _, stderr = tenond.run('setpriv', f'--reuid={NOBODY}', f'--regid={NOBODY}', '--clear-groups', 'busctl',
                                   f'--address={bus().address}', 'call', 'org.freedesktop.DBus',
                                   '/org/freedesktop/DBus', 'org.freedesktop.DBus', 'RequestName', 'su',
                                   'org.tenon.Agent1', '0')
    check(status != 0 and 'Access denied' in stderr, stderr)


@test
def command_runs_and_ends():
    equal(agent().run_beating('sh', '-c', 'echo "$WATCHDOG_USEC"', options=('--timeout', '7'))[:2], (0, '7000000\n'),
          'status and output')
    equal(agent().run_beating('sh', '-c', 'test "$NOTIFY_SOCKET" = "$1"', 'x', agent().beat)[0], 0, 'NOTIFY_SOCKET')
    equal(agent().beats(), {}, 'heartbeats after a proper end')
    equal(agent().run_beating('sh', '-c', 'exit 5', name='five')[0], 5, 'exit status')
    equal(agent().beats()['five']['reason'], 'its command ended with exit status 5', 'reason')
    equal(agent().ctl('heartbeat', 'list')[0], 1, 'exit status of list with a missed one')
    equal(agent().ctl('heartbeat', 'remove', 'five', '--heartbeat-socket', agent().beat)[0], 0, 'remove')
    equal(agent().ctl('heartbeat', 'list', '--json')[:2], (0, '[]\n'), 'list after it')
    status, _, stderr = agent().run_beating('/no/such/program')
    check(status == 2 and 'start /no/such/program: No such file' in stderr, stderr)
    equal(agent().beats(), {}, 'heartbeats after a program that is not there')


@test
def wrong_usage():
    for arguments, wanted in (((), 'Usage: tenonctl heartbeat list'),
                              (('run', '--', 'true'), '--name is missing'),
                              (('run', '--name', 'a'), 'write it after --'),
                              (('run', '--name', 'a', 'true'), "unexpected argument 'true'"),
                              (('run', '--name', 'a', '--timeout', '0', '--', 'true'), '1 to 86400 seconds'),
                              (('remove',), 'the name is missing'),
                              (('remove', 'nobody', '--heartbeat-socket', agent().beat), "no heartbeat 'nobody'"),
                              (('run', '--name', 'a b', '--heartbeat-socket', agent().beat, '--', 'true'),
                               'letters, digits')):
        status, _, stderr = agent().ctl('heartbeat', *arguments)
        equal(status, 2, f'exit status of {arguments}')
        check(wanted in stderr, f'{wanted!r} is not in {stderr!r}')


@test
def signal_is_handed_on_and_is_a_proper_end():
    child = procs.start([tenond.built('cli/tenonctl'), 'heartbeat', 'run', '--name', 'term', '--required',
                         '--heartbeat-socket', agent().beat, '--', 'sleep', '100'])
    procs.wait_for(lambda: 'term' in agent().beats(), 20, 'the heartbeat')
    child.send_signal(signal.SIGTERM)
    equal(child.wait(10), 128 + signal.SIGTERM, 'exit status')
    procs.wait_for(lambda: agent().beats() == {}, 10, 'the heartbeat to go')


@test
def tenonctl_that_is_killed_is_a_missed_beat():
    child = procs.start([tenond.built('cli/tenonctl'), 'heartbeat', 'run', '--name', 'shot', '--required',
                         '--heartbeat-socket', agent().beat, '--', 'sleep', '3'])
    procs.wait_for(lambda: 'shot' in agent().beats(), 20, 'the heartbeat')
    child.kill()
    child.wait(10)
    check('ended without unregistering' in agent().wait_gate(False), 'reason of the gate')
    equal(agent().ctl('heartbeat', 'remove', 'shot', '--heartbeat-socket', agent().beat)[0], 0, 'remove')
    agent().wait_gate(True)


@test
def agent_that_is_away_keeps_no_command_from_running():
    status, stdout, stderr = tenond.run(tenond.built('cli/tenonctl'), 'heartbeat', 'run', '--name', 'a',
                                        '--heartbeat-socket', '/nonexistent/hb.sock', '--', 'echo', 'ran')
    equal((status, stdout), (0, 'ran\n'), 'status and output')
    check('the agent is not running' in stderr, stderr)
    status, _, stderr = tenond.run(tenond.built('cli/tenonctl'), '--socket', '/nonexistent/c.sock', 'health')
    equal(status, 3, 'exit status of tenonctl health without an agent')


@test
def events_tell_in_their_order():
    host = Qmp(agent().events)
    try:
        agent().send(b'X_TENON_REGISTER=ev\nX_TENON_REQUIRED=1\nWATCHDOG_USEC=1000000')
        host.wait_event('HEARTBEATS_CHANGED', 10)
        event = host.wait_event('HEARTBEATS_CHANGED', 10)
        equal([row['state'] for row in event['data']['heartbeats']], ['missed'], 'states in the event')
        check('heartbeat ev was missed: no beat for 1 s' in host.wait_event('HEALTH_CHANGED', 10)['data']['problems'],
              'health in the event')
        equal(host.wait_event('HEALTH_GATE_CHANGED', 10)['data']['feed'], False, 'the gate in the event')
        with open(agent().path('health-gate.json'), encoding='utf-8') as file:
            equal(json.load(file)['culprit'], 'ev', 'culprit in the record')
        agent().send(b'X_TENON_UNREGISTER=ev')
        equal(host.wait_event('HEALTH_GATE_CHANGED', 10)['data']['feed'], True, 'the gate in the event')
    finally:
        host.close()
        agent().send(b'X_TENON_UNREGISTER=ev')


@test
def floods_and_rubbish_change_nothing():
    before = agent().status_kib()
    rubbish = [b'', b'\0' * 100, b'x' * 4096, b'=' * 4097, b'X_TENON_REGISTER=' + b'n' * 200, b'\xff\xfe',
               b'WATCHDOG_USEC=-1', b'X_TENON_UNREGISTER=', b'WATCHDOG\n' * 400]
    for _ in range(300):
        agent().send(*rubbish)
    equal(agent().beats(), {}, 'heartbeats after rubbish')
    for number in range(200):
        agent().send(f'X_TENON_REGISTER=n{number}'.encode())
    procs.wait_for(lambda: len(agent().beats()) == 64, 20, 'as many heartbeats as there may be')
    equal(agent().ask('guest-ping'), {}, 'guest-ping')
    agent().check_growth(before, 4096)
    for number in range(64):
        agent().send(f'X_TENON_UNREGISTER=n{number}'.encode())
    procs.wait_for(lambda: agent().beats() == {}, 20, 'no heartbeats')


@test
def second_start_leaves_the_socket_alone():
    done = tenond.run(*agent().command, '-c', agent().conf, *agent().extra_options, '--dump-conf')
    equal(done[0], 0, 'exit status of --dump-conf')
    check(os.path.exists(agent().beat), 'the socket of the running agent is gone')
    equal(agent().run_beating('true')[0], 0, 'a heartbeat after it')


@test
def script_check_over_the_whole_way():
    made = Healthy('[check s]\ntype=script\nin-a-row=1\ninterval-ms=1000\nrequired=yes\npath=/bin/false\n')
    try:
        procs.wait_for(lambda: made.health()['checks'][0].get('message'), 20, 'a measurement')
        equal(made.health()['checks'][0]['state'], 'warning', 'state with /bin/false')
        equal(made.health()['gate']['feed'], True, 'the gate')
        equal(made.ctl('health')[0], 1, 'exit status of tenonctl health')
    finally:
        made.close()


@test
def mistakes_are_told_and_the_rest_runs():
    made = Healthy('[check bad]\ntype=unit\n[check good]\ntype=memory-available\n')
    try:
        problems = made.health()['health']['problems']
        check(any("[check bad], key 'unit' is missing; type=unit needs it" in text for text in problems), problems)
        equal([row['name'] for row in made.health()['checks']], ['good', 'loop'], 'checks')
        status, stdout, stderr = made.ctl('config', '--file', made.conf)
        equal(status, 1, 'exit status of tenonctl config')
        check('check good' in stdout and 'check bad' not in stdout, stdout)
        check('group [check bad]' in stderr, stderr)
    finally:
        made.close()


@test
def idle_agent_sleeps():
    made = Healthy(bus=bus(), extra='')
    try:
        time.sleep(2)
        before = made.wakeups()
        time.sleep(10)
        count = made.wakeups() - before
        note(f'{count} wakeups in 10 s')
        equal(count, 0, 'wakeups in 10 s')
    finally:
        made.close()
