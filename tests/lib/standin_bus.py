#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 the Tenon developers
"""Stand-ins for services on a bus, as a process of its own: standin_bus.py agent|tray|notifications [XML]

  agent          org.tenon.Agent1 on the system bus, with the properties of data/org.tenon.Agent1.xml
  tray           org.kde.StatusNotifierWatcher on the session bus: writes down who registers
  notifications  org.freedesktop.Notifications on the session bus: writes down what is told

What happens goes out as lines of JSON; commands come in as lines of JSON. Needs python3-dbus and python3-gi, and so
is run by Debian's interpreter whatever runs the tests.
"""

import json
import os
import sys
import xml.etree.ElementTree as ElementTree

import dbus
import dbus.mainloop.glib
import dbus.service
from gi.repository import GLib

AGENT = 'org.tenon.Agent1'
WATCHER = 'org.kde.StatusNotifierWatcher'
NOTIFICATIONS = 'org.freedesktop.Notifications'
ZERO = {'s': '', 'b': False, 'u': 0, 't': 0, 'x': 0, 'as': [], 'aa{sv}': [], 'a{sv}': {}}


def tell(**line):
    """One line to the test."""
    print(json.dumps(line), flush=True)


def variant(value):
    """A value of JSON inside a variant."""
    if isinstance(value, bool):
        return dbus.Boolean(value)
    if isinstance(value, int):
        return dbus.Int64(value)
    if isinstance(value, dict):
        return typed(value, 'a{sv}')
    if isinstance(value, list):
        return dbus.Array([variant(member) for member in value], signature='v')
    return dbus.String(value)


def typed(value, signature):
    """A value of JSON as that type of D-Bus."""
    basic = {'s': dbus.String, 'b': dbus.Boolean, 'u': dbus.UInt32, 't': dbus.UInt64, 'x': dbus.Int64}
    if signature in basic:
        return basic[signature](value)
    if signature == 'a{sv}':
        return dbus.Dictionary({key: variant(member) for key, member in value.items()}, signature='sv')
    return dbus.Array([typed(member, signature[1:]) for member in value], signature=signature[1:])


class Agent(dbus.service.Object):
    """The object /org/tenon/Agent1. Commands: {"set": {INTERFACE: {PROPERTY: VALUE}}}, {"event": [NAME, DATA]}."""

    def __init__(self, bus, source):
        super().__init__(bus, '/org/tenon/Agent1')
        self.check = {'status': 'current', 'message': 'Tenon is up to date'}
        self.types = {}
        self.values = {}
        for interface in ElementTree.parse(source).getroot().iter('interface'):
            types = {row.get('name'): row.get('type') for row in interface.iter('property')}
            if types:
                self.types[interface.get('name')] = types
                self.values[interface.get('name')] = {name: ZERO[kind] for name, kind in types.items()}

    def interfaces(self):
        """All interfaces with their properties."""
        return {interface: dbus.Dictionary({name: typed(value, self.types[interface][name])
                                            for name, value in values.items()}, signature='sv')
                for interface, values in self.values.items()}

    def do(self, command):
        """Change properties and say so, or send an event."""
        for interface, changed in command.get('set', {}).items():
            self.values[interface].update(changed)
            self.PropertiesChanged(interface, {name: typed(value, self.types[interface][name])
                                               for name, value in changed.items()}, [])
        if 'event' in command:
            self.Event(command['event'][0], typed(command['event'][1], 'a{sv}'))

    @dbus.service.signal(dbus.PROPERTIES_IFACE, signature='sa{sv}as')
    def PropertiesChanged(self, interface, changed, invalidated):  # pylint: disable=invalid-name
        """As the standard has it."""

    @dbus.service.signal(AGENT, signature='sa{sv}')
    def Event(self, name, data):  # pylint: disable=invalid-name
        """As the contract has it."""

    @dbus.service.method(AGENT + '.Updates', in_signature='', out_signature='a{sv}')
    def Check(self):  # pylint: disable=invalid-name
        """Writes down that it was asked."""
        tell(checked=True)
        return typed(self.check, 'a{sv}')


class Manager(dbus.service.Object):
    """The object /org/tenon."""

    def __init__(self, bus, agent):
        super().__init__(bus, '/org/tenon')
        self.agent = agent

    @dbus.service.method('org.freedesktop.DBus.ObjectManager', in_signature='', out_signature='a{oa{sa{sv}}}')
    def GetManagedObjects(self):  # pylint: disable=invalid-name
        """As the standard has it."""
        tell(asked=True)
        return {dbus.ObjectPath('/org/tenon/Agent1'): self.agent.interfaces()}


class Tray(dbus.service.Object):
    """A watcher without a screen, which listens to what items and their menus say."""

    def __init__(self, bus):
        super().__init__(bus, '/StatusNotifierWatcher')
        for interface in ('org.kde.StatusNotifierItem', 'com.canonical.dbusmenu'):
            bus.add_signal_receiver(self.on_signal, dbus_interface=interface, member_keyword='member')

    @staticmethod
    def on_signal(*arguments, member=None):
        """Write it down."""
        tell(signal=member, arguments=[str(argument) for argument in arguments])

    def do(self, command):
        """There are no commands."""

    @dbus.service.method(WATCHER, in_signature='s', out_signature='', sender_keyword='sender')
    def RegisterStatusNotifierItem(self, service, sender=None):  # pylint: disable=invalid-name
        """Writes down who registers."""
        tell(registered=service, sender=sender)


class Notifications(dbus.service.Object):
    """A notification service without a screen. Commands: {"click": NUMBER}."""

    def __init__(self, bus):
        super().__init__(bus, '/org/freedesktop/Notifications')
        self.number = 0

    def do(self, command):
        """Click on one."""
        self.ActionInvoked(dbus.UInt32(command['click']), 'default')

    @dbus.service.method(NOTIFICATIONS, in_signature='susssasa{sv}i', out_signature='u')
    def Notify(self, app, _replaces, icon, title, text, actions, hints, _expires):  # pylint: disable=invalid-name,too-many-arguments
        """Writes it down."""
        self.number += 1
        tell(notified=title, text=text, app=app, icon=icon, actions=list(actions),
             urgency=int(hints['urgency']), number=self.number)
        return dbus.UInt32(self.number)

    @dbus.service.signal(NOTIFICATIONS, signature='us')
    def ActionInvoked(self, number, action):  # pylint: disable=invalid-name
        """As the standard has it."""


def main():
    """Take the name, say so, obey."""
    role = sys.argv[1]
    dbus.mainloop.glib.DBusGMainLoop(set_as_default=True)
    bus = dbus.SystemBus() if role == 'agent' else dbus.SessionBus()
    if role == 'agent':
        thing = Agent(bus, sys.argv[2])
        manager = Manager(bus, thing)
        name = AGENT
    elif role == 'tray':
        thing, name = Tray(bus), WATCHER
    else:
        thing, name = Notifications(bus), NOTIFICATIONS
    held = [thing, role == 'agent' and manager]
    loop = GLib.MainLoop()

    pending = bytearray()

    def on_input(descriptor, _condition):
        data = os.read(descriptor, 65536)
        pending.extend(data)
        while b'\n' in pending:
            line, _, rest = bytes(pending).partition(b'\n')
            pending[:] = rest
            thing.do(json.loads(line))
        if not data:
            loop.quit()
        return bool(data)

    GLib.io_add_watch(0, GLib.IO_IN | GLib.IO_HUP, on_input)
    held.append(dbus.service.BusName(name, bus))
    tell(ready=name)
    loop.run()


if __name__ == '__main__':
    main()
