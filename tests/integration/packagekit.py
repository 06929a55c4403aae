# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 the Tenon developers
"""A stand-in for PackageKit, by python3-dbusmock on a bus of the test's own.

It has one package, and says of it what it is told to: see PackageKit.tell().
"""

import os
import subprocess
import textwrap

import procs
import tenond
from cases import Skip

NAME, PATH = 'org.freedesktop.PackageKit', '/org/freedesktop/PackageKit'
TRANSACTION = NAME + '.Transaction'
PYTHON = '/usr/bin/python3'  # the one that Debian's packages are for

# Run by dbusmock in its own process; `self` is its object. What a transaction does stands in files.
CREATE = '''
import os
number = len(os.listdir({folder!r}))
open(os.path.join({folder!r}, str(number)), "w").close()
path = "/%d_standin" % number
def code(name):
    return open(os.path.join({code!r}, name)).read()
self.AddObject(path, {interface!r}, {{}}, [
    ("SetHints", "as", "", ""), ("Resolve", "tas", "", code("Resolve")), ("GetUpdates", "t", "", code("GetUpdates")),
    ("UpdatePackages", "tas", "", code("UpdatePackages"))])
ret = dbus.ObjectPath(path)
'''

CONFIG = '''<busconfig><type>session</type><listen>unix:path={folder}/bus</listen><auth>EXTERNAL</auth>
<policy context="default"><allow own="*"/><allow send_destination="*" eavesdrop="true"/>
<allow eavesdrop="true"/></policy></busconfig>
'''


def emit(member, signature, *arguments):
    """Code that sends a signal of the transaction."""
    return f'self.EmitSignal({TRANSACTION!r}, {member!r}, {signature!r}, {list(arguments)!r})\n'


def package(info, version, name='tenon'):
    """Code that tells of the package."""
    return emit('Package', 'uss', info, f'{name};{version};amd64;repository', 'Guest agent')


FINISHED = emit('Finished', 'uu', 1, 10)
FAILED = emit('Finished', 'uu', 2, 10)
REMOVING = 13  # pk-enum.h
SIMULATE = 1 << 2


class PackageKit:
    """A bus with the stand-in on it."""

    def __init__(self):
        if tenond.run(PYTHON, '-c', 'import dbusmock')[0] != 0:
            raise Skip('python3-dbusmock is not installed')
        self.dir = procs.temp_dir()
        for name in ('transactions', 'code'):
            os.makedirs(os.path.join(self.dir, name))
        self.address = f'unix:path={self.dir}/bus'
        self._write('bus.conf', CONFIG.format(folder=self.dir))
        self.bus = procs.start(['dbus-daemon', f'--config-file={self.dir}/bus.conf', '--nofork', '--nopidfile'],
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        procs.wait_for(lambda: os.path.exists(f'{self.dir}/bus'), 20, 'the bus')
        self.mock = procs.start([PYTHON, '-m', 'dbusmock', '--session', NAME, PATH, NAME],
                                env={**os.environ, 'DBUS_SESSION_BUS_ADDRESS': self.address},
                                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        procs.wait_for(lambda: self.call('org.freedesktop.DBus', '/', 'org.freedesktop.DBus', 'NameHasOwner', 's', NAME)
                       == 'b true\n', 20, 'the stand-in')
        create = CREATE.format(folder=f'{self.dir}/transactions', code=f'{self.dir}/code', interface=TRANSACTION)
        self.add_method('CreateTransaction', '', 'o', create)
        self.add_method('GetTimeSinceAction', 'u', 'u', f'ret = int(open({self.dir!r} + "/age").read())')
        self.tell('0.1.0-1')

    def call(self, *arguments):
        """A call by busctl; what it prints."""
        return tenond.run('busctl', f'--address={self.address}', 'call', *arguments)[1]

    def add_method(self, name, taken, given, code):
        """A method of PackageKit itself."""
        self.call(NAME, PATH, 'org.freedesktop.DBus.Mock', 'AddMethod', 'sssss', NAME, name, taken, given, code)

    def _write(self, name, text):
        with open(os.path.join(self.dir, name), 'w', encoding='utf-8') as file:
            file.write(text)

    def tell(self, installed, newer=None, info=5, age=3600, update=FINISHED, simulated=FINISHED):
        """What it says from now on; nothing is updated yet."""
        if self.updated():
            os.unlink(f'{self.dir}/updated')
        self.code('Resolve', package(1, installed) + FINISHED)
        self.code('GetUpdates', (package(info, newer) if newer else '') + FINISHED)
        done = f'open({self.dir!r} + "/updated", "w").write(args[1][0])\n' + update
        self.code('UpdatePackages', f'if args[0] & {SIMULATE}:\n{textwrap.indent(simulated, "    ")}else:\n'
                  f'{textwrap.indent(done, "    ")}')
        self._write('age', str(age))

    def code(self, method, code):
        """What a method of a transaction does from now on."""
        self._write(f'code/{method}', code)

    def updated(self):
        """The id of the package that it was asked to update."""
        path = os.path.join(self.dir, 'updated')
        if not os.path.exists(path):
            return None
        with open(path, encoding='utf-8') as file:
            return file.read()

    def update(self, *arguments, uid=None):
        """tenonctl update on this bus; exit status, stdout, stderr."""
        who = ['setpriv', f'--reuid={uid}', f'--regid={uid}', '--clear-groups'] if uid else []
        self._write('tenond.conf', f'[agent]\nstatedir={self.dir}\n[update]\npackage-manager=packagekit\n')
        return tenond.run('env', f'DBUS_SYSTEM_BUS_ADDRESS={self.address}', *who, tenond.built('cli/tenonctl'), 'update',
                          *arguments, '--file', f'{self.dir}/tenond.conf', timeout=100)

    def close(self):
        """End both."""
        procs.end(self.mock)
        procs.end(self.bus)
        procs.remove_dir(self.dir)
