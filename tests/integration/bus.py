# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 the Tenon developers
"""A system bus of the tests' own, with the policy of this tree, and stand-ins for polkit and
logind on it (python3-dbusmock)."""

import json
import os
import subprocess

import cases
import procs
import tenond

NAME = 'org.tenon.Agent1'
PATH = '/org/tenon/Agent1'
NOBODY = 65534  # a bus lets in only users that have a name
BUS_CONFIG = '''<busconfig>
  <type>system</type>
  <listen>unix:path={folder}/bus</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow user="*"/>
    <deny own="*"/>
    <deny send_type="method_call"/>
    <allow send_type="signal"/>
    <allow send_requested_reply="true" send_type="method_return"/>
    <allow send_requested_reply="true" send_type="error"/>
    <allow receive_type="method_call"/>
    <allow receive_type="method_return"/>
    <allow receive_type="error"/>
    <allow receive_type="signal"/>
    <allow send_destination="org.freedesktop.DBus"/>
  </policy>
  <policy user="root">
    <allow own="org.freedesktop.PolicyKit1"/>
    <allow own="org.freedesktop.login1"/>
    <allow send_destination="org.freedesktop.PolicyKit1"/>
    <allow send_destination="org.freedesktop.login1"/>
  </policy>
  <include>{top}/data/org.tenon.Agent1.conf</include>
</busconfig>
'''


def need_root():
    """Other users can be played only by root."""
    if os.geteuid() != 0:
        raise cases.Skip('only root can be other users')


def as_user(uid):
    """What stands before a command that another user runs."""
    return ['setpriv', f'--reuid={uid}', f'--regid={uid}', '--clear-groups'] if uid else []


class Bus:
    """A dbus-daemon that lets in everybody, as the system's does."""

    def __init__(self):
        self.dir = procs.temp_dir()
        os.chmod(self.dir, 0o755)
        self.address = f'unix:path={self.dir}/bus'
        self.config = os.path.join(self.dir, 'bus.conf')
        with open(self.config, 'w', encoding='utf-8') as file:
            file.write(BUS_CONFIG.format(folder=self.dir, top=tenond.TOP))
        self.start()

    def start(self):
        """Start it, again after end()."""
        self.child = procs.start(['dbus-daemon', f'--config-file={self.config}', '--nofork', '--nopidfile'],
                                 stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        procs.wait_for(lambda: os.path.exists(f'{self.dir}/bus'), 20, 'the bus')

    def end(self):
        """The bus goes away."""
        procs.end(self.child)
        if os.path.exists(f'{self.dir}/bus'):
            os.unlink(f'{self.dir}/bus')

    def busctl(self, *arguments, uid=None, timeout=60):
        """Run busctl; exit status, stdout and stderr."""
        return tenond.run(*as_user(uid), 'busctl', f'--address={self.address}', '--no-pager', *arguments,
                          timeout=timeout)

    def call(self, interface, *arguments, uid=None):
        """busctl call of the agent's object; exit status, stdout and stderr."""
        return self.busctl('call', NAME, PATH, interface, *arguments, uid=uid)

    def get(self, interface, name, uid=None):
        """The value of a property as busctl's JSON has it."""
        status, stdout, stderr = self.busctl('--json=short', 'get-property', NAME, PATH, interface, name, uid=uid)
        cases.equal(status, 0, stderr)
        return json.loads(stdout)

    def has_agent(self):
        """Has the agent its name?"""
        return self.busctl('status', NAME)[0] == 0

    def close(self):
        """End it."""
        self.end()
        procs.remove_dir(self.dir)


class Mock:
    """A stand-in made of one of python3-dbusmock's templates."""

    def __init__(self, bus, template, name, path, parameters=None):
        self.bus, self.name, self.object = bus, name, path
        self.log = os.path.join(bus.dir, f'{template}.log')
        if os.path.exists(self.log):
            os.unlink(self.log)
        self.child = procs.start(['/usr/bin/python3', '-m', 'dbusmock', '--system', '--template', template, '--logfile',
                                  self.log, '--parameters', json.dumps(parameters or {})],
                                 env={**os.environ, 'DBUS_SYSTEM_BUS_ADDRESS': bus.address},
                                 stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        procs.wait_for(lambda: self.mock('GetCalls') == 0, 60, f'the stand-in {template}')

    def mock(self, *arguments):
        """A method of the stand-in itself; busctl's exit status."""
        return self.bus.busctl('call', self.name, self.object, 'org.freedesktop.DBus.Mock', *arguments)[0]

    def calls(self, member):
        """The calls of a method so far, as the stand-in wrote them down."""
        with open(self.log, encoding='utf-8') as file:
            return [line for line in file if f' {member} ' in f'{line.rstrip()} ']

    def close(self):
        """End it."""
        procs.end(self.child)


class Logind(Mock):
    """Says yes to going down and to sleep, or what it is told to say; sleeps and wakes up when it is told to."""

    MANAGER = 'org.freedesktop.login1.Manager'

    def __init__(self, bus, **parameters):
        super().__init__(bus, 'logind', 'org.freedesktop.login1', '/org/freedesktop/login1', parameters)

    def signal(self, going):
        """Emit PrepareForSleep, whatever is true."""
        cases.equal(self.mock('EmitSignal', 'sssav', self.MANAGER, 'PrepareForSleep', 'b', '1', 'b', going), 0, 'EmitSignal')

    def sleep(self, going):
        """Go to sleep ('true') or wake up ('false'): the property, then the signal, as logind does it."""
        cases.equal(self.mock('UpdateProperties', 'sa{sv}', self.MANAGER, '1', 'PreparingForSleep', 'b', going), 0,
                    'UpdateProperties')
        self.signal(going)


class Polkit(Mock):
    """Refuses all that allow() has not named."""

    def __init__(self, bus):
        super().__init__(bus, 'polkitd', 'org.freedesktop.PolicyKit1', '/org/freedesktop/PolicyKit1/Authority')
        cases.equal(self.mock('AllowUnknown', 'b', 'false'), 0, 'AllowUnknown')
        # The template knows no such method.
        self.mock('AddMethod', 'sssss', 'org.freedesktop.PolicyKit1.Authority', 'CancelCheckAuthorization', 's', '', '')

    def allow(self, *actions):
        """These and no others."""
        cases.equal(self.mock('SetAllowed', 'as', str(len(actions)), *actions), 0, 'SetAllowed')

    def hang(self, on):
        """Answer no question, or those of then on."""
        cases.equal(self.mock('SimulateHang', 'b', 'true' if on else 'false'), 0, 'SimulateHang')

    def release(self):
        """Answer those that waited."""
        cases.equal(self.mock('ReleaseHangingCalls'), 0, 'ReleaseHangingCalls')

    def waits(self):
        """Is there a question that it has not answered?"""
        return 'true' in self.bus.busctl('call', 'org.freedesktop.PolicyKit1',
                                         '/org/freedesktop/PolicyKit1/Authority', 'org.freedesktop.DBus.Mock',
                                         'HaveHangingCalls')[1]

    def cancelled(self):
        """The questions that were taken back."""
        return self.calls('CancelCheckAuthorization')
