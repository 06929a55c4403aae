# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 the Tenon developers
"""tenonctl events: live and from before, for every user, and its ends."""

import json
import os
import socket
import subprocess

from cases import check, equal, shared, test
import hostport
import procs
import tenond
import terminal

CTL = tenond.built('cli/tenonctl')


class Beating(tenond.Agent):
    """An agent in which a heartbeat makes an event."""

    def __init__(self):
        super().__init__(options=tenond.plugin_options(('guestinfo', 'health')), start=False)
        self.beat = self.path('heartbeat.sock')
        self.configure(f'[heartbeat]\nsocket={self.beat}\ndbus=no\n')
        self.start()
        procs.wait_for(lambda: os.path.exists(self.beat), 20, 'the heartbeat socket')

    def make_events(self, name):
        """A heartbeat comes and goes: two events."""
        equal(self.ctl('heartbeat', 'run', '--name', name, '--heartbeat-socket', self.beat, '--', 'true')[0], 0, 'a beat')

    def watchers(self):
        """Clients of the control socket."""
        return next(len(row['clients']) for row in self.ask('tenon-get-status')['channels'] if row['role'] == 'control')

    def follow(self, *words, uid=None):
        """tenonctl events in the background, which has been heard."""
        before = self.watchers()
        child = procs.start([CTL, '--socket', self.control, 'events', *words], stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE, **({} if uid is None else {'user': uid}))
        procs.wait_for(lambda: self.watchers() > before, 20, 'the agent to see a client')
        return child


@shared
def agent():
    """The agent that is watched."""
    return Beating()


def names(lines):
    """Of events in JSON."""
    return [json.loads(line)['event'] for line in lines.splitlines()]


@test
def live():
    child = agent().follow('--json', '--count', '2')
    procs.wait_for(lambda: agent().make_events('live') or child.poll() is not None, 60, 'two events')
    out, err = child.communicate(timeout=30)
    equal((child.returncode, err), (0, b''), 'exit status and errors')
    equal(names(out), ['HEARTBEATS_CHANGED'] * 2, 'events')
    events = [json.loads(line) for line in out.splitlines()]
    equal(sorted(events[0]), ['data', 'event', 'timestamp'], 'members')
    equal(sorted(len(event['data']['heartbeats']) for event in events), [0, 1], 'heartbeats: one came, one went')


@test
def from_before():
    agent().make_events('before')
    code, out, err = agent().ctl('events', '--json', '--since', '1h', '--count', '3')
    equal((code, err), (0, ''), 'exit status and errors')
    equal(sorted(names(out)), ['CHECKS_CHANGED', 'HEARTBEATS_CHANGED', 'HEARTBEATS_CHANGED'], 'events')
    stamps = [json.loads(line)['timestamp']['seconds'] for line in out.splitlines()]
    equal(stamps, sorted(stamps), 'order')


@test
def for_people():
    agent().make_events('people')
    code, out, _ = agent().ctl('events', '--since', '1h', '--count', '3')
    equal(code, 0, 'exit status')
    check(' HEARTBEATS_CHANGED ' in out and 'heartbeats=' in out, out)
    code, out = terminal.run([CTL, '--socket', agent().control, 'events', '--since', '1h', '--count', '3'])
    check(code == 0 and '\x1b[1mHEARTBEATS_CHANGED' in out, out)


@test
def every_user_may_watch():
    if os.geteuid() != 0:
        return  # we are such a user, and have watched
    os.chmod(agent().dir, 0o755)
    agent().make_events('user')
    done = subprocess.run([CTL, '--socket', agent().control, 'events', '--json', '--since', '1h', '--count', '1'],
                          capture_output=True, timeout=30, check=False, user=65534)
    equal((done.returncode, done.stderr), (0, b''), 'exit status and errors')
    equal(len(names(done.stdout)), 1, 'events')


@test
def the_host_is_refused():
    host = agent().host()
    try:
        check(not host.ask('tenon-watch-events'), 'it is not refused')
    except hostport.AgentError as error:
        check('control socket' in str(error), str(error))
    host.close()


@test
def it_ends_with_the_agent():
    other = Beating()
    child = other.follow()
    other.stop()
    _, err = child.communicate(timeout=30)
    equal(child.returncode, 3, 'exit status')
    check(b'the agent has closed the connection' in err, err)
    other.close()


@test
def an_agent_that_does_not_answer():
    folder = procs.temp_dir()
    path = os.path.join(folder, 'control.sock')
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
        listener.listen()
        code, out, err = tenond.run(CTL, '--socket', path, 'events', timeout=60)
    procs.remove_dir(folder)
    equal((code, out), (2, ''), 'exit status and stdout')
    check('the agent did not answer within 5 s' in err, err)


@test
def wrong_usage():
    for words, wanted in ((('--since', 'soon'), "'soon' is no time; write 10min"), (('--count', '-1'), '--count is 1'),
                          (('--count', 'x'), 'try tenonctl events --help'), (('x',), "unexpected argument 'x'")):
        code, out, err = agent().ctl('events', *words)
        equal((code, out), (2, ''), f'exit status and stdout of {words}')
        check(wanted in err, err)
    code, out, err = tenond.run(CTL, '--socket', '/nonexistent/x', 'events')
    equal((code, out), (3, ''), 'exit status without an agent')
    check('the agent is not running' in err, err)
