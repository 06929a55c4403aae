# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 the Tenon developers
"""tenon-tray on private buses: what it shows, what its menu does, and what it survives. The agent, the tray and the
notifications are stand-ins; tests/desktop has a real tray."""

import contextlib
import os
import pty
import subprocess
import time
import xml.etree.ElementTree as ElementTree

import procs
import tenond
import trayrig
from cases import check, equal, note, test
from trayrig import AGENT, DOUBLE_CLICK, PATIENCE

WELL = {AGENT: {'State': 'ok', 'Version': '0.1.0', 'Problems': []},
        AGENT + '.Hypervisor': {'State': 'present', 'Id': 'kvm'},
        AGENT + '.Drivers': {'State': 'ok', 'Advice': []}}
PROBLEM = {AGENT: {'State': 'degraded', 'Problems': ['check disk: 95 % of / are used; free_some space']}}
WHOLE = {AGENT: {'State': 'ok', 'Problems': []}}


@contextlib.contextmanager
def running(*roles, options=()):
    """A rig with stand-ins, the tray started after them: (rig, stand-in, …)."""
    rig = trayrig.Rig()
    try:
        standins = [rig.standin(role) for role in roles]
        if 'agent' in roles:
            standins[roles.index('agent')].send(set=WELL)
        rig.start_tray(*options)
        if 'tray' in roles:
            standins[roles.index('tray')].wait(lambda line: 'registered' in line, 'the icon to register')
            if 'agent' in roles:
                wait_headline(rig, 'Tenon: all is well')
        yield (rig, *standins)
    finally:
        rig.close()


def wait_headline(rig, text):
    """Wait for the first line of the menu."""
    procs.wait_for(lambda: rig.labels()[0] == text, PATIENCE, f'the menu to say {text!r}')


def check_alive(rig):
    """The program runs and has complained of nothing."""
    equal(rig.tray.poll(), None, 'exit status of tenon-tray')
    check('CRITICAL' not in rig.log() and 'WARNING' not in rig.log(), rig.log())


@test
def registers_and_shows():
    """The icon registers by a name that it owns; icon, tooltip and menu are those of an agent that is well."""
    with running('agent', 'tray') as (rig, agent, tray):
        equal(tray.told('registered'), [rig.item_name()], 'who registered')
        item = rig.item()
        equal((item['Status'], item['IconName'], item['Menu'], item['ItemIsMenu']),
              ('Active', 'tenon-tray', '/MenuBar', False), 'the icon')
        check('Machine: kvm' in item['ToolTip'][3], f'tooltip {item["ToolTip"]}')
        labels = rig.labels()
        check('Machine: kvm' in labels and 'Drivers: as they should be' in labels, f'menu {labels}')
        equal(labels[-3:], ['Open status…', 'Check for updates', 'Quit'], 'the end of the menu')
        agent.send(set={AGENT: {'State': 'ok', 'Version': '0.2.0'}})
        procs.wait_for(lambda: any('0.2.0' in label for label in rig.labels()), PATIENCE, 'the new version')
        check_alive(rig)


@test
def the_contract():
    """Every property and method of the two XML files answers; what is not there is refused."""
    with running('agent', 'tray') as (rig, _agent, _tray):
        name = rig.item_name()
        arguments = {'i': ['0'], 's': ['label'], 'u': ['0'], 'v': ['s', ''], 'as': ['0'], 'ai': ['0'],
                     'a(isvu)': ['0']}
        for path, file in (('/StatusNotifierItem', 'org.kde.StatusNotifierItem'),
                           ('/MenuBar', 'com.canonical.dbusmenu')):
            source = os.path.join(trayrig.TOP, 'data', file + '.xml')
            with open(source, encoding='utf-8') as text:
                equal(rig.call(name, path, 'org.freedesktop.DBus.Introspectable', 'Introspect')[0], text.read(), file)
            root = ElementTree.parse(source).getroot()
            values = rig.call(name, path, 'org.freedesktop.DBus.Properties', 'GetAll', 's', file)[0]
            equal({key: value['type'] for key, value in values.items()},
                  {row.get('name'): row.get('type') for row in root.iter('property')}, f'properties of {file}')
            for method in root.iter('method'):
                if method.get('name') == 'Activate':
                    continue  # opens a terminal, see opens_the_status
                types = [arg.get('type') for arg in method.iter('arg') if arg.get('direction') == 'in']
                words = [word for kind in types for word in arguments[kind]]
                rig.call(name, path, file, method.get('name'), ''.join(types), *words)
        for words in (('/MenuBar', 'com.canonical.dbusmenu', 'GetLayout', 'iias', '77', '-1', '0'),
                      ('/MenuBar', 'com.canonical.dbusmenu', 'Event', 'isvu', '-1', 'clicked', 's', '', '0'),
                      ('/MenuBar', 'com.canonical.dbusmenu', 'Event', 's', 'clicked'),
                      ('/StatusNotifierItem', 'org.kde.StatusNotifierItem', 'Fly')):
            try:
                rig.call(name, *words)
            except RuntimeError:
                continue
            raise AssertionError(f'{words} was not refused')
        equal(rig.call(name, '/MenuBar', 'com.canonical.dbusmenu', 'EventGroup', 'a(isvu)', '2', '2', 'hovered', 's',
                       '', '0', '99', 'clicked', 's', '', '0'), [[99]], 'ids that the menu does not have')
        check_alive(rig)


@test
def needs_attention():
    """A problem: sign, signals, text; gone again: all is well. An underscore in a text is no key."""
    with running('agent', 'tray', 'notifications') as (rig, agent, tray, told):
        agent.send(set=PROBLEM)
        told.wait(lambda line: 'notified' in line, 'the notification')
        wait_headline(rig, 'Tenon: 1 thing needs attention')
        item = rig.item()
        equal((item['Status'], item['IconName'], item['AttentionIconName']),
              ('NeedsAttention', 'tenon-tray-attention', 'tenon-tray-attention'), 'the icon')
        equal(item['ToolTip'][2:], ['Tenon: 1 thing needs attention', PROBLEM[AGENT]['Problems'][0]], 'the tooltip')
        check('check disk: 95 % of / are used; free__some space' in rig.labels(), f'menu {rig.labels()}')
        tray.wait(lambda line: line.get('signal') == 'NewStatus' and line['arguments'] == ['NeedsAttention'],
                  'the signal NewStatus')
        for member in ('NewIcon', 'NewToolTip', 'NewTitle', 'NewAttentionIcon', 'LayoutUpdated'):
            check(member in tray.told('signal'), f'no signal {member}')
        agent.send(set=WHOLE)
        wait_headline(rig, 'Tenon: all is well')
        equal(rig.item()['Status'], 'Active', 'status')
        check_alive(rig)


@test
def opens_the_status():
    """A click on the entry, on the icon, or on a notification: a terminal with our own program, which shows the status
    and waits for a key. What was shown then is no reason for the sign any more."""
    with running('agent', 'tray', 'notifications') as (rig, agent, _tray, told):
        record = os.path.join(rig.dir, 'terminals')
        rig.program('xdg-terminal-exec', f'#!/bin/sh\necho "$@" >>{record}\n')

        def opened(count):
            def enough():
                if not os.path.exists(record):
                    return None
                with open(record, encoding='utf-8') as file:
                    lines = file.read().splitlines()
                return lines if len(lines) >= count else None
            return procs.wait_for(enough, PATIENCE, f'{count} terminals')
        rig.click('Open status…')
        equal(opened(1), [f'{trayrig.BUILD}/tray/tenon-tray --show-status'], 'what the terminal runs')
        agent.send(set={AGENT + '.Drivers': {'State': 'advice', 'Advice': ['eth0 is emulated']}})
        number = told.wait(lambda line: 'notified' in line, 'the notification')['number']
        wait_headline(rig, 'Tenon: 1 thing needs attention')
        time.sleep(DOUBLE_CLICK)
        told.send(click=number)
        opened(2)
        wait_headline(rig, 'Tenon: nothing new')
        equal(rig.item()['Status'], 'Active', 'status')
        time.sleep(DOUBLE_CLICK)
        for _ in range(2):  # a double click opens one
            procs.run(['busctl', f'--address={rig.session.address}', '--expect-reply=no', 'call', rig.item_name(),
                       '/StatusNotifierItem', 'org.kde.StatusNotifierItem', 'Activate', 'ii', '1', '1'], env=rig.env)
        opened(3)
        time.sleep(DOUBLE_CLICK)
        rig.click('eth0 is emulated')
        equal(len(opened(4)), 4, 'terminals')
        check_alive(rig)


@test
def status_waits_for_a_key():
    """What runs in the terminal ends with a key, and not before; without tenonctl it says so."""
    rig = trayrig.Rig()
    try:
        rig.program('tenonctl', '#!/bin/sh\necho "all about $1"\n')
        inner, outer = pty.openpty()
        child = procs.start([f'{trayrig.BUILD}/tray/tenon-tray', '--show-status'], env=rig.env, stdin=outer,
                            stdout=outer, stderr=outer)
        os.close(outer)
        text = b''
        while b'Press a key' not in text:
            text += os.read(inner, 4096)
        check(b'all about status' in text, f'printed {text}')
        equal(child.poll(), None, 'exit status before a key')
        # The key may come before the program has set the terminal, which drops it: press until it ends.
        procs.wait_for(lambda: child.poll() is not None or (os.write(inner, b'x') and time.sleep(0.2)), PATIENCE,
                       'the end after a key')
        equal(child.returncode, 0, 'exit status')
        os.close(inner)
        done = subprocess.run([f'{trayrig.BUILD}/tray/tenon-tray', '--show-status'], env={**rig.env, 'PATH': rig.dir},
                              stdin=subprocess.DEVNULL, capture_output=True, timeout=PATIENCE, check=False)
        equal(done.returncode, 1, 'exit status without tenonctl')
        check(b'install the package tenon' in done.stderr, f'it said {done.stderr}')
    finally:
        rig.close()


@test
def no_terminal():
    """Without a terminal a notification says what to do."""
    with running('tray', 'notifications') as (rig, tray, told):
        procs.end(rig.tray)
        rig.start_tray(path=rig.bin)
        procs.wait_for(lambda: tray.told('registered')[1:], PATIENCE, 'the icon to register')
        rig.click('Open status…')
        line = told.wait(lambda line: 'notified' in line, 'the notification')
        check('tenonctl status' in line['text'], f'told {line}')


@test
def checks_for_updates():
    """The entry asks the agent, and its sentence is told; with no agent the entry is not there."""
    with running('agent', 'tray', 'notifications') as (rig, agent, _tray, told):
        rig.click('Check for updates')
        agent.wait(lambda line: 'checked' in line, 'the agent to be asked')
        line = told.wait(lambda line: 'notified' in line, 'the notification')
        equal(line['text'], 'Tenon is up to date', 'what was told')
        agent.stop()
        wait_headline(rig, 'Tenon is not running')
        check('Check for updates' not in rig.labels(), f'menu {rig.labels()}')
        check_alive(rig)


@test
def tells_once():
    """Each thing is told once: not again while it lasts, after a restart of the tray or of the agent."""
    things = {**PROBLEM,
              AGENT + '.Drivers': {'State': 'advice', 'Advice': ['eth0 has no driver'], 'Severities': ['critical']},
              AGENT + '.Watchdog': {'State': 'fed', 'LastReset': {'this-boot': True, 'cause': 'hang', 'reason': 'r',
                                                                  'time': 5}},
              AGENT + '.Updates': {'State': 'present', 'Status': 'out-of-date', 'Candidate': '0.2.0',
                                   'Installed': '0.1.0'}}
    with running('agent', 'tray', 'notifications') as (rig, agent, tray, told):
        agent.send(set=things)
        procs.wait_for(lambda: len(told.told('notified')) == 4, PATIENCE, 'four notifications')
        urgent = {line['notified']: line['urgency'] for line in told.lines if 'notified' in line}
        equal(urgent, {'Tenon needs attention': 2, 'This machine was reset': 1, 'A driver is missing': 2,
                       'Update for Tenon': 1}, 'what was told, how urgently')
        agent.send(set={AGENT: {'Version': '9'}})
        procs.wait_for(lambda: any('9' in label for label in rig.labels()), PATIENCE, 'the new version')
        procs.end(rig.tray)
        rig.start_tray()
        procs.wait_for(lambda: len(tray.told('registered')) == 2, PATIENCE, 'the new icon')
        wait_headline(rig, 'Tenon: 4 things need attention')
        agent.stop()
        wait_headline(rig, 'Tenon is not running')
        rig.standin('agent').send(set=things)
        wait_headline(rig, 'Tenon: 4 things need attention')
        equal(len(told.told('notified')), 4, 'notifications')
        check_alive(rig)


@test
def tells_late():
    """What nobody could show is told when a notification service comes; what is over by then is not."""
    with running('agent', 'tray') as (rig, agent, _tray):
        agent.send(set={**PROBLEM, AGENT + '.Drivers': {'State': 'advice', 'Advice': ['eth0 has no driver']}})
        wait_headline(rig, 'Tenon: 2 things need attention')
        agent.send(set={AGENT + '.Drivers': {'State': 'ok', 'Advice': []}})
        wait_headline(rig, 'Tenon: 1 thing needs attention')
        told = rig.standin('notifications')
        told.wait(lambda line: 'notified' in line, 'the notification')
        agent.send(set={AGENT + '.Drivers': {'State': 'advice', 'Advice': ['eth1 has no driver']}})
        procs.wait_for(lambda: len(told.told('notified')) == 2, PATIENCE, 'the second notification')
        equal([line['text'] for line in told.lines if 'text' in line],
              [PROBLEM[AGENT]['Problems'][0], 'eth1 has no driver'], 'what was told')
        check_alive(rig)


@test
def tells_of_a_shutdown():
    """An event of the agent's is told at once; one that somebody else sends is not."""
    with running('agent', 'tray', 'notifications') as (rig, agent, _tray, told):
        procs.run(['busctl', f'--address={rig.system.address}', f'--destination={own_name(rig)}', 'emit',
                   '/org/tenon/Agent1', AGENT, 'Event', 'sa{sv}', 'SHUTDOWN_CHANGED', '1', 'state', 's', 'forged'],
                  env=rig.env)
        agent.send(event=['SHUTDOWN_CHANGED', {'state': 'hooks', 'mode': 'reboot'}])
        agent.send(event=['SHUTDOWN_CHANGED', {'state': 'requested', 'mode': 'reboot', 'by': 'logind'}])
        line = told.wait(lambda line: 'notified' in line, 'the notification')
        equal((line['notified'], line['urgency']), ('Shutdown requested by the host', 2), 'the notification')
        check('restart now' in line['text'], f'told {line}')
        agent.send(event=['SHUTDOWN_CHANGED', {'state': 'failed', 'mode': 'reboot', 'error': 'no'}])
        wait_headline(rig, 'Tenon: all is well')
        equal(len(told.told('notified')), 1, 'notifications')
        check_alive(rig)


def own_name(rig):
    """The tray's connection to the system bus."""
    text = procs.run(['busctl', f'--address={rig.system.address}', 'list', '--no-legend', '--no-pager'], env=rig.env)
    return next(line.split()[0] for line in text.splitlines() if line.split()[1] == str(rig.tray.pid))


@test
def survives_the_tray():
    """Each new tray gets the icon; without one the program waits."""
    with running('agent') as (rig, agent):
        agent.wait(lambda line: 'asked' in line, 'the tray to ask')
        for _ in range(2):
            tray = rig.standin('tray')
            tray.wait(lambda line: 'registered' in line, 'the icon to register')
            wait_headline(rig, 'Tenon: all is well')
            tray.stop()
        check_alive(rig)


@test
def waits_at_no_cost():
    """Without a tray, without an agent: it sleeps, and is small."""
    with running() as (rig,):
        procs.wait_for(lambda: 'no tray yet' in rig.log(), PATIENCE, 'the program to look for a tray')

        def switches():
            with open(f'/proc/{rig.tray.pid}/status', encoding='utf-8') as file:
                lines = dict(line.split(':', 1) for line in file.read().splitlines())
            return int(lines['voluntary_ctxt_switches']), int(lines['VmRSS'].split()[0])
        time.sleep(1)
        before, _ = switches()
        time.sleep(3)
        after, size = switches()
        equal(after - before, 0, 'wakeups in 3 s')
        note(f'{size} KiB resident')


@test
def survives_the_agent():
    """Stopped: it says so plainly. Started again: all is as before."""
    with running('agent', 'tray') as (rig, agent, _tray):
        agent.stop()
        wait_headline(rig, 'Tenon is not running')
        item = rig.item()
        equal((item['IconName'], item['Status']), ('tenon-tray-stopped', 'Active'), 'the icon')
        check('systemctl start tenond' in item['ToolTip'][3], f'tooltip {item["ToolTip"]}')
        equal(rig.labels(), ['Tenon is not running', 'Open status…', 'Quit'], 'the menu')
        rig.standin('agent').send(set=WELL)
        wait_headline(rig, 'Tenon: all is well')
        check_alive(rig)


@test
def starts_no_agent():
    """An agent that could be activated by the bus is not started by the tray."""
    rig = trayrig.Rig()
    try:
        marker = os.path.join(rig.dir, 'started')
        with open(os.path.join(rig.activatable, f'{AGENT}.service'), 'w', encoding='utf-8') as file:
            file.write(f'[D-BUS Service]\nName={AGENT}\nExec=/usr/bin/touch {marker}\n')
        rig.system.stop()
        rig.system.start(rig.env)
        tray = rig.standin('tray')
        rig.start_tray()
        tray.wait(lambda line: 'registered' in line, 'the icon to register')
        wait_headline(rig, 'Tenon is not running')
        time.sleep(1)
        check(not os.path.exists(marker), 'the agent was started')
        # The bus would do it for others: the test could fail.
        subprocess.run(['busctl', f'--address={rig.system.address}', 'call', AGENT, '/', AGENT, 'X'], env=rig.env,
                       capture_output=True, timeout=60, check=False)
        check(os.path.exists(marker), 'the bus starts nothing at all')
    finally:
        rig.close()


@test
def survives_the_buses():
    """Both buses are restarted, one after the other and together."""
    with running('agent', 'tray') as (rig, _agent, _tray):
        rig.system.stop()
        wait_headline(rig, 'Tenon is not running')
        rig.system.start(rig.env)
        rig.standin('agent').send(set=WELL)
        wait_headline(rig, 'Tenon: all is well')
        rig.session.stop()
        rig.session.start(rig.env)
        rig.standin('tray').wait(lambda line: 'registered' in line, 'the icon to register')
        wait_headline(rig, 'Tenon: all is well')
        rig.session.stop()
        rig.system.stop()
        time.sleep(1)
        rig.system.start(rig.env)
        rig.session.start(rig.env)
        rig.standin('agent').send(set=WELL)
        rig.standin('tray').wait(lambda line: 'registered' in line, 'the icon to register')
        wait_headline(rig, 'Tenon: all is well')
        check_alive(rig)


@test
def the_newer_one_stays():
    """Two in one session: the older one leaves quietly, with status 0."""
    with running('agent', 'tray') as (rig, _agent, tray):
        older = rig.tray
        rig.start_tray()
        procs.wait_for(lambda: older.poll() is not None, PATIENCE, 'the older one to leave')
        equal(older.returncode, 0, 'exit status')
        procs.wait_for(lambda: rig.item_name() in tray.told('registered'), PATIENCE, 'the new icon')
        wait_headline(rig, 'Tenon: all is well')
        rig.click('Quit')
        procs.wait_for(lambda: rig.tray.poll() is not None, PATIENCE, 'the end')
        equal(rig.tray.returncode, 0, 'exit status after Quit')


@test
def icons_of_the_options():
    """--icons and --icon-path reach the tray; a wrong word is refused, and so is a session without a bus."""
    with running('agent', 'tray', options=('--icons', 'on-dark', '--icon-path', '/nowhere')) as (rig, _agent, _tray):
        item = rig.item()
        equal((item['IconName'], item['IconThemePath']), ('tenon-tray-on-dark', '/nowhere'), 'the icon')
        for words, status, text in ((['--icons', 'pink'], 2, "not 'pink'"), (['now'], 2, "unexpected argument 'now'"),
                                    ([], 1, 'there is no session bus')):
            done = subprocess.run([f'{trayrig.BUILD}/tray/tenon-tray', *words], capture_output=True, timeout=PATIENCE,
                                  env={'PATH': '/bin', 'HOME': rig.dir, **({'XDG_RUNTIME_DIR': rig.dir} if words else {})},
                                  check=False)
            equal(done.returncode, status, f'exit status of {words}')
            check(text in done.stderr.decode(), f'it said {done.stderr}')


@test
def with_the_real_agent():
    """tenond itself on the bus: well, stopped, and with a mistake in its configuration, which is told."""
    rig = trayrig.Rig()
    agent = tenond.Agent('[watchdog]\nmode=off\n', start=False,
                         command=['env', f'DBUS_SYSTEM_BUS_ADDRESS={rig.system.address}',
                                  tenond.built('agent/tenond')])
    try:
        told = rig.standin('notifications')
        tray = rig.standin('tray')
        rig.start_tray()
        tray.wait(lambda line: 'registered' in line, 'the icon to register')
        wait_headline(rig, 'Tenon is not running')
        agent.start()
        wait_headline(rig, 'Tenon: all is well')
        labels = rig.labels()
        version = agent.ask('tenon-get-status')['version']
        check(any(label.startswith(f'Version: {version}') for label in labels), f'menu {labels}')
        check('Watchdog: there is none' in labels, f'menu {labels}')
        procs.end(agent.child)
        wait_headline(rig, 'Tenon is not running')
        agent.configure('[policy]\nnonsense=1\n')
        agent.start()
        wait_headline(rig, 'Tenon: 1 thing needs attention')
        line = told.wait(lambda line: 'notified' in line, 'the notification')
        check('configuration:' in line['text'] and 'nonsense' in line['text'], f'told {line}')
        check_alive(rig)
    finally:
        agent.close()
        rig.close()
