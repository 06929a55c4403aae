# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 the Tenon developers
"""tenon-tray on two buses of its own, with stand-ins for the agent, the tray and the notifications.

Nothing of the machine's buses or of the user's files is used: HOME and the XDG folders are in a temporary folder.
"""

import json
import os
import subprocess
import threading

import procs

TOP = os.path.realpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', '..'))
BUILD = os.path.abspath(os.environ.get('TENON_BUILD') or os.path.join(TOP, 'build'))
AGENT = 'org.tenon.Agent1'
PATIENCE = 30  # seconds; a busy machine is slow
DOUBLE_CLICK = 0.7  # seconds; within less a second click does nothing

BUS_CONFIG = '''<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>{kind}</type>
  <listen>unix:path={path}</listen>
  <auth>EXTERNAL</auth>
  <limit name="service_start_timeout">2000</limit>
  {services}
  <policy context="default">
    <allow send_destination="*" eavesdrop="true"/>
    <allow eavesdrop="true"/>
    <allow own="*"/>
  </policy>
</busconfig>
'''


class Bus:
    """A dbus-daemon that can be stopped and started again under the same address."""

    def __init__(self, folder, kind, services=''):
        self.path = os.path.join(folder, f'{kind}.sock')
        self.config = os.path.join(folder, f'{kind}.conf')
        self.address = f'unix:path={self.path}'
        self.child = None
        with open(self.config, 'w', encoding='utf-8') as file:
            file.write(BUS_CONFIG.format(kind=kind, path=self.path, services=services))

    def start(self, env=None):
        """Start and wait until it listens."""
        self.child = procs.start(['dbus-daemon', f'--config-file={self.config}', '--nofork', '--nopidfile',
                                  '--nosyslog'], env=env, stderr=subprocess.DEVNULL)
        procs.wait_for(lambda: os.path.exists(self.path), PATIENCE, 'the bus to listen')
        procs.connect(self.path).close()
        return self

    def stop(self):
        """End it."""
        procs.end(self.child)
        if os.path.exists(self.path):
            os.unlink(self.path)


class StandIn:
    """A process of standin_bus.py; .lines is what it told so far."""

    def __init__(self, role, env):
        self.lines = []
        script = os.path.join(TOP, 'tests', 'lib', 'standin_bus.py')
        # Debian's own interpreter: python3-dbus and python3-gi belong to it.
        self.child = procs.start(['/usr/bin/python3', script, role, os.path.join(TOP, 'data', AGENT + '.xml')],
                                 env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        threading.Thread(target=self._read, daemon=True).start()
        self.wait(lambda line: 'ready' in line, f'the stand-in {role}')

    def _read(self):
        for line in self.child.stdout:
            self.lines.append(json.loads(line))

    def send(self, **command):
        """A command."""
        self.child.stdin.write(json.dumps(command).encode() + b'\n')
        self.child.stdin.flush()

    def wait(self, fits, what, after=0):
        """The first line that fits, of those after the first few."""
        return procs.wait_for(lambda: next(filter(fits, self.lines[after:]), None), PATIENCE, what)

    def told(self, key):
        """The values of all lines that have the key."""
        return [line[key] for line in self.lines if key in line]

    def stop(self):
        """End it: its name on the bus becomes free."""
        procs.end(self.child)


class Rig:
    """The folder, the buses, the environment; and the program."""

    def __init__(self, services='', extra_env=None):
        self.dir = procs.temp_dir()
        self.session = Bus(self.dir, 'session', services)
        self.activatable = os.path.join(self.dir, 'system-services')
        self.system = Bus(self.dir, 'system', f'<servicedir>{self.activatable}</servicedir>')
        os.makedirs(self.activatable)
        self.bin = os.path.join(self.dir, 'bin')
        self.standins = []
        self.tray = None
        os.makedirs(self.bin)
        self.env = {
            'PATH': f'{self.bin}:{os.environ["PATH"]}', 'HOME': self.dir, 'LC_ALL': 'C.UTF-8',
            'XDG_RUNTIME_DIR': self.dir, 'XDG_CONFIG_HOME': f'{self.dir}/config',
            'XDG_STATE_HOME': f'{self.dir}/state', 'XDG_CACHE_HOME': f'{self.dir}/cache',
            'XDG_DATA_HOME': f'{self.dir}/data',
            'DBUS_SESSION_BUS_ADDRESS': self.session.address,
            'DBUS_SYSTEM_BUS_ADDRESS': self.system.address, **(extra_env or {})}
        self.session.start(self.env)
        self.system.start(self.env)

    def close(self):
        """End all of it."""
        for child in [self.tray, *(standin.child for standin in self.standins)]:
            if child:
                procs.end(child)
        self.session.stop()
        self.system.stop()
        procs.remove_dir(self.dir)

    def standin(self, role):
        """Start a stand-in."""
        standin = StandIn(role, self.env)
        self.standins.append(standin)
        return standin

    def start_tray(self, *options, path=None):
        """Start tenon-tray; path is where it finds programs."""
        with open(os.path.join(self.dir, 'tray.log'), 'a', encoding='utf-8') as log:
            self.tray = procs.start(['/usr/bin/env', f'PATH={path or self.env["PATH"]}',
                                     os.path.join(BUILD, 'tray', 'tenon-tray'), *options],
                                    env={**self.env, 'G_MESSAGES_DEBUG': 'all'}, stdout=log, stderr=log)
        return self.tray

    def log(self):
        """What it wrote."""
        path = os.path.join(self.dir, 'tray.log')
        if not os.path.exists(path):
            return ''
        with open(path, encoding='utf-8') as file:
            return file.read()

    def program(self, name, text):
        """A script that the programs find first."""
        path = os.path.join(self.bin, name)
        with open(path, 'w', encoding='utf-8') as file:
            file.write(text)
        os.chmod(path, 0o755)
        return path

    def item(self):
        """The properties of the icon, without the pictures."""
        values = self.call(self.item_name(), '/StatusNotifierItem', 'org.freedesktop.DBus.Properties', 'GetAll', 's',
                           'org.kde.StatusNotifierItem')[0]
        return {name: value['data'] for name, value in values.items() if 'Pixmap' not in name}

    def item_name(self):
        """Its name on the bus."""
        return f'org.kde.StatusNotifierItem-{self.tray.pid}-1'

    def menu(self):
        """The entries: [(id, label or None, enabled)]."""
        layout = self.call(self.item_name(), '/MenuBar', 'com.canonical.dbusmenu', 'GetLayout', 'iias', '0', '-1',
                           '0')[1]
        entries = []
        for child in layout[2]:
            number, values, _ = child['data']
            entries.append((number, values.get('label', {}).get('data'),
                            values.get('enabled', {}).get('data', True)))
        return entries

    def labels(self):
        """The texts of the menu."""
        return [label for _, label, _ in self.menu() if label]

    def click(self, label):
        """Choose an entry of the menu, as a tray does it."""
        number = next(number for number, text, _ in self.menu() if text == label)
        self.call(self.item_name(), '/MenuBar', 'com.canonical.dbusmenu', 'Event', 'isvu', str(number), 'clicked', 's',
                  '', '0')

    def call(self, *words):
        """busctl call on the session bus, as JSON; its data."""
        text = procs.run(['busctl', f'--address={self.session.address}', '--json=short', 'call', '--', *words],
                         env=self.env)
        return json.loads(text)['data'] if text.strip() else None
