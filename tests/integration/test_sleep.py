# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 the Tenon developers
"""Sleep and waking up, which logind tells on the system bus; python3-dbusmock stands in for logind."""

import json
import signal

import tenond
from bus import Bus, Logind, need_root
from cases import check, equal, shared, test
from procs import wait_for
from qmp import Qmp

LOOKS = 'has woken from sleep; its clock is looked at'


@shared
def bus():
    """The bus of all tests."""
    return Bus()


@shared
def logind():
    """The stand-in for logind."""
    need_root()  # to have its name
    return Logind(bus())


@shared
def agent():
    """An agent on the bus that looks at the clock and never touches it."""
    made = tenond.Agent('', tenond.plugin_options(('timesync',)), start=False,
                        command=['env', f'DBUS_SYSTEM_BUS_ADDRESS={bus().address}', tenond.built('agent/tenond')])
    made.events = made.path('qmp.sock')
    made.configure(f'[timesync]\nmode=observe\n[qmp]\nmethod=unix-listen\npath={made.events}\n')
    made.start()
    wait_for(bus().has_agent, 30, 'the name on the bus')
    return made


def fact():
    """What the agent says of sleep."""
    return json.loads(agent().ctl('status', '--json')[1])['facts'].get('sleep', {}).get('state')


def looks():
    """How often it looked at the clock because of that."""
    return agent().text('log').count(LOOKS)


@test
def sleep_is_told_and_the_clock_looked_at():
    logind()
    agent()
    host = Qmp(agent().events)
    try:
        for times in (1, 2):
            logind().sleep('true')
            equal(host.wait_event('SLEEP_CHANGED', 30)['data']['state'], 'going', 'state in the event')
            equal(looks(), times - 1, 'looks while it goes to sleep')
            logind().sleep('false')
            equal(host.wait_event('SLEEP_CHANGED', 30)['data']['state'], 'awake', 'state in the event')
            wait_for(lambda times=times: looks() == times, 20, 'the look at the clock')
    finally:
        host.close()
    equal(fact(), 'awake', 'the fact')


@test
def signal_alone_is_not_believed():
    """Everybody can send it; logind's property says what is true."""
    before = looks()
    logind().signal('true')
    logind().signal('false')
    logind().sleep('true')
    wait_for(lambda: fact() == 'going', 20, 'sleep that is true')
    logind().signal('false')
    logind().sleep('false')
    wait_for(lambda: looks() > before, 20, 'the look at the clock')
    equal(looks(), before + 1, 'looks')


@test
def bus_that_is_lost_on_the_way_to_sleep():
    """What was missed is asked for on the next connection."""
    before = looks()
    logind().sleep('true')
    wait_for(lambda: fact() == 'going', 20, 'the way to sleep')
    logind().close()
    bus().end()
    wait_for(lambda: 'connection to the bus was lost' in agent().text('log'), 30, 'the loss')
    bus().start()
    again = Logind(bus())
    try:
        agent().kill(signal.SIGHUP)  # looks for the bus at once
        wait_for(bus().has_agent, 60, 'the name on the new bus')
        wait_for(lambda: looks() == before + 1, 30, 'the look at the clock')
        check(fact() == 'awake', 'the fact')
    finally:
        again.close()
