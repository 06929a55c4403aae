# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 the Tenon developers
"""Debian's d-feet on a virtual screen shows each method, property and signal of the XML, and can read each property."""

import json
import os
import sys
import xml.etree.ElementTree as xml

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'integration'))
# pylint: disable=wrong-import-position
import procs
import screen
import tenond
from bus import NAME, PATH, Bus
from cases import Skip, check, equal, test

PYTHON = '/usr/bin/python3'
ROWS = os.path.join(os.path.dirname(os.path.abspath(__file__)), 'dfeet_rows.py')


def shown(bus, display):
    """{interface: {kind: [text]}} of the page that d-feet makes of the agent's object."""
    owner = bus.busctl('--json=short', 'call', 'org.freedesktop.DBus', '/', 'org.freedesktop.DBus', 'GetNameOwner', 's',
                       NAME)[1]
    status, stdout, stderr = tenond.run(PYTHON, ROWS, bus.address, NAME, json.loads(owner)['data'][0], timeout=120,
                                        env={**os.environ, 'DISPLAY': display, 'GDK_BACKEND': 'x11', 'NO_AT_BRIDGE': '1'})
    equal(status, 0, stderr)
    found, node, interface = {}, None, None
    for _, kind, text in map(json.loads, stdout.splitlines()):
        if kind == 'DBusNode':
            node = text
        elif kind == 'DBusInterface':
            interface = text
        elif kind.startswith('DBus') and node == PATH:
            found.setdefault(interface, {}).setdefault(kind, []).append(text)
    return found


@test(timeout=300)
def dfeet_shows_all_that_the_xml_has():
    if tenond.run(PYTHON, '-c', 'import dfeet.introspection')[0] != 0:
        raise Skip('d-feet is not installed')
    bus, display = Bus(), screen.Screen(procs.temp_dir())
    agent = tenond.Agent('[watchdog]\nmode=off\n', tenond.plugin_options(('health', 'timesync', 'watchdog')), command=[
        'env', f'DBUS_SYSTEM_BUS_ADDRESS={bus.address}', tenond.built('agent/tenond')])
    try:
        procs.wait_for(bus.has_agent, 60, 'the name on the bus')
        found = shown(bus, display.display)
    finally:
        agent.close()
        display.close()
        bus.close()
    for element in xml.parse(os.path.join(tenond.TOP, 'data/org.tenon.Agent1.xml')).getroot():
        rows = found[element.get('name')]
        for tag, kind in (('method', 'DBusMethod'), ('signal', 'DBusSignal')):
            equal(sorted(text.split(' (')[0] for text in rows.get(kind, [])),
                  sorted(one.get('name') for one in element.iter(tag)), f'{tag}s of {element.get("name")}')
        texts = rows.get('DBusProperty', [])
        equal(sorted(text.split(' (read)')[0].rsplit(' ', 1)[1] for text in texts),
              sorted(one.get('name') for one in element.iter('property')), f'properties of {element.get("name")}')
        check(all(' (read) = ' in text for text in texts), f'a property without a value: {texts}')
