# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 the Tenon developers
"""org.tenon.Agent1 in a Debian guest: the real bus, the shipped policies, first without polkit, then with the real one;
a user who may read and may not change; a bus that is restarted."""

import re

import agent
import packages
import procs
from cases import check, equal, note, shared, test

POLKIT = ('polkitd', 'libpolkit-agent-1-0', 'libpolkit-gobject-1-0', 'libduktape207', 'libexpat1', 'xml-core',
          'sgml-base')
NAME = 'org.tenon.Agent1'
OBJECT = f'{NAME} /org/tenon/Agent1'
AS_NOBODY = 'setpriv --reuid=65534 --regid=65534 --clear-groups'
RULE = '''polkit.addRule(function(action, subject) {
    if (action.id == "org.tenon.agent1.watchdog" && subject.user == "nobody")
        return polkit.Result.YES;
});
'''


@shared
def guest():
    """The guest with the package, and polkit's packages in /root, not yet installed."""
    made = agent.resume_installed(files=packages.download(*POLKIT))
    made.run('mkdir -p /mnt && mount -o ro /dev/vdb /mnt && mkdir /root/polkit && cp /mnt/*.deb /root/polkit && '
             f'rm /root/polkit/tenon* && {agent.UMOUNT} && systemctl start tenond', 240)
    procs.wait_for(lambda: made.sh(f'busctl status {NAME}')[0] == 0, 120, 'the name on the bus')
    return made


def get(interface, name, who=''):
    """A property, as busctl prints it."""
    return guest().run(f'{who} busctl get-property {OBJECT} {NAME}{interface} {name}')


def call(interface, method, who=''):
    """A method without arguments; exit status and output."""
    return guest().sh(f'{who} busctl call {OBJECT} {NAME}{interface} {method} 2>&1', 120)


@test(timeout=900)
def everybody_may_read():
    # The chipset has a watchdog, too: which of them is the first, the kernel decides.
    node = guest().run('dirname $(grep -l i6300ESB /sys/class/watchdog/*/identity)').rpartition('/')[2]
    for interface, name, wanted in (('', 'State', 's "ok"'), ('.Hypervisor', 'Id', 's "qemu"'),
                                    ('.Channels', 'State', 's "open"'), ('.Watchdog', 'State', 's "fed"'),
                                    ('.Watchdog', 'Device', f's "{node}"'), ('.Heartbeats', 'State', 's "present"')):
        equal(get(interface, name, AS_NOBODY).strip(), wanted, f'{interface} {name}')
    status, text = call('', 'GetStatus', AS_NOBODY)
    check(status == 0 and '"uptime-seconds"' in text, text)
    text = guest().run(f'busctl call {NAME} /org/tenon org.freedesktop.DBus.ObjectManager GetManagedObjects')
    check(f'"{NAME}.Updates"' in text, text)
    check('/org/tenon/Agent1' in guest().run(f'busctl tree {NAME}'), 'the tree')


@test(timeout=600)
def without_polkit_only_root_may():
    status, text = call('.Watchdog', 'Disarm', AS_NOBODY)
    check(status != 0, text)
    equal(get('.Watchdog', 'State').strip(), 's "fed"', 'the watchdog')
    equal(call('.Watchdog', 'Disarm')[0], 0, 'Disarm by root')
    equal(get('.Watchdog', 'State').strip(), 's "disarmed"', 'the watchdog')
    equal(call('.Watchdog', 'Arm')[0], 0, 'Arm by root')
    equal(get('.Watchdog', 'State').strip(), 's "fed"', 'the watchdog')
    text = guest().run('journalctl -u tenond -o cat --no-pager')
    check(re.search(r'tenon-watchdog-disarm by uid 0 bus :1\.\d+ over dbus: ok', text), text)


@test(timeout=600)
def polkit_refuses_and_a_rule_allows():
    guest().run('dpkg -i /root/polkit/*.deb', 240)
    status, text = call('.Watchdog', 'Disarm', AS_NOBODY)
    check(status != 0, text)
    equal(get('.Watchdog', 'State').strip(), 's "fed"', 'the watchdog')
    check('polkitd' in guest().run('ps -eo comm'), 'polkit was not asked')
    check('org.tenon.agent1.watchdog' in guest().run('pkaction'), 'polkit does not know the actions')
    guest().run(f"cat >/etc/polkit-1/rules.d/50-tenon.rules <<'END'\n{RULE}END\nsystemctl restart polkit", 60)
    equal(call('.Watchdog', 'Disarm', AS_NOBODY), (0, ''), 'Disarm by nobody, whom a rule allows')
    equal(get('.Watchdog', 'State').strip(), 's "disarmed"', 'the watchdog')
    equal(call('.Watchdog', 'Arm', AS_NOBODY)[0], 0, 'Arm by nobody')
    status, text = guest().sh(f'{AS_NOBODY} busctl call {OBJECT} {NAME}.Drivers Undo b false 2>&1', 120)
    check(status != 0, text)
    text = guest().run('journalctl -u tenond -o cat --no-pager')
    check(re.search(r'tenon-watchdog-disarm by uid 65534 bus :1\.\d+ over dbus: ok', text), text)


@test(timeout=600)
def a_call_starts_the_agent():
    guest().run('systemctl stop tenond', 60)
    equal(get('', 'State', AS_NOBODY).strip(), 's "ok"', 'State')
    equal(guest().run('systemctl is-active tenond').strip(), 'active', 'the unit')
    guest().port.wait_agent(60)


@test(timeout=600)
def what_it_costs():
    def rss():
        text = guest().run('cat /proc/$(pidof tenond)/status')
        return int(re.search(r'VmRSS:\s+(\d+)', text)[1])
    guest().run('systemctl restart tenond; sleep 15', 120)
    on = rss()
    guest().run('mkdir -p /etc/tenon/tenond.conf.d && printf "[agent]\\ndbus=no\\n" >/etc/tenon/tenond.conf.d/bus.conf && '
                'systemctl restart tenond; sleep 15', 120)
    off = rss()
    status = guest().sh(f'busctl --timeout=3 get-property {OBJECT} {NAME} State')[0]
    check(status != 0, 'it is on the bus with dbus=no')
    guest().run('rm /etc/tenon/tenond.conf.d/bus.conf; systemctl restart tenond', 60)
    note(f'{on} KiB resident on the bus, {off} KiB with dbus=no')
    # Which of the two is more depends on whether the agent has rested since it started.
    check(max(on, off) < 6144, 'it costs too much')


@test(timeout=600)
def restarted_bus_is_found_again():
    procs.wait_for(lambda: guest().sh(f'busctl status {NAME}')[0] == 0, 60, 'the name')
    before = agent.pid(guest())
    guest().run('systemctl restart dbus', 120)
    procs.wait_for(lambda: guest().sh(f'busctl --timeout=5 get-property {OBJECT} {NAME} State')[0] == 0, 120,
                   'the agent on the new bus')
    equal(agent.pid(guest()), before, 'the process of the agent')
    guest().ask('guest-ping')
