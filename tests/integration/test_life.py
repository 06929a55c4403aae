# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 the Tenon developers
"""The agent's life: starting, being idle, working long, reloading, being told to go."""

import json
import os
import random
import signal
import socket
import threading
import time

from cases import check, equal, note, test
from hostport import AgentError, HostPort
import procs
import tenond


@test
def sigterm_and_sigint_end_it():
    for number in (signal.SIGTERM, signal.SIGINT):
        agent = tenond.Agent()
        host = agent.host()
        host.send('{"execute":')
        equal(agent.stop(number), 0, f'exit status after {number!r}')
        check(not os.path.exists(agent.socket), 'the socket is left behind')
        check(not os.path.exists(agent.control), 'the control socket is left behind')
        host.close()
        agent.close()


def load(agent, until):
    """Requests as fast as they are answered, until the agent goes."""
    try:
        host = agent.host()
        while not until.is_set():
            host.send('{"execute":"guest-ping"}\n' * 50 + '{"execute":"guest-network-get-interfaces"}\n')
            for _ in range(51):
                host.read_line()
    except (OSError, TimeoutError):
        pass


@test(timeout=1800)
def sigterm_under_load():
    """50 times, or as often as TENON_SIGTERM_TURNS says."""
    agent = tenond.Agent(start=False)
    slowest = 0
    turns = int(os.environ.get('TENON_SIGTERM_TURNS', '50'))
    for turn in range(turns):
        agent.start()
        over = threading.Event()
        threads = [threading.Thread(target=load, args=(agent, over)) for _ in range(3)]
        for thread in threads:
            thread.start()
        time.sleep(random.uniform(0, 0.05))
        begin = time.monotonic()
        status = agent.stop(patience=10)
        slowest = max(slowest, time.monotonic() - begin)
        over.set()
        for thread in threads:
            thread.join()
        equal(status, 0, f'exit status at turn {turn}')
        os.remove(agent.log)
    note(f'{turns} times, the slowest took {slowest * 1000:.0f} ms')
    agent.close()


def look(agents, seconds):
    """How often each of the agents wakes up in that time."""
    before = [agent.wakeups() for agent in agents]
    time.sleep(seconds)
    return [agent.wakeups() - count for agent, count in zip(agents, before)]


@test(timeout=90)
def idle_is_idle():
    alone, accompanied = agents = [tenond.Agent(), tenond.Agent()]
    host = accompanied.host()
    host.sync()
    # Beside other tests a start can take its time.
    procs.wait_for(lambda: look(agents, 1) == [0, 0], 20, 'the agents to have started')
    equal(look(agents, 20), [0, 0], 'voluntary context switches without and with a client in 20 s')
    equal(host.ask('guest-ping'), {}, 'guest-ping')
    host.close()
    alone.close()
    accompanied.close()


MIXED = ['{"execute":"guest-ping"}', '{"execute":"guest-sync","arguments":{"id":1}}', '{"execute":"guest-get-time"}',
         '{"execute":"guest-get-osinfo"}', '{"execute":"guest-info"}', '{"execute":"guest-get-vcpus"}',
         '{"execute":"guest-network-get-interfaces"}', '{"execute":"guest-pong"}', '{"execute":"guest-ping","x":1}',
         '{"execute":"guest-sync","arguments":{}}', "{'execute': 'guest-get-host-name', 'id': [1]}", '{"a":}',
         '{"execute":"guest-exec-status","arguments":{"pid":1}}', '{"execute":"guest-fsfreeze-status"}',
         '{"execute":"guest-file-open","arguments":{"path":"/nowhere"}}', '{"execute":"guest-get-disks"}',
         '{"execute":"guest-get-timezone"}', '[]', '{"execute":"guest-get-fsinfo"}', '{"execute":"guest-get-users"}']


def work(agent, count):
    """Mixed requests in batches, now and then over a new connection."""
    rand = random.Random(count)
    done = 0
    while done < count:
        host = agent.host()
        for _ in range(10):
            batch = rand.choices(MIXED, k=200)
            host.send('\n'.join(batch) + '\n')
            for _ in batch:
                json.loads(host.read_line())
            done += len(batch)
        host.close()


# 100000 in each run of the tests; the long one is TENON_REQUESTS=1000000 tests/lib/runner.py --match mixed FILE.
REQUESTS = int(os.environ.get('TENON_REQUESTS', '100000'))


@test(timeout=600 + REQUESTS // 500)
def many_mixed_requests():
    agent = tenond.Agent('[policy]\npreset=open\n', options=tenond.plugin_options(tenond.ALL_PLUGINS))
    fds = agent.fds()
    work(agent, 10000)
    agent.ask('guest-ping')
    rss = agent.status_kib()
    begin = time.monotonic()
    work(agent, REQUESTS)
    rate = REQUESTS / (time.monotonic() - begin)
    agent.ask('guest-ping')
    note(f'{REQUESTS} requests, {rate:.0f}/s; resident before {rss} KiB, after {agent.status_kib()} KiB')
    agent.check_growth(rss, 256)
    procs.wait_for(lambda: agent.fds() == fds, 5, f'the {fds} descriptors of the start')
    check(int(agent.ask('tenon-get-status')['counters']['requests']) > REQUESTS, 'they were not counted')
    agent.close()


def preset(agent):
    """The policy in force."""
    return agent.ask('tenon-get-status')['policy']['preset']


def reload(agent, extra, word):
    """Change the configuration, SIGHUP; wait for a word about it in the log."""
    count = agent.text('log').count(word)
    agent.configure(extra)
    agent.kill(signal.SIGHUP)
    procs.wait_for(lambda: agent.text('log').count(word) > count, 5, f'{word} in the log')


@test
def sighup_changes_the_policy():
    agent = tenond.Agent('[policy]\npreset=locked\n')
    equal(preset(agent), 'locked', 'preset')
    host = agent.host()
    host.sync()
    reload(agent, '[policy]\npreset=standard\nblock=guest-get-osinfo\n', 'configuration reloaded')
    equal(preset(agent), 'standard', 'preset after SIGHUP')
    try:
        host.ask('guest-get-osinfo')  # the connection from before
        raise AssertionError('guest-get-osinfo is allowed')
    except AgentError as error:
        check('remove it from block=' in error.desc, error.desc)
    reload(agent, '[policy]\npreset=opne\n', 'configuration not reloaded')
    equal(preset(agent), 'standard', 'preset after a mistake')
    check("key 'preset': 'opne' is not one of standard, open, locked" in agent.text('log'), 'no word of the mistake')
    for _ in range(20):
        agent.kill(signal.SIGHUP)
    equal(agent.ask('guest-ping'), {}, 'guest-ping after many reloads')
    host.close()
    agent.close()


@test
def sighup_keeps_the_command_line():
    agent = tenond.Agent(options=[*tenond.plugin_options(), '--block-rpcs=guest-get-osinfo'])
    reload(agent, '[policy]\npreset=open\n', 'configuration reloaded')
    blocked = agent.ask('tenon-get-status')['policy']['block']
    check('guest-get-osinfo' in blocked, f'block is {blocked}')
    agent.close()


@test
def stale_socket_is_taken_over():
    agent = tenond.Agent(start=False)
    left = socket.socket(socket.AF_UNIX)
    left.bind(agent.socket)
    left.close()
    agent.start()
    equal(agent.ask('guest-ping'), {}, 'guest-ping')
    equal(os.stat(agent.socket).st_mode & 0o777, 0o600, 'mode of the socket')
    agent.child.kill()
    agent.child.wait()
    check(os.path.exists(agent.socket), 'SIGKILL leaves the socket, or this test proves nothing')
    os.remove(agent.log)
    agent.start()
    equal(agent.ask('guest-ping'), {}, 'guest-ping after a crash')
    agent.close()


def refuse_to_start(agent, wanted, status=1):
    """Run it; it must end at once, with this text."""
    got, _, stderr = tenond.run(*agent.argv(), timeout=10)
    check(wanted in stderr, f'{stderr!r} lacks {wanted!r}')
    equal(got, status, f'exit status with {wanted!r}')


@test
def what_it_does_not_start_with():
    agent = tenond.Agent()
    second = tenond.Agent(start=False)
    second.configure(f'[channel]\npath={agent.socket}\n')
    refuse_to_start(second, f'{agent.socket} is in use by another process; stop it first')
    equal(agent.ask('guest-ping'), {}, 'guest-ping of the first')
    second.configure(f'[channel]\npath={second.conf}\n')
    refuse_to_start(second, 'exists and is not a socket; choose another path')
    second.configure('[channel]\npath=/nonexistent/socket\n')
    refuse_to_start(second, 'listen on /nonexistent/socket: No such file or directory')
    second.configure('[channel]\nmethod=vsock-listen\npath=here\n')
    refuse_to_start(second, "'here' is not a vsock address")
    second.close()
    agent.close()


class Activated:
    """tenond under systemd-socket-activate, on some sockets."""

    def __init__(self, sockets):
        self.agent = tenond.Agent(start=False)
        self.paths = [self.agent.path(f'activated-{i}') for i in range(sockets)]
        listen = [word for path in self.paths for word in ('-l', path)]
        with open(self.agent.path('stderr'), 'w', encoding='utf-8') as stderr:
            self.agent.child = procs.start(['systemd-socket-activate', *listen, *self.agent.argv()], stderr=stderr)
        procs.wait_for(lambda: all(map(os.path.exists, self.paths)), 10, 'systemd-socket-activate to listen')

    def host(self):
        """Connect to the first socket."""
        return HostPort(self.paths[0]).open()


@test
def socket_activation():
    active = Activated(1)
    host = active.host()
    host.sync()
    status = host.ask('tenon-get-status')
    equal(status['channels'][0]['method'], 'unix-listen', 'method')
    check(not os.path.exists(active.agent.socket), 'it listens on the configured path as well')
    second = active.host()
    second.sync()
    equal(active.agent.stop(), 0, 'exit status')
    check(os.path.exists(active.paths[0]), 'it removed a socket that is not its own')
    active.agent.close()


@test
def socket_activation_with_two_sockets():
    active = Activated(2)
    host = active.host()
    equal(active.agent.child.wait(10), 1, 'exit status')
    check('socket activation passed 2 sockets; exactly one is needed' in active.agent.text('stderr'),
          active.agent.text('stderr'))
    host.close()
    active.agent.close()


@test
def stored_watchdog_that_nobody_feeds_is_disarmed():
    """systemd hands a watchdog's descriptor back, but the plugin that would feed it is not there any more."""
    agent = tenond.Agent(start=False)
    device = agent.path('watchdog')
    script = f'export LISTEN_PID=$$ LISTEN_FDS=1 LISTEN_FDNAMES=watchdog; exec "$@" 3>{device}'
    agent.command = ['sh', '-c', script, 'sh', *agent.command]
    agent.start()
    host = agent.host()
    host.sync()
    equal(host.ask('tenon-get-status')['channels'][0]['path'], agent.socket, 'the socket that is listened on')
    equal(agent.text('watchdog'), 'V', 'what was written to the device')
    check('the watchdog of before was disarmed' in agent.text('log'), agent.text('log'))
    host.close()
    agent.close()


@test
def second_agent_beside_it():
    """Two agents, two sockets: neither is in the other's way."""
    one, two = tenond.Agent(), tenond.Agent()
    equal([one.ask('guest-ping'), two.ask('guest-ping')], [{}, {}], 'answers')
    equal(one.stop(), 0, 'exit status of one')
    equal(two.ask('guest-ping'), {}, 'the other')
    one.close()
    two.close()


@test
def one_thread():
    agent = tenond.Agent()
    agent.ask('guest-get-osinfo')
    equal(agent.status_kib('Threads'), 1, 'threads')
    agent.close()
