# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 the Tenon developers
"""org.tenon.Agent1 over a bus of its own: what the XML says is there is there, for everybody; what changes something is
asked of polkit, for which python3-dbusmock stands in; clients that flood, lie or leave; a bus that goes and comes."""

import json
import os
import re
import signal
import subprocess
import sys
import xml.etree.ElementTree as xml

import procs
import tenond
from bus import NAME, NOBODY, PATH, Bus, Polkit, need_root
from cases import check, equal, shared, test
from dbuswire import INTERACTIVE, SIGNAL, Client
from procs import wait_for
from qmp import Qmp

XML = os.path.join(tenond.TOP, 'data/org.tenon.Agent1.xml')
PLUGINS = ('drivers', 'health', 'timesync', 'watchdog')
READS = {'GetStatus': NAME, 'GetPolicy': NAME, 'GetHealth': NAME, 'GetDrivers': f'{NAME}.Drivers',
         'GetWatchdog': f'{NAME}.Watchdog', 'GetTime': f'{NAME}.Time', 'Plan': f'{NAME}.Drivers',
         'List': f'{NAME}.Heartbeats'}
DRIVERS = f'{NAME}.Drivers'
PREPARE = f'{NAME.lower()}.prepare-drivers'
# Stands in for tenon-drivers: it changes nothing.
STAND_IN = '''#!/bin/sh
case "$*" in
"plan --target=slow") exec sleep 300 ;;
prepare* | undo*) echo '{"event": "result", "result": {}, "exit-status": 0}' ;;
*) echo '{"platform": "kvm", "devices": []}' ;;
esac
'''


class Served(tenond.Agent):
    """An agent on the bus."""

    def __init__(self, bus, plugins=PLUGINS):
        self.bus = bus
        super().__init__('', tenond.plugin_options(plugins), start=False,
                         command=['env', f'DBUS_SYSTEM_BUS_ADDRESS={bus.address}', tenond.built('agent/tenond')])
        os.chmod(self.dir, 0o755)
        program = self.path('tenon-drivers')
        with open(program, 'w', encoding='utf-8') as file:
            file.write(STAND_IN)
        os.chmod(program, 0o755)
        os.mkdir(self.path('update'))
        self.events = self.path('qmp.sock')
        self.set_policy('standard')
        self.start()

    def set_policy(self, preset):
        """Write the configuration."""
        self.configure(f'[drivers]\nprogram={self.path("tenon-drivers")}\n[policy]\npreset={preset}\n'
                       f'[heartbeat]\nsocket={self.path("hb.sock")}\n[watchdog]\nmode=off\n'
                       f'[qmp]\nmethod=unix-listen\npath={self.events}\n')

    def dbus(self):
        """The fact "dbus"."""
        return json.loads(self.ctl('status', '--json')[1])['facts']['dbus']


@shared
def bus():
    """The bus of all tests."""
    return Bus()


@shared
def agent():
    """The agent of most tests."""
    made = Served(bus())
    wait_for(bus().has_agent, 30, 'the name on the bus')
    return made


@shared
def polkit():
    """The stand-in for polkit, from the first test that wants it."""
    need_root()
    return Polkit(bus())


def contract():
    """{interface: element} of the XML, ours only."""
    return {one.get('name'): one for one in xml.parse(XML).getroot() if one.get('name', '').startswith(NAME)}


class Monitor:
    """The signals of the agent, as busctl tells them."""

    def __init__(self):
        agent()
        self.path = os.path.join(bus().dir, 'signals')
        with open(self.path, 'w', encoding='utf-8') as file:
            self.child = procs.start(['busctl', f'--address={bus().address}', '--json=short', 'monitor',
                                      '--match', "type='signal',path='/org/tenon/Agent1'"],
                                     stdout=file, stderr=subprocess.DEVNULL)
        # A monitor says nothing when it is ready; it hears itself being heard.
        wait_for(self._hears, 30, 'the monitor')

    def _hears(self):
        bus().busctl('emit', PATH, 'org.tenon.Probe', 'Probe')
        return bool(self.signals('Probe', interface='org.tenon.Probe'))

    def signals(self, member, interface=None):
        """The payloads of the signals of that name, so far."""
        with open(self.path, encoding='utf-8') as file:
            lines = [line for line in file if line.endswith('}\n')]
        found = [one for one in map(json.loads, lines) if one.get('member') == member]
        return [one['payload']['data'] for one in found if interface in (None, one['interface'])]

    def types(self, member, interface):
        """The types of the signals of that name."""
        with open(self.path, encoding='utf-8') as file:
            found = [json.loads(line) for line in file if line.endswith('}\n')]
        return {one['payload']['type'] for one in found if (one.get('member'), one.get('interface')) == (member, interface)}

    def changes(self, interface):
        """The properties of an interface in each PropertiesChanged."""
        return [data[1] for data in self.signals('PropertiesChanged') if data[0] == interface]

    def close(self):
        """Hear no more."""
        procs.end(self.child)


@test
def files_agree():
    """The bus lets calls of each interface through; each action that the XML names is polkit's, and no other."""
    text = open(XML, encoding='utf-8').read()
    conf = xml.parse(os.path.join(tenond.TOP, 'data/org.tenon.Agent1.conf')).getroot()
    allowed = {one.get('send_interface') for one in conf.iter('allow') if one.get('send_interface')}
    offered = {one.get('name') for one in xml.parse(XML).getroot()} | {'org.freedesktop.DBus.ObjectManager',
                                                                       'org.freedesktop.DBus.Peer'}
    equal(allowed, offered, 'interfaces in the bus policy')
    status, _, stderr = tenond.run('gdbus-codegen', '--interface-info-header', '--output', '/dev/null', XML)
    equal((status, stderr), (0, ''), 'what gdbus-codegen says of the XML')
    policy = xml.parse(os.path.join(tenond.TOP, 'data/org.tenon.agent1.policy')).getroot()
    actions = {one.get('id'): one for one in policy.iter('action')}
    equal(set(actions), set(re.findall(r'org\.tenon\.agent1\.[a-z-]+', text)), 'actions of polkit')
    for action in actions.values():
        equal({one.text for one in action.find('defaults')} - {'yes'}, {'auth_admin_keep'}, action.get('id'))
        check(action.findtext('description') and action.findtext('message'), action.get('id'))


@test
def introspection_is_the_file():
    """What Introspect answers is what is installed; tools find their way from the root; gdbus understands it."""
    agent()
    stdout = bus().busctl('--json=short', 'call', NAME, PATH, 'org.freedesktop.DBus.Introspectable', 'Introspect')[1]
    check(json.loads(stdout)['data'][0] == open(XML, encoding='utf-8').read(), 'Introspect answers another text')
    equal(bus().busctl('tree', '--list', NAME)[1].split(), ['/', '/org', '/org/tenon', PATH], 'the tree')
    status, stdout, stderr = tenond.run('gdbus', 'introspect', '--address', bus().address, '--dest', NAME,
                                        '--object-path', PATH)
    equal(status, 0, stderr)
    for interface in contract():
        check(f'interface {interface} {{' in stdout, f'gdbus does not show {interface}')


@test
def properties_are_as_described():
    """Each property of the XML, read one by one, all of an interface, and all there are: for another user, too."""
    agent()
    uid = NOBODY if os.geteuid() == 0 else None
    stdout = bus().busctl('--json=short', 'call', NAME, '/org/tenon', 'org.freedesktop.DBus.ObjectManager',
                          'GetManagedObjects', uid=uid)[1]
    managed = json.loads(stdout)['data'][0]
    equal(list(managed), [PATH], 'managed objects')
    equal(set(managed[PATH]), set(contract()), 'interfaces of the object')
    for interface, element in contract().items():
        types = {one.get('name'): one.get('type') for one in element.iter('property')}
        equal({name: value['type'] for name, value in managed[PATH][interface].items()}, types, interface)
        stdout = bus().busctl('--json=short', 'call', NAME, PATH, 'org.freedesktop.DBus.Properties', 'GetAll', 's',
                              interface, uid=uid)[1]
        equal({name: value['type'] for name, value in json.loads(stdout)['data'][0].items()}, types, 'GetAll')
        for name, wanted in types.items():
            equal(bus().get(interface, name, uid=uid)['type'], wanted, f'{interface}.{name}')


@test
def methods_are_as_described():
    """Each method of the XML refuses what it does not take; those that only read answer another user."""
    agent()
    uid = NOBODY if os.geteuid() == 0 else None
    for interface, element in contract().items():
        for method in element.iter('method'):
            name = method.get('name')
            takes = ''.join(one.get('type') for one in method.iter('arg') if one.get('direction') == 'in')
            gives = ''.join(one.get('type') for one in method.iter('arg') if one.get('direction') == 'out')
            stderr = bus().call(interface, name, 'y', '1', uid=uid)[2]
            check(f"takes the arguments '{takes}', not 'y'" in stderr, f'{interface}.{name}: {stderr}')
            if name in READS:
                equal(READS[name], interface, name)
                status, stdout, stderr = bus().call(interface, name, *(['s', 'kvm'] if takes else []), uid=uid)
                equal(status, 0, f'{name}: {stderr}')
                equal(stdout.split()[0], gives, f'what {name} answers')


@test
def values_are_those_of_the_board():
    """What D-Bus says is what tenon-get-status says."""
    status = json.loads(agent().ctl('status', '--json')[1])
    equal(bus().get(NAME, 'Version')['data'], status['version'], 'Version')
    equal(bus().get(NAME, 'State')['data'], status['health']['state'], 'State')
    equal(bus().get(NAME, 'Policy')['data'], 'standard', 'Policy')
    equal(bus().get(f'{NAME}.Hypervisor', 'Id')['data'], (status['hypervisor']['primary'] or {'id': ''})['id'], 'Id')
    equal(bus().get(f'{NAME}.Watchdog', 'State')['data'], status['watchdog']['state'], 'Watchdog.State')
    equal(bus().get(f'{NAME}.Channels', 'State')['data'], 'open', 'Channels.State')
    equal(bus().get(f'{NAME}.Time', 'Owner')['data'], status['facts']['time-sync']['owner'], 'Time.Owner')
    equal(bus().get(f'{NAME}.Updates', 'State')['data'], 'absent', 'Updates.State, without the plugin')
    names = {row['name']['data'] for row in bus().get(f'{NAME}.Plugins', 'Plugins')['data']}
    equal(names, set(PLUGINS), 'Plugins')
    equal(agent().dbus(), {'state': 'connected'}, 'the fact dbus')


@test
def changes_are_told():
    """A property that changes is told once for a turn of the loop; events of the QMP port are signals, too."""
    agent()
    monitor = Monitor()
    try:
        equal(bus().call(f'{NAME}.Heartbeats', 'Register', 'su', 'db', '600')[0], 0, 'Register')
        wait_for(lambda: monitor.changes(f'{NAME}.Heartbeats'), 20, 'PropertiesChanged')
        equal(monitor.changes(f'{NAME}.Heartbeats')[-1], {'Registered': {'type': 'u', 'data': 1}}, 'what has changed')
        equal(monitor.signals('Changed')[-1], ['db', 'ok'], 'Changed')
        events = [data for data in monitor.signals('Event') if data[0] == 'HEARTBEATS_CHANGED']
        equal(events[-1][1]['heartbeats']['data'][0]['name']['data'], 'db', 'the event')
        agent().set_policy('locked')
        agent().kill(signal.SIGHUP)
        wait_for(lambda: monitor.changes(NAME), 20, 'the policy')
        equal(monitor.changes(NAME)[-1], {'Policy': {'type': 's', 'data': 'locked'}}, 'what has changed')
        equal(bus().call(f'{NAME}.Heartbeats', 'Unregister', 's', 'db')[0], 0, 'Unregister')
    finally:
        agent().set_policy('standard')
        agent().kill(signal.SIGHUP)
        monitor.close()


@test
def signals_are_as_described():
    """Each signal of the XML is heard with the types that stand there."""
    agent()
    monitor = Monitor()
    try:
        equal(bus().call(f'{NAME}.Heartbeats', 'Register', 'su', 'signals', '600')[0], 0, 'Register')
        for element in xml.parse(XML).getroot():
            for signal_element in element.iter('signal'):
                name, interface = signal_element.get('name'), element.get('name')
                wait_for(lambda name=name, interface=interface: monitor.signals(name, interface), 20, f'{interface}.{name}')
                equal(monitor.types(name, interface), {''.join(one.get('type') for one in signal_element.iter('arg'))},
                      f'{interface}.{name}')
        equal(bus().call(f'{NAME}.Heartbeats', 'Unregister', 's', 'signals')[0], 0, 'Unregister')
    finally:
        monitor.close()


@test
def events_are_those_of_the_qmp_port():
    """What the host is told by an event the bus is told, too."""
    agent()
    monitor = Monitor()
    host = Qmp(agent().events)
    try:
        equal(bus().call(f'{NAME}.Heartbeats', 'Register', 'su', 'web', '600')[0], 0, 'Register')
        event = host.wait_event('HEARTBEATS_CHANGED', 20)
        wait_for(lambda: [data for data in monitor.signals('Event') if data[0] == event['event']], 20, 'the signal')
        equal(bus().call(f'{NAME}.Heartbeats', 'Unregister', 's', 'web')[0], 0, 'Unregister')
    finally:
        host.close()
        monitor.close()


@test
def root_needs_no_polkit():
    """Before there is a polkit: root may, others are told why not."""
    need_root()
    agent()
    status, stdout, stderr = bus().call(DRIVERS, 'Undo', 'b', 'false')
    equal(status, 0, stderr)
    check('"running"' in stdout, stdout)
    wait_for(lambda: 'tenon-drivers-undo by uid 0 bus :1.' in agent().text('log'), 20, 'the audit record')
    status, _, stderr = bus().call(DRIVERS, 'Undo', 'b', 'false', uid=NOBODY)
    check(status != 0, 'another user may without polkit')
    stderr = gdbus_error('Undo', 'false')
    check('AccessDenied' in stderr and 'only root may ask for it, because polkit is not there' in stderr, stderr)
    wait_for(lambda: bus().get(DRIVERS, 'Preparation')['data']['state']['data'] == 'done', 20, 'the end of it')


def gdbus_error(method, *arguments, name=DRIVERS):
    """What gdbus says of a call by another user that must fail, with the error's name."""
    status, _, stderr = tenond.run('setpriv', f'--reuid={NOBODY}', f'--regid={NOBODY}', '--clear-groups', 'gdbus', 'call',
                                   '--address', bus().address, '--dest', NAME, '--object-path', PATH, '--method',
                                   f'{name}.{method}', *arguments, timeout=60)
    check(status != 0, f'{method} was allowed')
    return stderr


@test
def polkit_decides():
    """Refused, granted, granted for something else; the audit record says who asked."""
    need_root()
    agent()
    polkit().allow()
    check('polkit does not allow you' in gdbus_error('Prepare', 'kvm', 'true'), 'refused')
    polkit().allow('org.tenon.agent1.set-time')
    check(f'polkit does not allow you {PREPARE}' in gdbus_error('Prepare', 'kvm', 'true'), 'another action')
    polkit().allow(PREPARE)
    status, stdout, stderr = bus().call(DRIVERS, 'Prepare', 'sb', 'kvm', 'true', uid=NOBODY)
    equal(status, 0, stderr)
    check('"dry-run" b true' in stdout, stdout)
    wait_for(lambda: f'tenon-drivers-prepare by uid {NOBODY} bus :1.' in agent().text('log'), 20, 'the audit record')
    check('tenon-drivers-prepare' in agent().text('log').split(' over dbus: ok')[-2], 'by which way')


@test
def each_method_that_changes_something_asks_polkit():
    """Walked from the XML: who is not allowed is refused each method that only reads is not, by the action that its
    comment names."""
    need_root()
    agent()
    polkit().allow()
    text = open(XML, encoding='utf-8').read()
    asked = set()
    samples = {'s': 'kvm', 'b': 'false', 'u': '60', 'x': '1700000000000000000'}
    for interface, element in contract().items():
        for method in element.iter('method'):
            name = method.get('name')
            if name in READS or interface == f'{NAME}.Heartbeats':  # of a heartbeat its own user decides
                continue
            arguments = [samples[one.get('type')] for one in method.iter('arg') if one.get('direction') == 'in']
            stderr = gdbus_error(name, *arguments, name=interface)
            action = re.search(r'polkit does not allow you (org\.tenon\.agent1\.[a-z-]+)', stderr)
            check('AccessDenied' in stderr and action, f'{interface}.{name}: {stderr}')
            asked.add(action[1])
            comment = text[:text.index(f'<method name="{name}"')].rsplit('<!--', 1)[1]
            check(action[1] in comment, f'{interface}.{name} asks for {action[1]}, its comment says {comment}')
    equal(asked, set(re.findall(r'org\.tenon\.agent1\.[a-z-]+', text)), 'actions that were asked for')


@test
def commands_refuse_as_ever():
    """What polkit allows is still refused when the command does: a plugin that is not there, a bad argument."""
    agent()
    status, _, stderr = bus().call(f'{NAME}.Updates', 'Check')
    check(status != 0 and 'tenon-update-check' in stderr, stderr)
    status, _, stderr = bus().call(f'{NAME}.Time', 'SetTime', 'x', '-1')
    check(status != 0 and stderr, stderr)


@test
def slow_polkit_holds_up_nobody_else():
    """While polkit thinks, the agent answers others, and a caller that leaves takes its question along."""
    need_root()
    agent()
    polkit().allow(PREPARE)
    polkit().hang(True)
    waiting = procs.start(['setpriv', f'--reuid={NOBODY}', f'--regid={NOBODY}', '--clear-groups', 'busctl',
                           f'--address={bus().address}', 'call', NAME, PATH, DRIVERS, 'Undo', 'b', 'false'],
                          stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_for(polkit().waits, 20, 'the question')
        before = len(polkit().cancelled())
        equal(bus().get(NAME, 'Version')['type'], 's', 'another question')
        procs.end(waiting)
        wait_for(lambda: len(polkit().cancelled()) == before + 1, 20, 'the question to be taken back')
        runs = agent().text('log').count(f'tenon-drivers-undo by uid {NOBODY}')
    finally:
        polkit().hang(False)
        polkit().release()
    equal(bus().get(NAME, 'Version')['type'], 's', 'the agent')
    equal(agent().text('log').count(f'tenon-drivers-undo by uid {NOBODY}'), runs, 'runs for one who has left')


@test
def one_caller_cannot_have_all():
    """Questions of one connection beyond sixteen are refused at once; the sixteen are answered."""
    need_root()
    agent()
    if polkit().mock('SimulateHang', 'b', 'true'):
        raise AssertionError('SimulateHang')
    flood = subprocess.run(['setpriv', f'--reuid={NOBODY}', f'--regid={NOBODY}', '--clear-groups', sys.executable,
                            os.path.abspath(__file__), 'flood', bus().address],
                           env={**os.environ, 'PYTHONPATH': os.pathsep.join(sys.path),
                                'PYTHONDONTWRITEBYTECODE': '1'},
                           stdout=subprocess.PIPE, timeout=120, check=False)
    polkit().hang(False)
    polkit().release()
    equal(flood.returncode, 0, 'the flood')
    refused, others = json.loads(flood.stdout)
    equal(refused, 84, 'refused with LimitsExceeded')
    equal(others, [], 'other answers')
    equal(bus().get(NAME, 'Version')['type'], 's', 'the agent')


@test
def many_callers_cannot_start_many_programs():
    """Whoever has many connections can have eight programs run for all of them, and keeps nobody else from asking."""
    own = Bus()
    made = Served(own, ('drivers',))
    clients = []
    try:
        wait_for(own.has_agent, 30, 'the name')
        clients = [Client(own.address) for _ in range(8)]
        refused = 0
        for client in clients:
            serials = [client.call(NAME, PATH, DRIVERS, 'Plan', 's', ('slow',)) for _ in range(8)]
            # Those that were taken are not answered before the property is.
            serial = client.call(NAME, PATH, 'org.freedesktop.DBus.Properties', 'Get', 'ss', (NAME, 'Version'))
            while True:
                message = client.read()
                if message['type'] == SIGNAL:
                    continue
                if message['reply_serial'] == serial:
                    break
                check(message['reply_serial'] in serials and message['error'].endswith('LimitsExceeded'), f'{message}')
                refused += 1
        equal(refused, 64 - 8, 'refused at once')
        equal(own.call(DRIVERS, 'Undo', 'b', 'false')[0], 0, 'what root asks for meanwhile')
        equal(own.call(NAME, 'GetStatus')[0], 0, 'what anybody asks for meanwhile')
    finally:
        for client in clients:
            client.close()
        made.close()
        own.close()


@test
def nonsense_is_refused():
    """Methods, interfaces and properties that are not there, and properties that somebody wants to set."""
    agent()
    client = Client(bus().address)
    for interface, member, signature, values, wanted in (
            (NAME, 'Explode', '', (), 'UnknownMethod'),
            (f'{NAME}.Heartbeats', 'Register', 's', ('x',), 'InvalidArgs'),
            (f'{NAME}.Heartbeats', 'Beat', 'u', (1,), 'InvalidArgs'),
            (f'{NAME}.Heartbeats', 'Beat', 's', ('x' * 100000,), 'NotFound'),
            (DRIVERS, 'Plan', 's', ('x' * 4097,), 'LimitsExceeded'),
            ('org.freedesktop.DBus.Properties', 'Get', 'ss', (NAME, 'Nothing'), 'UnknownProperty'),
            ('org.freedesktop.DBus.Properties', 'Get', 'ss', ('a.b', 'State'), 'UnknownInterface'),
            ('org.freedesktop.DBus.Properties', 'Get', 's', ('State',), 'UnknownMethod'),
            ('org.freedesktop.DBus.Properties', 'GetAll', 's', ('',), 'UnknownInterface')):
        answer = client.answer(client.call(NAME, PATH, interface, member, signature, values))
        check((answer['error'] or '').endswith(wanted), f'{interface}.{member}: {answer["error"]}, wanted {wanted}')
    for _ in range(200):  # asks and is gone before the answer
        other = Client(bus().address)
        other.call(NAME, PATH, NAME, 'GetStatus')
        other.close()
    client.close()
    status, _, stderr = bus().busctl('set-property', NAME, PATH, NAME, 'State', 's', 'ok')
    check(status != 0, 'a property could be set')
    check('only be read' in stderr or 'read-only' in stderr.lower() or 'denied' in stderr.lower(), stderr)
    equal(bus().get(NAME, 'Version')['type'], 's', 'the agent')


@test
def thousands_of_questions():
    """A client that asks without reading answers is held up by the bus, not the agent."""
    agent()
    before = agent().status_kib()
    client = Client(bus().address)
    try:
        client.sock.settimeout(1)
        for _ in range(3000):
            client.call(NAME, PATH, 'org.freedesktop.DBus.Introspectable', 'Introspect')
    except TimeoutError:
        pass  # the bus takes no more
    equal(bus().get(NAME, 'Version')['type'], 's', 'the agent, meanwhile')
    client.sock.close()
    agent().check_growth(before, 16 * 1024)


@test
def second_agent_is_told():
    """Another agent on the same bus has no service, says so, and works."""
    agent()
    second = Served(bus())
    try:
        wait_for(lambda: 'no service on D-Bus: another process has the name' in second.text('log'), 20, 'the record')
        equal(second.dbus()['state'], 'absent', 'the fact')
        equal(second.ask('guest-ping'), {}, 'the host')
    finally:
        second.close()


@test
def no_bus_is_no_trouble():
    """Without a bus libdbus is not even loaded; it is said once; a reload finds a bus that has come."""
    late = Bus()
    late.end()
    lonely = Served(late)
    try:
        equal(lonely.dbus()['state'], 'absent', 'the fact')
        lonely.kill(signal.SIGHUP)
        wait_for(lambda: 'configuration reloaded' in lonely.text('log'), 20, 'the reload')
        equal(lonely.text('log').count('no service on D-Bus: '), 1, 'how often it is said')
        check('libdbus' not in open(f'/proc/{lonely.pid}/maps', encoding='utf-8').read(), 'libdbus is loaded')
        equal(json.loads(lonely.ctl('health', '--json')[1])['heartbeat-access']['dbus'], False, 'heartbeat-access')
        late.start()
        lonely.kill(signal.SIGHUP)
        wait_for(late.has_agent, 30, 'the name')
        late.end()
        wait_for(lambda: lonely.dbus()['state'] == 'connecting', 20, 'the loss')
        late.start()
        wait_for(late.has_agent, 60, 'the name on the new bus')
        equal(late.get(NAME, 'State')['type'], 's', 'a property')
    finally:
        lonely.close()
        late.close()


@test
def update_that_was_found():
    """What a check leaves behind is told as properties of Updates."""
    own = Bus()
    made = Served(own, ('update',))
    found = {'version': '0.1.0', 'status': 'out-of-date', 'installed': '0.1.0', 'candidate': '9.9', 'source': 'apt',
             'verified-by': 'apt', 'checked-at': 1700000000, 'security': True, 'message': 'install it'}
    interface = f'{NAME}.Updates'
    try:
        wait_for(own.has_agent, 30, 'the name')
        equal(own.get(interface, 'State')['data'], 'present', 'State')
        equal(own.get(interface, 'Status')['data'], 'unknown', 'Status before a check')
        with open(made.path('update/new'), 'w', encoding='utf-8') as file:
            json.dump(found, file)
        os.rename(made.path('update/new'), made.path('update/result.json'))
        wait_for(lambda: own.get(interface, 'Status')['data'] == 'out-of-date', 20, 'the status')
        for name, member in (('Installed', 'installed'), ('Candidate', 'candidate'), ('Source', 'source'),
                             ('VerifiedBy', 'verified-by'), ('CheckedAt', 'checked-at'), ('Security', 'security'),
                             ('Message', 'message')):
            equal(own.get(interface, name)['data'], found[member], name)
    finally:
        made.close()
        own.close()


@test
def switched_off():
    """[agent] dbus=no: not on the bus."""
    quiet = Served.__new__(Served)
    quiet.bus = bus()
    tenond.Agent.__init__(quiet, '', tenond.plugin_options(('health',)), start=False,
                          command=['env', f'DBUS_SYSTEM_BUS_ADDRESS={bus().address}', tenond.built('agent/tenond')])
    quiet.configure(f'[agent]\ndbus=no\n[heartbeat]\nsocket={quiet.path("hb.sock")}\n')
    quiet.start()
    try:
        check('dbus' not in json.loads(quiet.ctl('status', '--json')[1])['facts'], 'there is a fact')
        check('libdbus' not in open(f'/proc/{quiet.pid}/maps', encoding='utf-8').read(), 'libdbus is loaded')
    finally:
        quiet.close()


def flood(address):
    """As another user: a hundred questions of polkit at once; how many were refused, and with what else."""
    client = Client(address)
    for _ in range(100):
        client.call(NAME, PATH, DRIVERS, 'Undo', 'b', (False,), flags=INTERACTIVE)
    errors = []
    while len(errors) < 84:
        message = client.read()
        if message['type'] != SIGNAL:
            errors.append(message['error'])
    limit = 'org.freedesktop.DBus.Error.LimitsExceeded'
    print(json.dumps([errors.count(limit), [one for one in errors if one != limit]]))


if __name__ == '__main__' and sys.argv[1:2] == ['flood']:
    flood(sys.argv[2])
